# PowerShell completion for darkai.
# Made by `darkai completions powershell`; do not edit.
#
# Written for PowerShell 5.1 and later. Where nothing is offered, PowerShell completes file names.

Register-ArgumentCompleter -Native -CommandName 'darkai' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Each row: a command; its subcommand, option or the number of its argument; what that is or
    # takes; its help. The argument `*` is any further one.
    $rows = @(
        @('darkai', 'ask', 'command', 'Ask a question and stream the answer'),
        @('darkai', 'chat', 'command', 'Start an interactive chat'),
        @('darkai', 'models', 'command', 'List models and choose the default'),
        @('darkai', 'history', 'command', 'Search, show, export and manage saved conversations'),
        @('darkai', 'config', 'command', 'Show and change the configuration'),
        @('darkai', 'keys', 'command', 'Store, list and remove API keys'),
        @('darkai', 'replay', 'command', 'Play back a recorded reply with its timing'),
        @('darkai', 'doctor', 'command', 'Check the installation, the network and the providers'),
        @('darkai', 'completions', 'command', 'Print the completion script for a shell'),
        @('darkai', '--version', 'switch', 'Print the version and exit'),
        @('darkai', '-h', 'switch', 'Show this message and exit'),
        @('darkai', '--help', 'switch', 'Show this message and exit'),
        @('darkai ask', '-m', 'model', 'Model: a name, an alias or PROVIDER/NAME'),
        @('darkai ask', '--model', 'model', 'Model: a name, an alias or PROVIDER/NAME'),
        @('darkai ask', '-p', 'provider', 'Provider, such as openai or ollama'),
        @('darkai ask', '--provider', 'provider', 'Provider, such as openai or ollama'),
        @('darkai ask', '-s', 'text', 'System prompt'),
        @('darkai ask', '--system', 'text', 'System prompt'),
        @('darkai ask', '-f', 'file', 'Attach a file, image or URL (`-` for stdin)'),
        @('darkai ask', '--file', 'file', 'Attach a file, image or URL (`-` for stdin)'),
        @('darkai ask', '-o', 'text', 'Request option, such as temperature=0.2'),
        @('darkai ask', '--option', 'text', 'Request option, such as temperature=0.2'),
        @('darkai ask', '-c', 'switch', 'Continue the latest conversation'),
        @('darkai ask', '--continue', 'switch', 'Continue the latest conversation'),
        @('darkai ask', '--conversation', 'text', 'Continue this conversation (any unique prefix of its ID)'),
        @('darkai ask', '--resume', 'switch', 'Continue a reply that was cut off'),
        @('darkai ask', '--no-save', 'switch', 'Don''t save this conversation'),
        @('darkai ask', '--raw', 'switch', 'Print plain text, even on a terminal'),
        @('darkai ask', '--json', 'switch', 'Print events, one JSON object per line'),
        @('darkai ask', '-x', 'switch', 'Print only the first fenced code block'),
        @('darkai ask', '--extract', 'switch', 'Print only the first fenced code block'),
        @('darkai ask', '--output', 'file', 'Write the reply to FILE when it is complete'),
        @('darkai ask', '--no-stream', 'switch', 'Print the whole reply at the end'),
        @('darkai ask', '--plain', 'switch', 'Don''t redraw or move the cursor on a terminal'),
        @('darkai ask', '--reasoning', 'words show fold hide', 'How to show the model''s reasoning (default on a terminal: fold)'),
        @('darkai ask', '--proxy', 'text', 'Proxy, http://HOST:PORT or socks5://HOST:PORT; '''' for none'),
        @('darkai ask', '--timeout', 'text', 'Seconds to wait for the first token (default 600), and between tokens (60)'),
        @('darkai ask', '--retries', 'text', 'Retries before the first token (default 2)'),
        @('darkai ask', '--max-wait', 'text', 'Seconds to wait for a rate limit (default 60; on a terminal, no limit)'),
        @('darkai ask', '--no-fallback', 'switch', 'Never use another provider'),
        @('darkai ask', '--no-stdin', 'switch', 'Don''t read stdin'),
        @('darkai ask', '--record', 'file', 'Record the reply and its timing to FILE'),
        @('darkai ask', '--dry-run', 'switch', 'Print the request as JSON, and send nothing'),
        @('darkai ask', '-q', 'switch', 'Print only errors, no notices'),
        @('darkai ask', '--quiet', 'switch', 'Print only errors, no notices'),
        @('darkai ask', '-v', 'switch', 'Print model, tokens and times on stderr'),
        @('darkai ask', '--verbose', 'switch', 'Print model, tokens and times on stderr'),
        @('darkai ask', '--debug', 'switch', 'Log the request and the response on stderr, and print tracebacks'),
        @('darkai ask', '-h', 'switch', 'Show this message and exit'),
        @('darkai ask', '--help', 'switch', 'Show this message and exit'),
        @('darkai ask', '*', 'text', 'prompt'),
        @('darkai chat', '-m', 'model', 'Model: a name, an alias or PROVIDER/NAME'),
        @('darkai chat', '--model', 'model', 'Model: a name, an alias or PROVIDER/NAME'),
        @('darkai chat', '-p', 'provider', 'Provider, such as openai or ollama'),
        @('darkai chat', '--provider', 'provider', 'Provider, such as openai or ollama'),
        @('darkai chat', '-s', 'text', 'System prompt'),
        @('darkai chat', '--system', 'text', 'System prompt'),
        @('darkai chat', '-f', 'file', 'Attach a file, image or URL (`-` for stdin)'),
        @('darkai chat', '--file', 'file', 'Attach a file, image or URL (`-` for stdin)'),
        @('darkai chat', '-o', 'text', 'Request option, such as temperature=0.2'),
        @('darkai chat', '--option', 'text', 'Request option, such as temperature=0.2'),
        @('darkai chat', '-c', 'switch', 'Continue the latest conversation'),
        @('darkai chat', '--continue', 'switch', 'Continue the latest conversation'),
        @('darkai chat', '--conversation', 'text', 'Continue this conversation (any unique prefix of its ID)'),
        @('darkai chat', '--no-save', 'switch', 'Don''t save this conversation'),
        @('darkai chat', '--plain', 'switch', 'Don''t redraw or move the cursor on a terminal'),
        @('darkai chat', '--reasoning', 'words show fold hide', 'How to show the model''s reasoning (default on a terminal: fold)'),
        @('darkai chat', '--proxy', 'text', 'Proxy, http://HOST:PORT or socks5://HOST:PORT; '''' for none'),
        @('darkai chat', '--timeout', 'text', 'Seconds to wait for the first token (default 600), and between tokens (60)'),
        @('darkai chat', '--retries', 'text', 'Retries before the first token (default 2)'),
        @('darkai chat', '--max-wait', 'text', 'Seconds to wait for a rate limit (default 60; on a terminal, no limit)'),
        @('darkai chat', '--no-fallback', 'switch', 'Never use another provider'),
        @('darkai chat', '-q', 'switch', 'Print only errors, no notices'),
        @('darkai chat', '--quiet', 'switch', 'Print only errors, no notices'),
        @('darkai chat', '-v', 'switch', 'Print model, tokens and times on stderr'),
        @('darkai chat', '--verbose', 'switch', 'Print model, tokens and times on stderr'),
        @('darkai chat', '--debug', 'switch', 'Log the request and the response on stderr, and print tracebacks'),
        @('darkai chat', '-h', 'switch', 'Show this message and exit'),
        @('darkai chat', '--help', 'switch', 'Show this message and exit'),
        @('darkai chat', '*', 'text', 'prompt'),
        @('darkai models', 'list', 'command', 'List the models of all configured providers; `*` marks the default'),
        @('darkai models', 'show', 'command', 'Show a model''s details'),
        @('darkai models', 'default', 'command', 'Show or set the default model'),
        @('darkai models', 'alias', 'command', 'List, show or set aliases for models'),
        @('darkai models', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai models', '--refresh', 'switch', 'Refresh, ignoring the cache'),
        @('darkai models', '-p', 'provider', 'List only this provider''s models'),
        @('darkai models', '--provider', 'provider', 'List only this provider''s models'),
        @('darkai models', '-h', 'switch', 'Show this message and exit'),
        @('darkai models', '--help', 'switch', 'Show this message and exit'),
        @('darkai models list', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai models list', '--refresh', 'switch', 'Refresh, ignoring the cache'),
        @('darkai models list', '-p', 'provider', 'List only this provider''s models'),
        @('darkai models list', '--provider', 'provider', 'List only this provider''s models'),
        @('darkai models list', '-h', 'switch', 'Show this message and exit'),
        @('darkai models list', '--help', 'switch', 'Show this message and exit'),
        @('darkai models show', '--json', 'switch', 'Print one JSON object'),
        @('darkai models show', '--refresh', 'switch', 'Refresh, ignoring the cache'),
        @('darkai models show', '-h', 'switch', 'Show this message and exit'),
        @('darkai models show', '--help', 'switch', 'Show this message and exit'),
        @('darkai models show', '1', 'model', 'model'),
        @('darkai models default', '-h', 'switch', 'Show this message and exit'),
        @('darkai models default', '--help', 'switch', 'Show this message and exit'),
        @('darkai models default', '1', 'model', 'model'),
        @('darkai models alias', '--rm', 'text', 'Remove an alias'),
        @('darkai models alias', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai models alias', '-h', 'switch', 'Show this message and exit'),
        @('darkai models alias', '--help', 'switch', 'Show this message and exit'),
        @('darkai models alias', '1', 'text', 'alias'),
        @('darkai models alias', '2', 'model', 'model'),
        @('darkai history', 'list', 'command', 'List conversations, latest first'),
        @('darkai history', 'show', 'command', 'Show a conversation'),
        @('darkai history', 'search', 'command', 'Find messages that contain all these words'),
        @('darkai history', 'tree', 'command', 'Show a conversation with all its branches'),
        @('darkai history', 'diff', 'command', 'Compare two replies or conversations'),
        @('darkai history', 'rename', 'command', 'Rename a conversation'),
        @('darkai history', 'rm', 'command', 'Remove conversations'),
        @('darkai history', 'stats', 'command', 'Show turns, tokens and speed by model'),
        @('darkai history', 'export', 'command', 'Export conversations as Markdown, JSON or HTML'),
        @('darkai history', 'import', 'command', 'Import conversations from a file'),
        @('darkai history', 'path', 'command', 'Print where the history is stored'),
        @('darkai history', 'vacuum', 'command', 'Reclaim disk space after removals'),
        @('darkai history', 'check', 'command', 'Check the database for damage'),
        @('darkai history', '--limit', 'text', 'Show at most N (default 20)'),
        @('darkai history', '--since', 'text', 'Only newer than TIME, such as 2d, 3h or a date'),
        @('darkai history', '-m', 'model', 'Only those whose latest reply is from this model'),
        @('darkai history', '--model', 'model', 'Only those whose latest reply is from this model'),
        @('darkai history', '--state', 'words streaming complete interrupted truncated failed', 'Only those whose latest reply is streaming, complete, interrupted, truncated or failed'),
        @('darkai history', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai history', '-h', 'switch', 'Show this message and exit'),
        @('darkai history', '--help', 'switch', 'Show this message and exit'),
        @('darkai history list', '--limit', 'text', 'Show at most N (default 20)'),
        @('darkai history list', '--since', 'text', 'Only newer than TIME, such as 2d, 3h or a date'),
        @('darkai history list', '-m', 'model', 'Only those whose latest reply is from this model'),
        @('darkai history list', '--model', 'model', 'Only those whose latest reply is from this model'),
        @('darkai history list', '--state', 'words streaming complete interrupted truncated failed', 'Only those whose latest reply is streaming, complete, interrupted, truncated or failed'),
        @('darkai history list', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai history list', '-h', 'switch', 'Show this message and exit'),
        @('darkai history list', '--help', 'switch', 'Show this message and exit'),
        @('darkai history show', '--turn', 'text', 'Show only this turn; -1 is the last'),
        @('darkai history show', '--raw', 'switch', 'Print Markdown, even on a terminal'),
        @('darkai history show', '--reasoning', 'words show fold hide', 'How to show the model''s reasoning (default on a terminal: fold)'),
        @('darkai history show', '--json', 'switch', 'Print one JSON object'),
        @('darkai history show', '-h', 'switch', 'Show this message and exit'),
        @('darkai history show', '--help', 'switch', 'Show this message and exit'),
        @('darkai history show', '1', 'text', 'id'),
        @('darkai history search', '--limit', 'text', 'Show at most N (default 20)'),
        @('darkai history search', '--since', 'text', 'Only newer than TIME, such as 2d, 3h or a date'),
        @('darkai history search', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai history search', '-h', 'switch', 'Show this message and exit'),
        @('darkai history search', '--help', 'switch', 'Show this message and exit'),
        @('darkai history search', '*', 'text', 'words'),
        @('darkai history tree', '-h', 'switch', 'Show this message and exit'),
        @('darkai history tree', '--help', 'switch', 'Show this message and exit'),
        @('darkai history tree', '1', 'text', 'id'),
        @('darkai history diff', '--branch', 'switch', 'Compare everything up to there, not only the replies'),
        @('darkai history diff', '-h', 'switch', 'Show this message and exit'),
        @('darkai history diff', '--help', 'switch', 'Show this message and exit'),
        @('darkai history diff', '1', 'text', 'a'),
        @('darkai history diff', '2', 'text', 'b'),
        @('darkai history rename', '-h', 'switch', 'Show this message and exit'),
        @('darkai history rename', '--help', 'switch', 'Show this message and exit'),
        @('darkai history rename', '1', 'text', 'id'),
        @('darkai history rename', '*', 'text', 'title'),
        @('darkai history rm', '--older-than', 'text', 'Remove all older than TIME, such as 90d or a date'),
        @('darkai history rm', '-y', 'switch', 'Don''t ask for confirmation'),
        @('darkai history rm', '--yes', 'switch', 'Don''t ask for confirmation'),
        @('darkai history rm', '-h', 'switch', 'Show this message and exit'),
        @('darkai history rm', '--help', 'switch', 'Show this message and exit'),
        @('darkai history rm', '*', 'text', 'id'),
        @('darkai history stats', '--since', 'text', 'Only newer than TIME, such as 30d, 1y or a date'),
        @('darkai history stats', '--json', 'switch', 'Print one JSON object'),
        @('darkai history stats', '-h', 'switch', 'Show this message and exit'),
        @('darkai history stats', '--help', 'switch', 'Show this message and exit'),
        @('darkai history export', '--all', 'switch', 'Export all conversations'),
        @('darkai history export', '--format', 'words md json jsonl html', 'Format (default: by the ending of FILE, or md)'),
        @('darkai history export', '--output', 'file', 'Write to FILE when the export is complete'),
        @('darkai history export', '-h', 'switch', 'Show this message and exit'),
        @('darkai history export', '--help', 'switch', 'Show this message and exit'),
        @('darkai history export', '*', 'text', 'id'),
        @('darkai history import', '-h', 'switch', 'Show this message and exit'),
        @('darkai history import', '--help', 'switch', 'Show this message and exit'),
        @('darkai history import', '1', 'file', 'file'),
        @('darkai history path', '-h', 'switch', 'Show this message and exit'),
        @('darkai history path', '--help', 'switch', 'Show this message and exit'),
        @('darkai history vacuum', '-h', 'switch', 'Show this message and exit'),
        @('darkai history vacuum', '--help', 'switch', 'Show this message and exit'),
        @('darkai history check', '--repair', 'switch', 'Rebuild the search index from the messages'),
        @('darkai history check', '-h', 'switch', 'Show this message and exit'),
        @('darkai history check', '--help', 'switch', 'Show this message and exit'),
        @('darkai config', 'show', 'command', 'Show each value and where it comes from'),
        @('darkai config', 'get', 'command', 'Print one value'),
        @('darkai config', 'set', 'command', 'Write a value to config.toml'),
        @('darkai config', 'unset', 'command', 'Remove a value from config.toml'),
        @('darkai config', 'edit', 'command', 'Edit config.toml in $VISUAL, $EDITOR or vi, then check it'),
        @('darkai config', 'path', 'command', 'Print where config.toml is'),
        @('darkai config', 'trust', 'command', 'Trust a project''s .darkai.toml as it is now'),
        @('darkai config', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai config', '-h', 'switch', 'Show this message and exit'),
        @('darkai config', '--help', 'switch', 'Show this message and exit'),
        @('darkai config show', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai config show', '-h', 'switch', 'Show this message and exit'),
        @('darkai config show', '--help', 'switch', 'Show this message and exit'),
        @('darkai config get', '-h', 'switch', 'Show this message and exit'),
        @('darkai config get', '--help', 'switch', 'Show this message and exit'),
        @('darkai config get', '1', 'words provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown', 'key'),
        @('darkai config set', '-h', 'switch', 'Show this message and exit'),
        @('darkai config set', '--help', 'switch', 'Show this message and exit'),
        @('darkai config set', '1', 'words provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown', 'key'),
        @('darkai config set', '2', 'text', 'value'),
        @('darkai config unset', '-h', 'switch', 'Show this message and exit'),
        @('darkai config unset', '--help', 'switch', 'Show this message and exit'),
        @('darkai config unset', '1', 'words provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown', 'key'),
        @('darkai config edit', '-h', 'switch', 'Show this message and exit'),
        @('darkai config edit', '--help', 'switch', 'Show this message and exit'),
        @('darkai config path', '-h', 'switch', 'Show this message and exit'),
        @('darkai config path', '--help', 'switch', 'Show this message and exit'),
        @('darkai config trust', '-h', 'switch', 'Show this message and exit'),
        @('darkai config trust', '--help', 'switch', 'Show this message and exit'),
        @('darkai config trust', '1', 'file', 'file'),
        @('darkai keys', 'set', 'command', 'Store a provider''s API key, entered without echo or read from stdin'),
        @('darkai keys', 'list', 'command', 'List keys and where they come from; `*` marks those in use'),
        @('darkai keys', 'rm', 'command', 'Remove a provider''s stored key'),
        @('darkai keys', 'path', 'command', 'Print where keys.toml is'),
        @('darkai keys', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai keys', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys set', '--keyring', 'switch', 'Store it in the system''s keyring, not in keys.toml'),
        @('darkai keys set', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys set', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys set', '1', 'provider', 'provider'),
        @('darkai keys list', '--json', 'switch', 'Print one JSON object per line'),
        @('darkai keys list', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys list', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys rm', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys rm', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys rm', '1', 'provider', 'provider'),
        @('darkai keys path', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys path', '--help', 'switch', 'Show this message and exit'),
        @('darkai replay', '--speed', 'text', 'Play N times as fast'),
        @('darkai replay', '--instant', 'switch', 'Play without pauses'),
        @('darkai replay', '--raw', 'switch', 'Print plain text, even on a terminal'),
        @('darkai replay', '--json', 'switch', 'Print events, one JSON object per line'),
        @('darkai replay', '-x', 'switch', 'Print only the first fenced code block'),
        @('darkai replay', '--extract', 'switch', 'Print only the first fenced code block'),
        @('darkai replay', '--output', 'file', 'Write the reply to FILE when it is complete'),
        @('darkai replay', '--no-stream', 'switch', 'Print the whole reply at the end'),
        @('darkai replay', '--plain', 'switch', 'Don''t redraw or move the cursor on a terminal'),
        @('darkai replay', '--reasoning', 'words show fold hide', 'How to show the model''s reasoning (default on a terminal: fold)'),
        @('darkai replay', '-q', 'switch', 'Print only errors, no notices'),
        @('darkai replay', '--quiet', 'switch', 'Print only errors, no notices'),
        @('darkai replay', '-v', 'switch', 'Print model, tokens and times on stderr'),
        @('darkai replay', '--verbose', 'switch', 'Print model, tokens and times on stderr'),
        @('darkai replay', '-h', 'switch', 'Show this message and exit'),
        @('darkai replay', '--help', 'switch', 'Show this message and exit'),
        @('darkai replay', '1', 'file', 'file'),
        @('darkai doctor', '--deep', 'switch', 'Also send each a prompt, which may cost money, and read all of the history'),
        @('darkai doctor', '--json', 'switch', 'Print one JSON object'),
        @('darkai doctor', '-h', 'switch', 'Show this message and exit'),
        @('darkai doctor', '--help', 'switch', 'Show this message and exit'),
        @('darkai doctor', '*', 'provider', 'provider'),
        @('darkai completions', '-h', 'switch', 'Show this message and exit'),
        @('darkai completions', '--help', 'switch', 'Show this message and exit'),
        @('darkai completions', '1', 'words bash zsh fish powershell', 'shell')
    )

    $path = 'darkai'
    $position = 1
    $expected = ''
    $ended = $false
    $elements = @($commandAst.CommandElements)
    for ($index = 1; $index -lt $elements.Count; $index++) {
        if ($elements[$index].Extent.EndOffset -ge $cursorPosition) {
            break
        }
        $word = $elements[$index].Extent.Text
        $kind = ''
        foreach ($row in $rows) {
            if ($row[0] -ceq $path -and $row[1] -ceq $word) {
                $kind = $row[2]
            }
        }
        if ($expected -ne '') {
            $expected = ''
        } elseif (-not $ended -and $word -ceq '--') {
            $ended = $true
        } elseif (-not $ended -and $word.Length -gt 1 -and $word[0] -eq '-') {
            if ($kind -ne 'switch') {
                $expected = $kind
            }
        } elseif ($position -eq 1 -and $kind -ceq 'command') {
            $path = "$path $word"
        } else {
            $position = $position + 1
        }
    }

    $given = ''
    $typed = "$wordToComplete".Trim([char]39, [char]34)
    $isOption = $expected -eq '' -and -not $ended -and $typed.Length -gt 0 -and $typed[0] -eq '-'
    $wanted = "$position"
    if ($isOption -and $typed.Contains('=')) {
        $wanted = $typed.Substring(0, $typed.IndexOf('='))
        $given = "$wanted="
        $typed = $typed.Substring($given.Length)
        $isOption = $false
    }
    $offers = @()
    foreach ($row in $rows) {
        if ($expected -ne '' -or $row[0] -cne $path) {
            continue
        }
        if ($isOption) {
            if ($row[1][0] -eq '-') {
                $offers += , @($row[1], $row[3])
            }
        } elseif ($row[1] -ceq $wanted -or ($row[1] -ceq '*' -and $given -eq '')) {
            $expected = $row[2]
        } elseif ($position -eq 1 -and $given -eq '' -and -not $ended -and $row[2] -ceq 'command') {
            $offers += , @($row[1], $row[3])
        }
    }
    $names = @()
    if ($expected -ceq 'model' -or $expected -ceq 'provider') {
        if (Get-Command 'darkai' -ErrorAction SilentlyContinue) {
            $code = $global:LASTEXITCODE
            $names = @(& 'darkai' 'completions' '--names' "${expected}s" 2>$null)
            $global:LASTEXITCODE = $code
        }
    } elseif ($expected.StartsWith('words ')) {
        $names = $expected.Substring(6).Split(' ')
    }
    foreach ($name in $names) {
        $offers += , @($name, $name)
    }

    foreach ($offer in $offers) {
        $name = $offer[0]
        if (-not $name.StartsWith($typed, [System.StringComparison]::Ordinal)) {
            continue
        }
        $text = "$given$name"
        if ($text -cnotmatch '\A[A-Za-z0-9_-][A-Za-z0-9_./:+=-]*\z') {
            $safe = [System.Management.Automation.Language.CodeGeneration]
            $text = "'" + $safe::EscapeSingleQuotedStringContent($text) + "'"
        }
        $result = [System.Management.Automation.CompletionResult]
        $result::new($text, $name, 'ParameterValue', $offer[1])
    }
}
