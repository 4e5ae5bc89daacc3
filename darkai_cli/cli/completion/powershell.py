"""The completion script for PowerShell, from 5.1 on.

Strategy: one table of rows and a plain loop over the words before the cursor, in constructs that
every version reads alike. PowerShell replaces the whole word, so a name is quoted as a whole.
"""

from __future__ import annotations

from darkai_cli.cli.completion.spec import CompletionCommand, fill, value_text, walk

_SCRIPT = r"""# PowerShell completion for darkai.
# Made by `darkai completions powershell`; do not edit.
#
# Written for PowerShell 5.1 and later. Where nothing is offered, PowerShell completes file names.

Register-ArgumentCompleter -Native -CommandName 'darkai' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Each row: a command; its subcommand, option or the number of its argument; what that is or
    # takes; its help. The argument `*` is any further one.
    $rows = @(
<<rows>>
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
"""


def script(root: CompletionCommand) -> str:
    """Return the script for the commands below ``root``."""
    rows: list[tuple[str, str, str, str]] = []
    for command in walk(root):
        path = " ".join(command.path)
        rows += [(path, inner.path[-1], "command", inner.help) for inner in command.commands]
        for option in command.options:
            kind = "switch" if option.value is None else value_text(option.value)
            rows += [(path, name, kind, option.help) for name in option.names]
        for number, value in enumerate(command.arguments, 1):
            rows.append((path, str(number), value_text(value), value.label))
        if command.rest is not None:
            rows.append((path, "*", value_text(command.rest), command.rest.label))
    # PowerShell takes an empty description for an error.
    lines = [
        f"@({', '.join(map(_quoted, (path, name, kind, description or name)))})"
        for path, name, kind, description in rows
    ]
    return fill(_SCRIPT, rows=",\n".join(f"        {line}" for line in lines))


def _quoted(text: str) -> str:
    """Return the text quoted and in ASCII.

    PowerShell 5.1 reads a script in the system's code page, and takes curly quotes for quotes.
    """
    return "'" + text.encode("ascii", "replace").decode().replace("'", "''") + "'"
