# PowerShell completion for darkai.
# Made by `darkai completions powershell`; do not edit.
#
# Written for PowerShell 5.1 and later. Where nothing is offered, PowerShell completes file names.

Register-ArgumentCompleter -Native -CommandName 'darkai' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Each row: a command; its subcommand, option or the number of its argument; what that is or
    # takes; its help. The argument `*` is any further one.
    $rows = @(
        @('darkai', 'ask', 'command', 'Ask one thing, get one streamed reply'),
        @('darkai', 'chat', 'command', 'Talk: an interactive session'),
        @('darkai', 'models', 'command', 'Which models there are, which is used, and other names for them'),
        @('darkai', 'history', 'command', 'Find, show, export and tidy saved conversations'),
        @('darkai', 'config', 'command', 'Show and change the configuration'),
        @('darkai', 'keys', 'command', 'Store, list and remove API keys'),
        @('darkai', 'replay', 'command', 'Play a recorded reply, at its own speed'),
        @('darkai', 'doctor', 'command', 'Check installation, network and providers; exit 0 if nothing is broken'),
        @('darkai', 'completions', 'command', 'Print the completion script for a shell'),
        @('darkai', '--version', 'switch', 'Print the version and exit'),
        @('darkai', '-h', 'switch', 'Show this message and exit'),
        @('darkai', '--help', 'switch', 'Show this message and exit'),
        @('darkai ask', '-m', 'model', 'Model: a name, an alias or provider/name'),
        @('darkai ask', '--model', 'model', 'Model: a name, an alias or provider/name'),
        @('darkai ask', '-p', 'provider', 'Provider, such as openai or ollama'),
        @('darkai ask', '--provider', 'provider', 'Provider, such as openai or ollama'),
        @('darkai ask', '-s', 'text', 'System prompt'),
        @('darkai ask', '--system', 'text', 'System prompt'),
        @('darkai ask', '-f', 'file', 'Text or image that goes along; `-` is stdin'),
        @('darkai ask', '--file', 'file', 'Text or image that goes along; `-` is stdin'),
        @('darkai ask', '-o', 'text', 'Option of the request, such as temperature=0.2'),
        @('darkai ask', '--option', 'text', 'Option of the request, such as temperature=0.2'),
        @('darkai ask', '-c', 'switch', 'Continue the latest conversation'),
        @('darkai ask', '--continue', 'switch', 'Continue the latest conversation'),
        @('darkai ask', '--conversation', 'text', 'Continue this one; any unique prefix'),
        @('darkai ask', '--resume', 'switch', 'Continue a reply that was cut, from where it stopped'),
        @('darkai ask', '--no-save', 'switch', 'Keep nothing of it in the history'),
        @('darkai ask', '--raw', 'switch', 'Plain text, even on a terminal'),
        @('darkai ask', '--json', 'switch', 'Events, one JSON object a line'),
        @('darkai ask', '-x', 'switch', 'Only the first fenced code block'),
        @('darkai ask', '--extract', 'switch', 'Only the first fenced code block'),
        @('darkai ask', '--output', 'file', 'Write the reply to FILE once it is complete'),
        @('darkai ask', '--no-stream', 'switch', 'Print once, at the end'),
        @('darkai ask', '--plain', 'switch', 'No redraw and no cursor movement on a terminal'),
        @('darkai ask', '--reasoning', 'words show fold hide', 'The model''s reasoning; fold on a terminal'),
        @('darkai ask', '--proxy', 'text', 'http://HOST:PORT or socks5://HOST:PORT; '''' for none'),
        @('darkai ask', '--timeout', 'text', 'Longest wait for the first text, and for more'),
        @('darkai ask', '--retries', 'text', 'How often to ask again before the first word'),
        @('darkai ask', '--max-wait', 'text', 'Longest wait for the next slot of a rate limit'),
        @('darkai ask', '--no-fallback', 'switch', 'Never let another provider answer'),
        @('darkai ask', '--no-stdin', 'switch', 'Do not read stdin'),
        @('darkai ask', '--record', 'file', 'Record the events with their times'),
        @('darkai ask', '--dry-run', 'switch', 'Print the request as JSON, send nothing'),
        @('darkai ask', '-q', 'switch', 'No notices, only errors'),
        @('darkai ask', '--quiet', 'switch', 'No notices, only errors'),
        @('darkai ask', '-v', 'switch', 'Model, tokens and times, on stderr'),
        @('darkai ask', '--verbose', 'switch', 'Model, tokens and times, on stderr'),
        @('darkai ask', '--debug', 'switch', 'Log request and response on stderr, and tracebacks'),
        @('darkai ask', '-h', 'switch', 'Show this message and exit'),
        @('darkai ask', '--help', 'switch', 'Show this message and exit'),
        @('darkai ask', '*', 'text', 'prompt'),
        @('darkai chat', '-m', 'model', 'Model: a name, an alias or provider/name'),
        @('darkai chat', '--model', 'model', 'Model: a name, an alias or provider/name'),
        @('darkai chat', '-p', 'provider', 'Provider, such as openai or ollama'),
        @('darkai chat', '--provider', 'provider', 'Provider, such as openai or ollama'),
        @('darkai chat', '-s', 'text', 'System prompt'),
        @('darkai chat', '--system', 'text', 'System prompt'),
        @('darkai chat', '-f', 'file', 'Text or image that goes along; `-` is stdin'),
        @('darkai chat', '--file', 'file', 'Text or image that goes along; `-` is stdin'),
        @('darkai chat', '-o', 'text', 'Option of the request, such as temperature=0.2'),
        @('darkai chat', '--option', 'text', 'Option of the request, such as temperature=0.2'),
        @('darkai chat', '-c', 'switch', 'Continue the latest conversation'),
        @('darkai chat', '--continue', 'switch', 'Continue the latest conversation'),
        @('darkai chat', '--conversation', 'text', 'Continue this one; any unique prefix'),
        @('darkai chat', '--no-save', 'switch', 'Keep nothing of it in the history'),
        @('darkai chat', '--plain', 'switch', 'No redraw and no cursor movement on a terminal'),
        @('darkai chat', '--reasoning', 'words show fold hide', 'The model''s reasoning; fold on a terminal'),
        @('darkai chat', '--proxy', 'text', 'http://HOST:PORT or socks5://HOST:PORT; '''' for none'),
        @('darkai chat', '--timeout', 'text', 'Longest wait for the first text, and for more'),
        @('darkai chat', '--retries', 'text', 'How often to ask again before the first word'),
        @('darkai chat', '--max-wait', 'text', 'Longest wait for the next slot of a rate limit'),
        @('darkai chat', '--no-fallback', 'switch', 'Never let another provider answer'),
        @('darkai chat', '-q', 'switch', 'No notices, only errors'),
        @('darkai chat', '--quiet', 'switch', 'No notices, only errors'),
        @('darkai chat', '-v', 'switch', 'Model, tokens and times, on stderr'),
        @('darkai chat', '--verbose', 'switch', 'Model, tokens and times, on stderr'),
        @('darkai chat', '--debug', 'switch', 'Log request and response on stderr, and tracebacks'),
        @('darkai chat', '-h', 'switch', 'Show this message and exit'),
        @('darkai chat', '--help', 'switch', 'Show this message and exit'),
        @('darkai chat', '*', 'text', 'prompt'),
        @('darkai models', 'list', 'command', 'All models of the configured providers; `*` marks the one in use'),
        @('darkai models', 'show', 'command', 'What is known of a model, and how it is reached'),
        @('darkai models', 'default', 'command', 'The model that is used where none is named; with MODEL, set it'),
        @('darkai models', 'alias', 'command', 'Other names for models: list them, or make one'),
        @('darkai models', '--json', 'switch', 'One JSON object a line'),
        @('darkai models', '--refresh', 'switch', 'Ask the services, not what was kept'),
        @('darkai models', '-p', 'provider', 'Only this provider''s'),
        @('darkai models', '--provider', 'provider', 'Only this provider''s'),
        @('darkai models', '-h', 'switch', 'Show this message and exit'),
        @('darkai models', '--help', 'switch', 'Show this message and exit'),
        @('darkai models list', '--json', 'switch', 'One JSON object a line'),
        @('darkai models list', '--refresh', 'switch', 'Ask the services, not what was kept'),
        @('darkai models list', '-p', 'provider', 'Only this provider''s'),
        @('darkai models list', '--provider', 'provider', 'Only this provider''s'),
        @('darkai models list', '-h', 'switch', 'Show this message and exit'),
        @('darkai models list', '--help', 'switch', 'Show this message and exit'),
        @('darkai models show', '--json', 'switch', 'One JSON object'),
        @('darkai models show', '--refresh', 'switch', 'Ask the services, not what was kept'),
        @('darkai models show', '-h', 'switch', 'Show this message and exit'),
        @('darkai models show', '--help', 'switch', 'Show this message and exit'),
        @('darkai models show', '1', 'model', 'model'),
        @('darkai models default', '-h', 'switch', 'Show this message and exit'),
        @('darkai models default', '--help', 'switch', 'Show this message and exit'),
        @('darkai models default', '1', 'model', 'model'),
        @('darkai models alias', '--rm', 'text', 'Remove one'),
        @('darkai models alias', '--json', 'switch', 'One JSON object a line'),
        @('darkai models alias', '-h', 'switch', 'Show this message and exit'),
        @('darkai models alias', '--help', 'switch', 'Show this message and exit'),
        @('darkai models alias', '1', 'text', 'alias'),
        @('darkai models alias', '2', 'model', 'model'),
        @('darkai history', 'list', 'command', 'The conversations, the latest first'),
        @('darkai history', 'show', 'command', 'A conversation'),
        @('darkai history', 'search', 'command', 'Messages with all these words'),
        @('darkai history', 'tree', 'command', 'A conversation with all its branches'),
        @('darkai history', 'diff', 'command', 'What differs between two replies or conversations'),
        @('darkai history', 'rename', 'command', 'Give a conversation another title'),
        @('darkai history', 'rm', 'command', 'Remove conversations'),
        @('darkai history', 'stats', 'command', 'How many turns and tokens, with which model, how fast'),
        @('darkai history', 'export', 'command', 'Write conversations as Markdown, JSON or HTML'),
        @('darkai history', 'import', 'command', 'Take conversations from a file'),
        @('darkai history', 'path', 'command', 'Where the history is'),
        @('darkai history', 'vacuum', 'command', 'Give the room of what was removed back to the disk'),
        @('darkai history', 'check', 'command', 'Look whether the database is whole'),
        @('darkai history', '--limit', 'text', 'At most so many'),
        @('darkai history', '--since', 'text', 'Not older: 2d, 3h, or a date'),
        @('darkai history', '-m', 'model', 'Whose latest reply is this model''s'),
        @('darkai history', '--model', 'model', 'Whose latest reply is this model''s'),
        @('darkai history', '--state', 'words streaming complete interrupted truncated failed', 'Whose latest reply ended so'),
        @('darkai history', '--json', 'switch', 'One JSON object a line'),
        @('darkai history', '-h', 'switch', 'Show this message and exit'),
        @('darkai history', '--help', 'switch', 'Show this message and exit'),
        @('darkai history list', '--limit', 'text', 'At most so many'),
        @('darkai history list', '--since', 'text', 'Not older: 2d, 3h, or a date'),
        @('darkai history list', '-m', 'model', 'Whose latest reply is this model''s'),
        @('darkai history list', '--model', 'model', 'Whose latest reply is this model''s'),
        @('darkai history list', '--state', 'words streaming complete interrupted truncated failed', 'Whose latest reply ended so'),
        @('darkai history list', '--json', 'switch', 'One JSON object a line'),
        @('darkai history list', '-h', 'switch', 'Show this message and exit'),
        @('darkai history list', '--help', 'switch', 'Show this message and exit'),
        @('darkai history show', '--turn', 'text', 'Only this turn; -1 is the last'),
        @('darkai history show', '--raw', 'switch', 'Markdown, even on a terminal'),
        @('darkai history show', '--reasoning', 'words show fold hide', 'The model''s reasoning; fold on a terminal'),
        @('darkai history show', '--json', 'switch', 'One JSON object'),
        @('darkai history show', '-h', 'switch', 'Show this message and exit'),
        @('darkai history show', '--help', 'switch', 'Show this message and exit'),
        @('darkai history show', '1', 'text', 'id'),
        @('darkai history search', '--limit', 'text', 'At most so many'),
        @('darkai history search', '--since', 'text', 'Not older: 2d, 3h, or a date'),
        @('darkai history search', '--json', 'switch', 'One JSON object a line'),
        @('darkai history search', '-h', 'switch', 'Show this message and exit'),
        @('darkai history search', '--help', 'switch', 'Show this message and exit'),
        @('darkai history search', '*', 'text', 'words'),
        @('darkai history tree', '-h', 'switch', 'Show this message and exit'),
        @('darkai history tree', '--help', 'switch', 'Show this message and exit'),
        @('darkai history tree', '1', 'text', 'id'),
        @('darkai history diff', '--branch', 'switch', 'All that was said up to there, not only the reply'),
        @('darkai history diff', '-h', 'switch', 'Show this message and exit'),
        @('darkai history diff', '--help', 'switch', 'Show this message and exit'),
        @('darkai history diff', '1', 'text', 'a'),
        @('darkai history diff', '2', 'text', 'b'),
        @('darkai history rename', '-h', 'switch', 'Show this message and exit'),
        @('darkai history rename', '--help', 'switch', 'Show this message and exit'),
        @('darkai history rename', '1', 'text', 'id'),
        @('darkai history rename', '*', 'text', 'title'),
        @('darkai history rm', '--older-than', 'text', 'All that are older: 90d, or a date'),
        @('darkai history rm', '-y', 'switch', 'Do not ask'),
        @('darkai history rm', '--yes', 'switch', 'Do not ask'),
        @('darkai history rm', '-h', 'switch', 'Show this message and exit'),
        @('darkai history rm', '--help', 'switch', 'Show this message and exit'),
        @('darkai history rm', '*', 'text', 'id'),
        @('darkai history stats', '--since', 'text', 'Not older: 30d, 1y, or a date'),
        @('darkai history stats', '--json', 'switch', 'One JSON object'),
        @('darkai history stats', '-h', 'switch', 'Show this message and exit'),
        @('darkai history stats', '--help', 'switch', 'Show this message and exit'),
        @('darkai history export', '--all', 'switch', 'All conversations'),
        @('darkai history export', '--format', 'words md json jsonl html', 'Otherwise by the name of FILE, or md'),
        @('darkai history export', '--output', 'file', 'Write to FILE, once it is complete'),
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
        @('darkai history check', '--repair', 'switch', 'Make the search index anew, from the messages'),
        @('darkai history check', '-h', 'switch', 'Show this message and exit'),
        @('darkai history check', '--help', 'switch', 'Show this message and exit'),
        @('darkai config', 'show', 'command', 'Each value and where it comes from'),
        @('darkai config', 'get', 'command', 'One value'),
        @('darkai config', 'set', 'command', 'Write a value to config.toml'),
        @('darkai config', 'unset', 'command', 'Remove a value from config.toml'),
        @('darkai config', 'edit', 'command', 'Open config.toml in $VISUAL, $EDITOR or vi, then check it'),
        @('darkai config', 'path', 'command', 'Where config.toml is'),
        @('darkai config', 'trust', 'command', 'Trust a project''s .darkai.toml as it is now'),
        @('darkai config', '--json', 'switch', 'One JSON object a line'),
        @('darkai config', '-h', 'switch', 'Show this message and exit'),
        @('darkai config', '--help', 'switch', 'Show this message and exit'),
        @('darkai config show', '--json', 'switch', 'One JSON object a line'),
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
        @('darkai keys', 'set', 'command', 'Store the key of a provider, typed unseen or from stdin'),
        @('darkai keys', 'list', 'command', 'Which providers have a key, and from where; `*` marks what is used'),
        @('darkai keys', 'rm', 'command', 'Remove the stored key of a provider'),
        @('darkai keys', 'path', 'command', 'Where keys.toml is'),
        @('darkai keys', '--json', 'switch', 'One JSON object a line'),
        @('darkai keys', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys set', '--keyring', 'switch', 'In the system''s keyring, not in keys.toml'),
        @('darkai keys set', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys set', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys set', '1', 'provider', 'provider'),
        @('darkai keys list', '--json', 'switch', 'One JSON object a line'),
        @('darkai keys list', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys list', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys rm', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys rm', '--help', 'switch', 'Show this message and exit'),
        @('darkai keys rm', '1', 'provider', 'provider'),
        @('darkai keys path', '-h', 'switch', 'Show this message and exit'),
        @('darkai keys path', '--help', 'switch', 'Show this message and exit'),
        @('darkai replay', '--speed', 'text', 'N times as fast'),
        @('darkai replay', '--instant', 'switch', 'Without pauses'),
        @('darkai replay', '--raw', 'switch', 'Plain text, even on a terminal'),
        @('darkai replay', '--json', 'switch', 'Events, one JSON object a line'),
        @('darkai replay', '-x', 'switch', 'Only the first fenced code block'),
        @('darkai replay', '--extract', 'switch', 'Only the first fenced code block'),
        @('darkai replay', '--output', 'file', 'Write the reply to FILE once it is complete'),
        @('darkai replay', '--no-stream', 'switch', 'Print once, at the end'),
        @('darkai replay', '--plain', 'switch', 'No redraw and no cursor movement on a terminal'),
        @('darkai replay', '--reasoning', 'words show fold hide', 'The model''s reasoning; fold on a terminal'),
        @('darkai replay', '-q', 'switch', 'No notices, only errors'),
        @('darkai replay', '--quiet', 'switch', 'No notices, only errors'),
        @('darkai replay', '-v', 'switch', 'Model, tokens and times, on stderr'),
        @('darkai replay', '--verbose', 'switch', 'Model, tokens and times, on stderr'),
        @('darkai replay', '-h', 'switch', 'Show this message and exit'),
        @('darkai replay', '--help', 'switch', 'Show this message and exit'),
        @('darkai replay', '1', 'file', 'file'),
        @('darkai doctor', '--deep', 'switch', 'Ask each a question too, which costs money; read all of the history'),
        @('darkai doctor', '--json', 'switch', 'One JSON object'),
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
