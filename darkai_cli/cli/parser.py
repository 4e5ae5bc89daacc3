"""Reads ordinary command lines without Typer, from the declarations that Typer reads too.

A command is a function whose parameters are annotated with ``Option`` or ``Argument``:

    Model = Annotated[str | None, Option("--model", "-m", metavar="NAME", help="...")]

    def ask(model: Model = None) -> int: ...

Importing Typer takes a fifth of the time until a request is sent (docs/decisions), so ``read``
handles the lines that do not need it. In any doubt (an unknown option, a missing value, ``--help``)
it gives up, and Typer writes the help or explains the error. A test runs both on the same lines.

The annotations have to be values, so a module that declares a command does not import
``annotations`` from ``__future__``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Option:
    """An option: its flags, such as ``--model`` and ``-m``, and its help."""

    def __init__(
        self,
        *flags: str,
        help: str,  # noqa: A002 -- Typer's name
        metavar: str | None = None,
        hidden: bool = False,
    ) -> None:
        self.flags = flags
        self.help = help
        self.metavar = metavar
        self.hidden = hidden


class Argument:
    """A positional argument: its name in the usage line, and its help."""

    def __init__(self, *, metavar: str, help: str) -> None:  # noqa: A002 -- Typer's name
        self.metavar = metavar
        self.help = help


class CommandSpec:
    """A function that is a command, its help, and some command lines as examples."""

    __slots__ = ("examples", "function", "help")

    def __init__(
        self,
        function: Callable[..., int],
        help: str,  # noqa: A002 -- Typer's name
        *examples: str,
    ) -> None:
        self.function = function
        self.help = help
        self.examples = examples


_TEXTS = list[str] | None
_CONVERT: dict[object, Callable[[str], Any]] = {
    str | None: str,
    _TEXTS: str,
    float | None: float,
    float: float,
    int | None: int,
}
"""The types of options that take a value; a ``bool`` takes none."""


class _LineReader:
    """Reads one line for one function; ``given`` has the values of its parameters so far."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.given: dict[str, Any] = {}
        self._flags: dict[str, tuple[str, object]] = {}
        self._argument: tuple[str, object] | None = None
        defaults = function.__defaults__ or ()
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        self.given.update(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        for name in names:
            annotation = function.__annotations__[name]
            declared, kind = annotation.__metadata__[0], annotation.__origin__
            if isinstance(declared, Argument):
                self._argument = (name, kind)
            else:
                self._flags.update(dict.fromkeys(declared.flags, (name, kind)))

    def read(self, args: Sequence[str]) -> None:
        """Read the whole line. Raises ``LookupError`` or ``ValueError`` in any doubt."""
        words: list[str] = []
        remaining = list(reversed(args))
        while remaining:
            arg = remaining.pop()
            if arg == "--":
                words += reversed(remaining)
                break
            if arg.startswith("--"):
                self._read_long(arg, remaining)
            elif len(arg) > 1 and arg.startswith("-"):
                self._read_short(arg, remaining)
            else:
                words.append(arg)
        self._put_words(words)

    def _read_long(self, arg: str, remaining: list[str]) -> None:
        """Read ``--raw``, ``--model NAME`` or ``--model=NAME``."""
        flag, sign, value = arg.partition("=")
        if self._takes_value(flag):
            self._put(flag, value if sign else remaining.pop())
        elif sign:
            raise ValueError
        else:
            self._put(flag)

    def _read_short(self, arg: str, remaining: list[str]) -> None:
        """Read one-letter options in one argument: ``-qv``, ``-m NAME`` or ``-mNAME``."""
        for place in range(1, len(arg)):
            flag = f"-{arg[place]}"
            if self._takes_value(flag):
                self._put(flag, arg[place + 1 :] or remaining.pop())
                return
            self._put(flag)

    def _takes_value(self, flag: str) -> bool:
        return self._flags[flag][1] is not bool

    def _put(self, flag: str, value: str = "") -> None:
        name, kind = self._flags[flag]
        if kind is bool:
            self.given[name] = True
        elif kind == _TEXTS:
            self.given[name] = [*(self.given[name] or ()), value]
        else:
            self.given[name] = _CONVERT[kind](value)

    def _put_words(self, words: list[str]) -> None:
        """Set the positional argument. Raises ``ValueError`` for too many words, or too few."""
        name, kind = self._argument or ("", None)
        if kind == _TEXTS:
            self.given[name] = words or None
        elif len(words) > (kind is not None) or (kind is str and not words):
            raise ValueError
        elif words:
            self.given[name] = words[0]


def read(function: Callable[..., int], args: Sequence[str]) -> dict[str, Any] | None:
    """Return the keyword arguments that a line stands for; None if Typer has to read it."""
    reader = _LineReader(function)
    try:
        reader.read(args)
    except (LookupError, ValueError):
        return None
    return reader.given
