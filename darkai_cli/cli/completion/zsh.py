"""The completion script for zsh.

Strategy: one function per command, each a call of ``_arguments``, which does the reading;
``compadd`` quotes what is inserted.
"""

from __future__ import annotations

from darkai_cli.cli.completion.spec import (
    CompletionCommand,
    CompletionOption,
    CompletionValue,
    fill,
    indent,
    posix_quote,
    walk,
)

_SCRIPT = r"""#compdef darkai
# zsh completion for darkai. Made by `darkai completions zsh`; do not edit.

_darkai_names() {
    local what=$1
    shift
    local -a names
    names=(${(f)"$(command darkai completions --names $what 2>/dev/null </dev/null)"})
    compadd "$@" -a -- names
}

_darkai_models() { _darkai_names models "$@" }

_darkai_providers() { _darkai_names providers "$@" }

<<functions>>

if [[ $funcstack[1] == _darkai ]]; then
    _darkai "$@"
else
    compdef _darkai darkai
fi
"""

_GROUP = r"""<<name>>() {
    local curcontext=$curcontext context state state_descr ret=1
    local -a line
    local -A opt_args
    _arguments -s -S -C \
<<specs>>
        '1: :->command' \
        '*:: :->rest' && ret=0
    case $state in
        command)
            local -a commands
            commands=(
<<commands>>
            )
            _describe -t commands command commands && ret=0
            ;;
        rest)
            case $line[1] in
<<cases>>
            esac
            ;;
    esac
    return ret
}"""

_ACTIONS = {
    "text": "()",  # not " ": its message keeps an option that fits from being completed
    "file": "_files",
    "folder": "_files -/",
    "model": "_darkai_models",
    "provider": "_darkai_providers",
}


def script(root: CompletionCommand) -> str:
    """Return the script for the commands below ``root``."""
    functions = [_function(command) for command in walk(root)]
    return fill(_SCRIPT, functions="\n\n".join(functions))


def _function(command: CompletionCommand) -> str:
    name = _name(command)
    specs = [_option(option) for option in command.options]
    if command.commands:
        described = [f"{inner.path[-1]}:{_text(inner.help)}" for inner in command.commands]
        cases = [f"{inner.path[-1]}) {_name(inner)} && ret=0 ;;" for inner in command.commands]
        return fill(
            _GROUP,
            name=name,
            specs=indent(8, [f"{spec} \\" for spec in specs]),
            commands=indent(16, map(posix_quote, described)),
            cases=indent(16, cases),
        )
    specs += [posix_quote(f":{_value(value)}") for value in command.arguments]
    if command.rest is not None:
        specs.append(posix_quote(f"*:{_value(command.rest)}"))
    lines = " \\\n".join(f"        {spec}" for spec in specs)
    return f"{name}() {{\n    _arguments -s -S \\\n{lines}\n}}"


def _name(command: CompletionCommand) -> str:
    # With one underscore, `darkai models` would have the name of the function for model names.
    return "_" + "__".join(command.path)


def _option(option: CompletionOption) -> str:
    names = option.names
    after = f"[{_text(option.help)}]"
    if option.value is not None:
        names = tuple(name + ("=" if name.startswith("--") else "+") for name in names)
        after += f":{_value(option.value)}"
    if option.repeatable:
        before = "*"
    elif "--help" in option.names:
        before = "(- : *)"
    else:
        before = f"({' '.join(option.names)})" if len(names) > 1 else ""
    if len(names) > 1:
        return f"{posix_quote(before)}{{{','.join(names)}}}{posix_quote(after)}"
    return posix_quote(before + names[0] + after)


def _value(value: CompletionValue) -> str:
    action = f"({' '.join(value.words)})" if value.words else _ACTIONS[value.kind]
    return f"{_text(value.label)}:{action}"


def _text(text: str) -> str:
    """Return text with what has a meaning in a specification escaped."""
    for char in "\\[]:":
        text = text.replace(char, "\\" + char)
    return text
