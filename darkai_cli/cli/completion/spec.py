"""The command line as plain data, for the modules that write completion scripts.

The tree is read from Typer's commands, so that a new command is completed without a word here. What
an option or argument takes follows from its type and its metavar: FILE is a file, ``bash|zsh`` a
choice of words, MODEL and ``--model`` are models.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ValueKind = Literal["text", "file", "folder", "model", "provider", "words"]

_KINDS: dict[str, ValueKind] = {
    "--model": "model",
    "--provider": "provider",
    "MODEL": "model",
    "PROVIDER": "provider",
    "FILE": "file",
    "PATH": "file",
    "FOLDER": "folder",
    "DIR": "folder",
}


class CompletionValue(NamedTuple):
    """What an option or argument takes. ``label``: its name in the help."""

    label: str
    kind: ValueKind
    words: tuple[str, ...] = ()


class CompletionOption(NamedTuple):
    """An option; ``value`` is None for a switch."""

    names: tuple[str, ...]
    help: str
    value: CompletionValue | None
    repeatable: bool


class CompletionCommand(NamedTuple):
    """A command. ``rest``: what all further arguments are, if their number is not limited."""

    path: tuple[str, ...]
    help: str
    options: tuple[CompletionOption, ...]
    arguments: tuple[CompletionValue, ...]
    rest: CompletionValue | None
    commands: tuple[CompletionCommand, ...]


def tree(root: Any) -> CompletionCommand:
    """Return a Typer command and all commands below it as plain data."""
    return _command(root, None, ("darkai",))


def walk(command: CompletionCommand) -> Iterator[CompletionCommand]:
    """Yield a command, then all commands below it."""
    yield command
    for inner in command.commands:
        yield from walk(inner)


def values(command: CompletionCommand) -> Iterator[tuple[list[str], CompletionValue]]:
    """Yield what each option and argument takes, with its names: ``ask --model``, ``rm 1``."""
    path = " ".join(command.path)
    for option in command.options:
        if option.value is not None:
            yield [f"{path} {name}" for name in option.names], option.value
    for number, value in enumerate(command.arguments, 1):
        yield [f"{path} {number}"], value


def value_text(value: CompletionValue) -> str:
    """Return what is expected as one text: ``file``, or ``words a b``."""
    return " ".join((value.kind, *value.words))


def fill(template: str, **parts: str) -> str:
    """Return the template with each ``<<name>>`` replaced."""
    for name, part in parts.items():
        template = template.replace(f"<<{name}>>", part)
    return template


def indent(width: int, lines: Iterable[str]) -> str:
    """Return the lines as one text, each behind ``width`` blanks."""
    return "\n".join(" " * width + line for line in lines)


def posix_quote(text: str) -> str:
    """Return the text as one word for bash and zsh."""
    return "'" + text.replace("'", r"'\''") + "'"


def _command(command: Any, parent: Any, path: tuple[str, ...]) -> CompletionCommand:
    context = command.make_context(path[-1], [], parent=parent, resilient_parsing=True)
    default = getattr(command, "default", None)
    # A group with a default command takes that command's options.
    target = command if default is None else command.get_command(context, default)
    parameters = [row for row in target.get_params(context) if not row.hidden]
    options = [row for row in parameters if row.param_type_name == "option"]
    arguments = [row for row in parameters if row.param_type_name == "argument"]
    rest = next((argument for argument in arguments if argument.nargs == -1), None)
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()
    inner = [(name, command.get_command(context, name)) for name in names]
    return CompletionCommand(
        path,
        _first_sentence(command.help),
        tuple(map(_option, options)),
        tuple(_value(argument, path) for argument in arguments if argument is not rest),
        None if rest is None else _value(rest, path),
        tuple(_command(child, context, (*path, name)) for name, child in inner if not child.hidden),
    )


def _option(option: Any) -> CompletionOption:
    is_switch = option.is_flag or option.count
    return CompletionOption(
        tuple(sorted((*option.opts, *option.secondary_opts), key=len)),
        _first_sentence(option.help),
        None if is_switch else _value(option, ()),
        bool(option.multiple or option.count),
    )


def _value(parameter: Any, path: tuple[str, ...]) -> CompletionValue:
    label = (parameter.metavar or parameter.name).replace("[", "").replace("]", "").rstrip(".")
    parts = label.split("|")
    choices = tuple(getattr(parameter.type, "choices", ()))
    if not choices and len(parts) > 1 and label.islower():
        choices = tuple(parts)
    if not choices and label == "KEY" and path[1:2] == ("config",):
        from darkai_cli.config import schema

        choices = tuple(schema.KEYS)
    if choices:
        return CompletionValue(parameter.name, "words", choices)
    known = (_KINDS[name] for name in (*parameter.opts, *parts) if name in _KINDS)
    return CompletionValue(label.lower(), next(known, "text"))


def _first_sentence(text: str | None) -> str:
    """Return the first sentence of a help without its full stop."""
    line = " ".join((text or "").split())
    return line.partition(". ")[0].rstrip(".")
