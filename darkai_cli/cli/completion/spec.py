"""The command line as plain rows: what the completion scripts know about it.

Not the scripts (``completion_scripts``), not the names of models (``completions``). Strategy: walk
Typer's command tree from its root, so that a command that joins the table of commands is completed
without a word here. What an option or argument takes is read from its type and its metavar: FILE
is a file, ``bash|zsh`` is a choice of words, MODEL and ``--model`` are models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from darkai_cli.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["text", "file", "folder", "model", "provider", "words"]

_KINDS: dict[str, Kind] = {
    "--model": "model",
    "--provider": "provider",
    "MODEL": "model",
    "PROVIDER": "provider",
    "FILE": "file",
    "PATH": "file",
    "FOLDER": "folder",
    "DIR": "folder",
}


class Value(NamedTuple):
    """What an option or argument takes. ``label``: what the help calls it."""

    label: str
    kind: Kind
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """An option; ``value`` is None for a switch."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    repeatable: bool


class Command(NamedTuple):
    """A command. ``rest``: what its further arguments are, if it takes any number of them."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Value, ...]
    rest: Value | None
    commands: tuple[Command, ...]


def tree(root: Any) -> Command:
    """The rows of a Typer command and of all below it."""
    return _command(root, None, ("darkai",))


def walk(command: Command) -> Iterator[Command]:
    """A command, then all below it."""
    yield command
    for inner in command.commands:
        yield from walk(inner)


def followed(command: Command) -> Iterator[tuple[list[str], Value]]:
    """Each option with a value and each argument, as ``command name``, with what it takes."""
    path = " ".join(command.path)
    for option in command.options:
        if option.value is not None:
            yield [f"{path} {name}" for name in option.names], option.value
    for number, value in enumerate(command.arguments, 1):
        yield [f"{path} {number}"], value


def spec(value: Value) -> str:
    """What is expected, in one text: ``file``, or ``words a b``."""
    return " ".join((value.kind, *value.words))


def _command(command: Any, parent: Any, path: tuple[str, ...]) -> Command:
    context = command.make_context(path[-1], [], parent=parent, resilient_parsing=True)
    found = [
        parameter
        for parameter in command.get_params(context)
        if not getattr(parameter, "hidden", False)
    ]
    arguments = [one for one in found if one.param_type_name == "argument"]
    rest = next((one for one in arguments if one.nargs == -1), None)
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()
    inner = [(name, command.get_command(context, name)) for name in names]
    return Command(
        path,
        _sentence(command.help),
        tuple(_option(one) for one in found if one.param_type_name == "option"),
        tuple(_value(one, path) for one in arguments if one is not rest),
        None if rest is None else _value(rest, path),
        tuple(_command(one, context, (*path, name)) for name, one in inner if not one.hidden),
    )


def _option(option: Any) -> Option:
    switch = option.is_flag or option.count
    return Option(
        tuple(sorted((*option.opts, *option.secondary_opts), key=len)),
        _sentence(option.help),
        None if switch else _value(option, ()),
        bool(option.multiple or option.count),
    )


def _value(parameter: Any, path: tuple[str, ...]) -> Value:
    label = (parameter.metavar or parameter.name).replace("[", "").replace("]", "").rstrip(".")
    parts = label.split("|")
    choices = tuple(getattr(parameter.type, "choices", ()))
    if not choices and len(parts) > 1 and label.islower():
        choices = tuple(parts)
    if not choices and label == "KEY" and path[1:2] == ("config",):
        from darkai_cli.config import schema

        choices = tuple(schema.KEYS)
    if choices:
        return Value(parameter.name, "words", choices)
    known = (_KINDS[name] for name in (*parameter.opts, *parts) if name in _KINDS)
    return Value(label.lower(), next(known, "text"))


def _sentence(text: str | None) -> str:
    """The first sentence of a help, without its full stop."""
    line = one_line(text or "")
    return line.partition(". ")[0].rstrip(".")
