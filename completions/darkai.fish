# fish completion for darkai. Made by `darkai completions fish`; do not edit.

function __darkai_is_command
    switch "$argv"
        case 'darkai ask' \
            'darkai chat' \
            'darkai models' \
            'darkai models list' \
            'darkai models show' \
            'darkai models default' \
            'darkai models alias' \
            'darkai history' \
            'darkai history list' \
            'darkai history show' \
            'darkai history search' \
            'darkai history tree' \
            'darkai history diff' \
            'darkai history rename' \
            'darkai history rm' \
            'darkai history stats' \
            'darkai history export' \
            'darkai history import' \
            'darkai history path' \
            'darkai history vacuum' \
            'darkai history check' \
            'darkai config' \
            'darkai config show' \
            'darkai config get' \
            'darkai config set' \
            'darkai config unset' \
            'darkai config edit' \
            'darkai config path' \
            'darkai config trust' \
            'darkai keys' \
            'darkai keys set' \
            'darkai keys list' \
            'darkai keys rm' \
            'darkai keys path' \
            'darkai replay' \
            'darkai doctor' \
            'darkai completions'
            return 0
    end
    return 1
end

function __darkai_takes_value
    switch "$argv"
        case 'darkai ask -m' \
            'darkai ask --model' \
            'darkai ask -p' \
            'darkai ask --provider' \
            'darkai ask -s' \
            'darkai ask --system' \
            'darkai ask -f' \
            'darkai ask --file' \
            'darkai ask -o' \
            'darkai ask --option' \
            'darkai ask --conversation' \
            'darkai ask --output' \
            'darkai ask --reasoning' \
            'darkai ask --proxy' \
            'darkai ask --timeout' \
            'darkai ask --retries' \
            'darkai ask --max-wait' \
            'darkai ask --record' \
            'darkai chat -m' \
            'darkai chat --model' \
            'darkai chat -p' \
            'darkai chat --provider' \
            'darkai chat -s' \
            'darkai chat --system' \
            'darkai chat -f' \
            'darkai chat --file' \
            'darkai chat -o' \
            'darkai chat --option' \
            'darkai chat --conversation' \
            'darkai chat --reasoning' \
            'darkai chat --proxy' \
            'darkai chat --timeout' \
            'darkai chat --retries' \
            'darkai chat --max-wait' \
            'darkai models -p' \
            'darkai models --provider' \
            'darkai models list -p' \
            'darkai models list --provider' \
            'darkai models alias --rm' \
            'darkai history --limit' \
            'darkai history --since' \
            'darkai history -m' \
            'darkai history --model' \
            'darkai history --state' \
            'darkai history list --limit' \
            'darkai history list --since' \
            'darkai history list -m' \
            'darkai history list --model' \
            'darkai history list --state' \
            'darkai history show --turn' \
            'darkai history show --reasoning' \
            'darkai history search --limit' \
            'darkai history search --since' \
            'darkai history rm --older-than' \
            'darkai history stats --since' \
            'darkai history export --format' \
            'darkai history export --output' \
            'darkai replay --speed' \
            'darkai replay --output' \
            'darkai replay --reasoning'
            return 0
    end
    return 1
end

function __darkai_place --description 'The command at the cursor, and the number of its argument'
    set -l path darkai
    set -l position 1
    set -l value 0
    set -l ended 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $value = 1
            set value 0
        else if test $ended = 0; and test "$word" = --
            set ended 1
        else if test $ended = 0; and string match -q -- '--*' "$word"
            __darkai_takes_value $path "$word"; and set value 1
        else if test $ended = 0; and string match -qr -- '^-.' "$word"
            set -l letters (string sub -s 2 -- "$word")
            while test -n "$letters"
                set -l letter (string sub -l 1 -- "$letters")
                set letters (string sub -s 2 -- "$letters")
                if __darkai_takes_value $path -$letter
                    test -z "$letters"; and set value 1
                    break
                end
            end
        else if test $position = 1; and __darkai_is_command $path "$word"
            set -a path $word
        else
            set position (math $position + 1)
        end
    end
    echo "$path"
    echo $position
end

function __darkai_at --description 'Whether that is command $argv[1] (and argument $argv[2])'
    set -l place (__darkai_place)
    test "$place[1]" = "$argv[1]"; or return 1
    test (count $argv) = 1; or test "$place[2]" = "$argv[2]"
end

function __darkai_names
    command -q darkai; and command darkai completions --names $argv[1] 2>/dev/null </dev/null
end

complete -c darkai -f
complete -c darkai -n '__darkai_at \'darkai\' 1' -a ask -d 'Ask a question and stream the answer'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a chat -d 'Start an interactive chat'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a models -d 'List models and choose the default'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a history -d 'Search, show, export and manage saved conversations'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a config -d 'Show and change the configuration'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a keys -d 'Store, list and remove API keys'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a replay -d 'Play back a recorded reply with its timing'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a doctor -d 'Check the installation, the network and the providers'
complete -c darkai -n '__darkai_at \'darkai\' 1' -a completions -d 'Print the completion script for a shell'
complete -c darkai -n '__darkai_at \'darkai\'' -l version -d 'Print the version and exit'
complete -c darkai -n '__darkai_at \'darkai\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s m -l model -x -a '(__darkai_names models)' -d 'Model: a name, an alias or PROVIDER/NAME'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s p -l provider -x -a '(__darkai_names providers)' -d 'Provider, such as openai or ollama'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s s -l system -x -d 'System prompt'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s f -l file -r -F -d 'Attach a file, image or URL (`-` for stdin)'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s o -l option -x -d 'Request option, such as temperature=0.2'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s c -l continue -d 'Continue the latest conversation'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l conversation -x -d 'Continue this conversation (any unique prefix of its ID)'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l resume -d 'Continue a reply that was cut off'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l no-save -d 'Don\'t save this conversation'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l raw -d 'Print plain text, even on a terminal'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l json -d 'Print events, one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s x -l extract -d 'Print only the first fenced code block'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l output -r -F -d 'Write the reply to FILE when it is complete'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l no-stream -d 'Print the whole reply at the end'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l plain -d 'Don\'t redraw or move the cursor on a terminal'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l reasoning -x -a 'show fold hide' -d 'How to show the model\'s reasoning (default on a terminal: fold)'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l proxy -x -d 'Proxy, http://HOST:PORT or socks5://HOST:PORT; \'\' for none'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l timeout -x -d 'Seconds to wait for the first token (default 600), and between tokens (60)'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l retries -x -d 'Retries before the first token (default 2)'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l max-wait -x -d 'Seconds to wait for a rate limit (default 60; on a terminal, no limit)'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l no-fallback -d 'Never use another provider'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l no-stdin -d 'Don\'t read stdin'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l record -r -F -d 'Record the reply and its timing to FILE'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l dry-run -d 'Print the request as JSON, and send nothing'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s q -l quiet -d 'Print only errors, no notices'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s v -l verbose -d 'Print model, tokens and times on stderr'
complete -c darkai -n '__darkai_at \'darkai ask\'' -l debug -d 'Log the request and the response on stderr, and print tracebacks'
complete -c darkai -n '__darkai_at \'darkai ask\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s m -l model -x -a '(__darkai_names models)' -d 'Model: a name, an alias or PROVIDER/NAME'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s p -l provider -x -a '(__darkai_names providers)' -d 'Provider, such as openai or ollama'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s s -l system -x -d 'System prompt'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s f -l file -r -F -d 'Attach a file, image or URL (`-` for stdin)'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s o -l option -x -d 'Request option, such as temperature=0.2'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s c -l continue -d 'Continue the latest conversation'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l conversation -x -d 'Continue this conversation (any unique prefix of its ID)'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l no-save -d 'Don\'t save this conversation'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l plain -d 'Don\'t redraw or move the cursor on a terminal'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l reasoning -x -a 'show fold hide' -d 'How to show the model\'s reasoning (default on a terminal: fold)'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l proxy -x -d 'Proxy, http://HOST:PORT or socks5://HOST:PORT; \'\' for none'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l timeout -x -d 'Seconds to wait for the first token (default 600), and between tokens (60)'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l retries -x -d 'Retries before the first token (default 2)'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l max-wait -x -d 'Seconds to wait for a rate limit (default 60; on a terminal, no limit)'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l no-fallback -d 'Never use another provider'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s q -l quiet -d 'Print only errors, no notices'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s v -l verbose -d 'Print model, tokens and times on stderr'
complete -c darkai -n '__darkai_at \'darkai chat\'' -l debug -d 'Log the request and the response on stderr, and print tracebacks'
complete -c darkai -n '__darkai_at \'darkai chat\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai models\' 1' -a list -d 'List the models of all configured providers; `*` marks the default'
complete -c darkai -n '__darkai_at \'darkai models\' 1' -a show -d 'Show a model\'s details'
complete -c darkai -n '__darkai_at \'darkai models\' 1' -a default -d 'Show or set the default model'
complete -c darkai -n '__darkai_at \'darkai models\' 1' -a alias -d 'List, show or set aliases for models'
complete -c darkai -n '__darkai_at \'darkai models\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai models\'' -l refresh -d 'Refresh, ignoring the cache'
complete -c darkai -n '__darkai_at \'darkai models\'' -s p -l provider -x -a '(__darkai_names providers)' -d 'List only this provider\'s models'
complete -c darkai -n '__darkai_at \'darkai models\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai models list\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai models list\'' -l refresh -d 'Refresh, ignoring the cache'
complete -c darkai -n '__darkai_at \'darkai models list\'' -s p -l provider -x -a '(__darkai_names providers)' -d 'List only this provider\'s models'
complete -c darkai -n '__darkai_at \'darkai models list\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai models show\'' -l json -d 'Print one JSON object'
complete -c darkai -n '__darkai_at \'darkai models show\'' -l refresh -d 'Refresh, ignoring the cache'
complete -c darkai -n '__darkai_at \'darkai models show\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai models show\' 1' -a '(__darkai_names models)'
complete -c darkai -n '__darkai_at \'darkai models default\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai models default\' 1' -a '(__darkai_names models)'
complete -c darkai -n '__darkai_at \'darkai models alias\'' -l rm -x -d 'Remove an alias'
complete -c darkai -n '__darkai_at \'darkai models alias\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai models alias\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai models alias\' 2' -a '(__darkai_names models)'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a list -d 'List conversations, latest first'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a show -d 'Show a conversation'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a search -d 'Find messages that contain all these words'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a tree -d 'Show a conversation with all its branches'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a diff -d 'Compare two replies or conversations'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a rename -d 'Rename a conversation'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a rm -d 'Remove conversations'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a stats -d 'Show turns, tokens and speed by model'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a export -d 'Export conversations as Markdown, JSON or HTML'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a import -d 'Import conversations from a file'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a path -d 'Print where the history is stored'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a vacuum -d 'Reclaim disk space after removals'
complete -c darkai -n '__darkai_at \'darkai history\' 1' -a check -d 'Check the database for damage'
complete -c darkai -n '__darkai_at \'darkai history\'' -l limit -x -d 'Show at most N (default 20)'
complete -c darkai -n '__darkai_at \'darkai history\'' -l since -x -d 'Only newer than TIME, such as 2d, 3h or a date'
complete -c darkai -n '__darkai_at \'darkai history\'' -s m -l model -x -a '(__darkai_names models)' -d 'Only those whose latest reply is from this model'
complete -c darkai -n '__darkai_at \'darkai history\'' -l state -x -a 'streaming complete interrupted truncated failed' -d 'Only those whose latest reply is streaming, complete, interrupted, truncated or failed'
complete -c darkai -n '__darkai_at \'darkai history\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai history\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history list\'' -l limit -x -d 'Show at most N (default 20)'
complete -c darkai -n '__darkai_at \'darkai history list\'' -l since -x -d 'Only newer than TIME, such as 2d, 3h or a date'
complete -c darkai -n '__darkai_at \'darkai history list\'' -s m -l model -x -a '(__darkai_names models)' -d 'Only those whose latest reply is from this model'
complete -c darkai -n '__darkai_at \'darkai history list\'' -l state -x -a 'streaming complete interrupted truncated failed' -d 'Only those whose latest reply is streaming, complete, interrupted, truncated or failed'
complete -c darkai -n '__darkai_at \'darkai history list\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai history list\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history show\'' -l turn -x -d 'Show only this turn; -1 is the last'
complete -c darkai -n '__darkai_at \'darkai history show\'' -l raw -d 'Print Markdown, even on a terminal'
complete -c darkai -n '__darkai_at \'darkai history show\'' -l reasoning -x -a 'show fold hide' -d 'How to show the model\'s reasoning (default on a terminal: fold)'
complete -c darkai -n '__darkai_at \'darkai history show\'' -l json -d 'Print one JSON object'
complete -c darkai -n '__darkai_at \'darkai history show\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history search\'' -l limit -x -d 'Show at most N (default 20)'
complete -c darkai -n '__darkai_at \'darkai history search\'' -l since -x -d 'Only newer than TIME, such as 2d, 3h or a date'
complete -c darkai -n '__darkai_at \'darkai history search\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai history search\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history tree\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history diff\'' -l branch -d 'Compare everything up to there, not only the replies'
complete -c darkai -n '__darkai_at \'darkai history diff\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history rename\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history rm\'' -l older-than -x -d 'Remove all older than TIME, such as 90d or a date'
complete -c darkai -n '__darkai_at \'darkai history rm\'' -s y -l yes -d 'Don\'t ask for confirmation'
complete -c darkai -n '__darkai_at \'darkai history rm\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history stats\'' -l since -x -d 'Only newer than TIME, such as 30d, 1y or a date'
complete -c darkai -n '__darkai_at \'darkai history stats\'' -l json -d 'Print one JSON object'
complete -c darkai -n '__darkai_at \'darkai history stats\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history export\'' -l all -d 'Export all conversations'
complete -c darkai -n '__darkai_at \'darkai history export\'' -l format -x -a 'md json jsonl html' -d 'Format (default: by the ending of FILE, or md)'
complete -c darkai -n '__darkai_at \'darkai history export\'' -l output -r -F -d 'Write to FILE when the export is complete'
complete -c darkai -n '__darkai_at \'darkai history export\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history import\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history import\' 1' -F
complete -c darkai -n '__darkai_at \'darkai history path\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history vacuum\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai history check\'' -l repair -d 'Rebuild the search index from the messages'
complete -c darkai -n '__darkai_at \'darkai history check\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a show -d 'Show each value and where it comes from'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a get -d 'Print one value'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a set -d 'Write a value to config.toml'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a unset -d 'Remove a value from config.toml'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a edit -d 'Edit config.toml in $VISUAL, $EDITOR or vi, then check it'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a path -d 'Print where config.toml is'
complete -c darkai -n '__darkai_at \'darkai config\' 1' -a trust -d 'Trust a project\'s .darkai.toml as it is now'
complete -c darkai -n '__darkai_at \'darkai config\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai config\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config show\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai config show\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config get\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config get\' 1' -a 'provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown'
complete -c darkai -n '__darkai_at \'darkai config set\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config set\' 1' -a 'provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown'
complete -c darkai -n '__darkai_at \'darkai config unset\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config unset\' 1' -a 'provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown'
complete -c darkai -n '__darkai_at \'darkai config edit\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config path\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config trust\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai config trust\' 1' -F
complete -c darkai -n '__darkai_at \'darkai keys\' 1' -a set -d 'Store a provider\'s API key, entered without echo or read from stdin'
complete -c darkai -n '__darkai_at \'darkai keys\' 1' -a list -d 'List keys and where they come from; `*` marks those in use'
complete -c darkai -n '__darkai_at \'darkai keys\' 1' -a rm -d 'Remove a provider\'s stored key'
complete -c darkai -n '__darkai_at \'darkai keys\' 1' -a path -d 'Print where keys.toml is'
complete -c darkai -n '__darkai_at \'darkai keys\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai keys\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai keys set\'' -l keyring -d 'Store it in the system\'s keyring, not in keys.toml'
complete -c darkai -n '__darkai_at \'darkai keys set\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai keys set\' 1' -a '(__darkai_names providers)'
complete -c darkai -n '__darkai_at \'darkai keys list\'' -l json -d 'Print one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai keys list\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai keys rm\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai keys rm\' 1' -a '(__darkai_names providers)'
complete -c darkai -n '__darkai_at \'darkai keys path\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l speed -x -d 'Play N times as fast'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l instant -d 'Play without pauses'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l raw -d 'Print plain text, even on a terminal'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l json -d 'Print events, one JSON object per line'
complete -c darkai -n '__darkai_at \'darkai replay\'' -s x -l extract -d 'Print only the first fenced code block'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l output -r -F -d 'Write the reply to FILE when it is complete'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l no-stream -d 'Print the whole reply at the end'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l plain -d 'Don\'t redraw or move the cursor on a terminal'
complete -c darkai -n '__darkai_at \'darkai replay\'' -l reasoning -x -a 'show fold hide' -d 'How to show the model\'s reasoning (default on a terminal: fold)'
complete -c darkai -n '__darkai_at \'darkai replay\'' -s q -l quiet -d 'Print only errors, no notices'
complete -c darkai -n '__darkai_at \'darkai replay\'' -s v -l verbose -d 'Print model, tokens and times on stderr'
complete -c darkai -n '__darkai_at \'darkai replay\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai replay\' 1' -F
complete -c darkai -n '__darkai_at \'darkai doctor\'' -l deep -d 'Also send each a prompt, which may cost money, and read all of the history'
complete -c darkai -n '__darkai_at \'darkai doctor\'' -l json -d 'Print one JSON object'
complete -c darkai -n '__darkai_at \'darkai doctor\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai doctor\'' -a '(__darkai_names providers)'
complete -c darkai -n '__darkai_at \'darkai completions\'' -s h -l help -d 'Show this message and exit'
complete -c darkai -n '__darkai_at \'darkai completions\' 1' -a 'bash zsh fish powershell'
