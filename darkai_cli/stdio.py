"""The process's own streams: what they are, and the only place that touches ``sys.std*``.

Whether a stream is a terminal, how wide it is, whether color is wanted; reading standard input by
the rules of a good pipe citizen; writing so that each piece is out at once. Nothing is looked up at
import time.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
from collections.abc import Callable, Mapping
from typing import BinaryIO, TextIO

from darkai_cli.errors import InputError
from darkai_cli.secrets import mask_known
from darkai_cli.text import file_size

MAX_INPUT = 16 * 1024 * 1024
"""The most bytes that are read from stdin."""
_PIECE = 256 * 1024

WAIT_BEFORE_TELLING = 2.0
"""Seconds of silence on a piped stdin after which the user is told that darkai waits for it."""


def environ() -> Mapping[str, str]:
    """The process environment."""
    return os.environ


def stdout() -> TextIO:
    """Standard output. Raises ``InputError`` if it is closed."""
    if sys.stdout is None:
        raise InputError("stdout is closed", hint="redirect it: `> FILE` or `> /dev/null`")
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.encoding.lower() != "utf-8":
        if is_terminal(out):
            out.reconfigure(errors="replace")  # a terminal shows what it can
        else:
            out.reconfigure(encoding="utf-8", errors="strict")  # pipes get UTF-8 everywhere
    return out


def stderr() -> TextIO:
    """Standard error."""
    return sys.stderr


def stdin() -> TextIO:
    """Standard input."""
    return sys.stdin


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal; False for a closed one."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows behind ``stream``; ``COLUMNS`` and ``LINES`` win; 80 by 24 if unknown."""
    columns, lines = (_positive(name) for name in ("COLUMNS", "LINES"))
    if columns and lines:
        return columns, lines
    try:
        found = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return columns or 80, lines or 24
    return columns or found.columns or 80, lines or found.lines or 24


def _positive(name: str) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0


def is_dumb() -> bool:
    """Whether the terminal can do nothing but print."""
    return os.environ.get("TERM", "") in ("dumb", "unknown")


def use_color(stream: TextIO) -> bool:
    """Whether to color what goes to ``stream``: a terminal, without ``NO_COLOR``.

    ``FORCE_COLOR`` gives color on stderr even when it is no terminal, never on stdout.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if stream is sys.stderr and os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return is_terminal(stream) and not is_dumb()


def reopen_tty() -> TextIO:
    """Standard input as the terminal's keyboard: what was piped in has been read.

    Where stdin is no terminal, it becomes the one that the process runs on, for whoever asks or
    reads later, also in a child. Raises ``InputError`` where there is none.
    """
    if is_terminal(sys.stdin):
        return sys.stdin
    handle = _terminal()
    if sys.stdin is None or handle is None:
        if handle is not None:
            os.close(handle)
        raise InputError(
            "`chat` needs a keyboard, and there is no terminal",
            hint="`darkai ask` answers one question, also in a pipe",
        )
    os.dup2(handle, sys.stdin.fileno())
    os.close(handle)
    return sys.stdin


def _terminal() -> int | None:
    """The terminal that the process runs on, opened; None if there is none."""
    names = ["/dev/tty"]
    if sys.platform == "darwin":  # whose event loop cannot wait for /dev/tty
        with contextlib.suppress(OSError):
            names.insert(0, os.ttyname(1))
    for name in names:
        with contextlib.suppress(OSError):
            return os.open(name, os.O_RDWR | getattr(os, "O_NOCTTY", 0))
    return None


def has_input() -> bool:
    """Whether stdin is to be read: a pipe, a file or a socket; never a terminal or a device."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def read_input(on_wait: Callable[[], None] | None = None) -> str:
    """All of stdin as text: UTF-8, a leading byte order mark dropped, nothing else changed.

    ``on_wait`` is called once if nothing has come for two seconds. Raises ``InputError`` with the
    offset of bytes that are not UTF-8.
    """
    return decode(read_input_bytes(on_wait), "stdin")


def read_input_bytes(on_wait: Callable[[], None] | None = None) -> bytes:
    """The same, before it is taken for text."""
    raw = binary_stdin()
    if on_wait is not None and not _ready(WAIT_BEFORE_TELLING):
        on_wait()
    parts: list[bytes] = []
    size = 0
    try:
        while piece := raw.read(_PIECE):
            parts.append(piece)
            size += len(piece)
            if size > MAX_INPUT:
                raise InputError(
                    f"stdin holds more than {file_size(MAX_INPUT)}", hint="pipe in less: `| head`"
                )
    except OSError as exc:
        reason = exc.strerror or exc
        raise InputError(f"stdin cannot be read: {reason}") from exc
    return b"".join(parts)


def _ready(seconds: float) -> bool:
    try:
        return bool(select.select([0], [], [], seconds)[0])
    except (OSError, ValueError):
        return True


def decode(data: bytes, what: str) -> str:
    """``data`` as UTF-8 text without a leading byte order mark; ``what`` is named in the error."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise InputError(
            f"{what} is not UTF-8 text: invalid byte 0x{data[exc.start]:02x} at offset {exc.start}",
            hint="convert it, for example with `iconv -f latin1 -t utf-8`",
        ) from exc


def binary_stdout() -> BinaryIO:
    """Standard output for bytes. Raises ``InputError`` if it is closed."""
    return stdout().buffer


def binary_stdin() -> BinaryIO:
    """Standard input for bytes. Raises ``InputError`` if it is closed."""
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="name a file instead of `-`")
    return sys.stdin.buffer


def close_stdout(code: int) -> int:
    """Flush stdout at the end of a run that ends with ``code``; the code to exit with.

    A reader that has gone is no error. Afterwards nothing complains about stdout any more.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        pass
    except (OSError, ValueError) as exc:
        if code == 0:
            print_err(f"error: cannot write to stdout: {exc}")
            code = InputError.exit_code
    else:
        return code
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return code


def try_stdout(line: str) -> None:
    """One line on stdout, if that can be written at all."""
    try:
        stdout().write(line + "\n")
        stdout().flush()
    except (InputError, OSError, ValueError):
        return


def print_err(text: str) -> None:
    """One line on stderr, without any key. Nobody listening is no error."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(mask_known(text) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
