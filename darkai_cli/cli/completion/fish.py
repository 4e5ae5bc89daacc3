"""The completion script for fish.

Strategy: one ``complete`` line for each subcommand, option and argument, with the condition that
the cursor is at their command; fish quotes what is inserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from darkai_cli.cli.completion.spec import CompletionCommand, CompletionValue, fill, values, walk

_SCRIPT = r"""# fish completion for darkai. Made by `darkai completions fish`; do not edit.

function __darkai_is_command
    switch "$argv"
        case <<commands>>
            return 0
    end
    return 1
end

function __darkai_takes_value
    switch "$argv"
        case <<valued>>
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
<<lines>>
"""


def script(root: CompletionCommand) -> str:
    """Return the script for the commands below ``root``."""
    commands = list(walk(root))
    with_value = [name for command in commands for names, _ in values(command) for name in names]
    return fill(
        _SCRIPT,
        commands=_case(" ".join(command.path) for command in commands[1:]),
        valued=_case(name for name in with_value if name.rpartition(" ")[2].startswith("-")),
        lines="\n".join(line for command in commands for line in _lines(command)),
    )


def _case(patterns: Iterable[str]) -> str:
    return " \\\n            ".join(map(_quoted, patterns))


def _lines(command: CompletionCommand) -> Iterator[str]:
    at = f"__darkai_at {_quoted(' '.join(command.path))}"
    for inner in command.commands:
        name, description = inner.path[-1], _quoted(inner.help)
        yield f"complete -c darkai -n {_quoted(at + ' 1')} -a {name} -d {description}"
    for option in command.options:
        names = " ".join(
            f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
        )
        value = f" {_value(option.value)}" if option.value is not None else ""
        description = _quoted(option.help)
        yield f"complete -c darkai -n {_quoted(at)} {names}{value} -d {description}"
    places = [(f"{at} {number}", value) for number, value in enumerate(command.arguments, 1)]
    if command.rest is not None:
        places.append((at, command.rest))
    for place, expected in places:
        if expected.kind != "text":
            what = _value(expected).removeprefix("-x ").removeprefix("-r ")
            yield f"complete -c darkai -n {_quoted(place)} {what}"


def _value(value: CompletionValue) -> str:
    if value.words:
        return f"-x -a {_quoted(' '.join(value.words))}"
    return {
        "text": "-x",
        "file": "-r -F",
        "folder": "-x -a '(__fish_complete_directories)'",
        "model": "-x -a '(__darkai_names models)'",
        "provider": "-x -a '(__darkai_names providers)'",
    }[value.kind]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
