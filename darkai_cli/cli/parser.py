"""What a command declares of its line, and how an ordinary line is read: without Typer.

A command is a function whose parameters are annotated with ``Option`` or ``Argument``:

    Model = Annotated[str | None, Option("--model", "-m", metavar="NAME", help="...")]

    def ask(model: Model = None) -> int: ...

Typer reads the same declaration (``tree``): it writes the help, completes, and explains what is
wrong with a line. It takes as long to import as a fifth of what passes until a request is sent
(docs/decisions), so ``read`` takes the lines that need none of that. It knows the usual rules of
options, and one more: in any doubt the line is not ours, and Typer's reading counts. So a line
is never understood in two ways; a test holds the two readings beside each other.

The annotations have to be values: a module that declares a command does not import them from
``__future__``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Option:
    """An option: its flags, such as ``--model`` and ``-m``, and what the help says of it."""

    def __init__(self, *flags: str, help: str, metavar: str | None = None) -> None:  # noqa: A002 -- as Typer has it
        self.flags = flags
        self.help = help
        self.metavar = metavar


class Argument:
    """The words of a line that belong to no option."""

    def __init__(self, *, metavar: str, help: str) -> None:  # noqa: A002 -- likewise
        self.metavar = metavar
        self.help = help


class Command(NamedTuple):
    """A function that is a command, and the line that its help begins with."""

    function: Callable[..., int]
    help: str


_WORDS = list[str] | None
_CONVERT: dict[object, Callable[[str], Any]] = {
    str | None: str,
    _WORDS: str,
    float | None: float,
    float: float,
    int | None: int,
}
"""The kinds of options that have a value; a ``bool`` has none."""


class _Line:
    """What has been read so far of a line, for one function."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.given: dict[str, Any] = {}
        self._flags: dict[str, tuple[str, object]] = {}
        self._words: tuple[str, object] | None = None
        """The parameter that takes the words, and its kind."""
        defaults = function.__defaults__ or ()
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        self.given.update(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        for name in names:
            annotation = function.__annotations__[name]
            declared, kind = annotation.__metadata__[0], annotation.__origin__
            if isinstance(declared, Argument):
                self._words = (name, kind)
            else:
                self._flags.update(dict.fromkeys(declared.flags, (name, kind)))

    def takes_value(self, flag: str) -> bool:
        """Whether a value follows this flag. Raises ``KeyError`` if nobody declared it."""
        return self._flags[flag][1] is not bool

    def put(self, flag: str, value: str = "") -> None:
        """An option with its value. Raises ``ValueError`` if that is not of its kind."""
        name, kind = self._flags[flag]
        if kind is bool:
            self.given[name] = True
        elif kind == _WORDS:
            self.given[name] = [*(self.given[name] or ()), value]
        else:
            self.given[name] = _CONVERT[kind](value)

    def put_words(self, words: list[str]) -> None:
        """The words. Raises ``ValueError`` if the command takes fewer, or wants one."""
        name, kind = self._words or ("", None)
        if kind == _WORDS:
            self.given[name] = words or None
        elif len(words) > (kind is not None) or (kind is str and not words):
            raise ValueError
        elif words:
            self.given[name] = words[0]


def read(function: Callable[..., int], args: Sequence[str]) -> dict[str, Any] | None:
    """The keyword arguments that a line stands for; None if Typer has to look at it."""
    try:
        return _read(_Line(function), args)
    except (LookupError, ValueError):  # an unknown option, a missing value, no number: or `--help`
        return None


def _read(line: _Line, args: Sequence[str]) -> dict[str, Any]:
    words: list[str] = []
    left = list(reversed(args))
    while left:
        arg = left.pop()
        if arg == "--":
            words += reversed(left)
            break
        if arg.startswith("--"):
            flag, sign, value = arg.partition("=")
            if not line.takes_value(flag):
                if sign:
                    raise ValueError
                line.put(flag)
            else:
                line.put(flag, value if sign else left.pop())
        elif len(arg) > 1 and arg.startswith("-"):
            _read_short(line, arg, left)
        else:
            words.append(arg)
    line.put_words(words)
    return line.given


def _read_short(line: _Line, arg: str, left: list[str]) -> None:
    """One-letter options in one argument, such as ``-qv``, ``-m NAME`` or ``-mNAME``."""
    for place in range(1, len(arg)):
        flag = f"-{arg[place]}"
        if line.takes_value(flag):
            line.put(flag, arg[place + 1 :] or left.pop())
            return
        line.put(flag)
