"""The standard streams of the process: the only place that uses ``sys.std*``.

It says whether a stream is a terminal, how wide it is and whether to use color, reads standard
input and writes lines. Nothing is looked up when it is imported.
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

WAIT_NOTICE_DELAY = 2.0
"""Seconds without input on a piped stdin before the user is told that darkai waits for it."""


def environ() -> Mapping[str, str]:
    """Return the environment of the process."""
    return os.environ


def stdout() -> TextIO:
    """Return standard output. Raises ``InputError`` if it is closed."""
    if sys.stdout is None:
        raise InputError("stdout is closed", hint="Redirect it: `> FILE` or `> /dev/null`")
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and out.encoding.lower() != "utf-8":
        if is_terminal(out):
            out.reconfigure(errors="replace")
        else:  # pipes and files get UTF-8 everywhere
            out.reconfigure(encoding="utf-8", errors="strict")
    return out


def stderr() -> TextIO:
    """Return standard error."""
    return sys.stderr


def stdin() -> TextIO:
    """Return standard input."""
    return sys.stdin


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal; False for a closed one."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def size(stream: TextIO) -> tuple[int, int]:
    """Return columns and rows of the terminal ``stream``; 80 by 24 if they are unknown.

    The variables ``COLUMNS`` and ``LINES`` come first.
    """
    columns, lines = (_positive(name) for name in ("COLUMNS", "LINES"))
    if columns and lines:
        return columns, lines
    try:
        terminal = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return columns or 80, lines or 24
    return columns or terminal.columns or 80, lines or terminal.lines or 24


def _positive(name: str) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0


def is_dumb() -> bool:
    """Return whether the terminal can do nothing but print."""
    return os.environ.get("TERM", "") in ("dumb", "unknown")


def use_color(stream: TextIO) -> bool:
    """Return whether to use color on ``stream``: on a terminal, unless ``NO_COLOR`` is set.

    ``FORCE_COLOR`` gives color on stderr even if that is no terminal, but never on stdout.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if stream is sys.stderr and os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return is_terminal(stream) and not is_dumb()


def reopen_tty() -> TextIO:
    """Return stdin as the terminal's keyboard, after piped input has been read.

    If stdin is no terminal, it becomes the terminal that the process runs on, also for children.
    Raises ``InputError`` if there is none.
    """
    if is_terminal(sys.stdin):
        return sys.stdin
    handle = _open_terminal()
    if sys.stdin is None or handle is None:
        if handle is not None:
            os.close(handle)
        raise InputError(
            "`chat` needs a terminal",
            hint="`darkai ask` answers one question, also in a pipe",
        )
    os.dup2(handle, sys.stdin.fileno())
    os.close(handle)
    return sys.stdin


def _open_terminal() -> int | None:
    """Open the terminal that the process runs on; return None if there is none."""
    names = ["/dev/tty"]
    if sys.platform == "darwin":  # its event loop cannot wait for /dev/tty
        with contextlib.suppress(OSError):
            names.insert(0, os.ttyname(1))
    for name in names:
        with contextlib.suppress(OSError):
            return os.open(name, os.O_RDWR | getattr(os, "O_NOCTTY", 0))
    return None


def has_input() -> bool:
    """Return whether stdin has input: a pipe, a file or a socket, but no terminal or device."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def read_input(on_wait: Callable[[], None] | None = None) -> str:
    """Return all of stdin as text, without a leading byte order mark.

    ``on_wait`` is called once if nothing has come for two seconds. Raises ``InputError`` if it is
    not UTF-8, with the offset of the first bad byte.
    """
    return decode(read_input_bytes(on_wait), "stdin")


def read_input_bytes(on_wait: Callable[[], None] | None = None) -> bytes:
    """Return all of stdin. ``on_wait`` is called once if nothing has come for two seconds.

    Raises ``InputError`` if it cannot be read or is larger than ``MAX_INPUT``.
    """
    raw = binary_stdin()
    if on_wait is not None and not _ready(WAIT_NOTICE_DELAY):
        on_wait()
    parts: list[bytes] = []
    size = 0
    try:
        while piece := raw.read(_PIECE):
            parts.append(piece)
            size += len(piece)
            if size > MAX_INPUT:
                raise InputError(
                    f"stdin holds more than {file_size(MAX_INPUT)}", hint="Pipe in less: `| head`"
                )
    except OSError as exc:
        reason = exc.strerror or exc
        raise InputError(f"Can't read stdin: {reason}") from exc
    return b"".join(parts)


def _ready(seconds: float) -> bool:
    try:
        return bool(select.select([0], [], [], seconds)[0])
    except (OSError, ValueError):
        return True


def decode(data: bytes, what: str) -> str:
    """Return ``data`` as text, without a leading byte order mark.

    Raises ``InputError``, which names ``what``, if it is not UTF-8.
    """
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise InputError(
            f"{what} is not UTF-8 text: invalid byte 0x{data[exc.start]:02x} at offset {exc.start}",
            hint="Convert it, for example with `iconv -f latin1 -t utf-8`",
        ) from exc


def binary_stdout() -> BinaryIO:
    """Return standard output for bytes. Raises ``InputError`` if it is closed."""
    return stdout().buffer


def binary_stdin() -> BinaryIO:
    """Return standard input for bytes. Raises ``InputError`` if it is closed."""
    if sys.stdin is None:
        raise InputError("stdin is closed", hint="Name a file instead of `-`")
    return sys.stdin.buffer


def close_stdout(code: int) -> int:
    """Flush stdout at the end of a run and return the exit code: ``code``, or that of an error.

    A reader that has gone is no error. Later writes, such as the interpreter's own flush, go to the
    null device.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        pass
    except (OSError, ValueError) as exc:
        if code == 0:
            print_err(f"error: Can't write to stdout: {exc}")
            code = InputError.exit_code
    else:
        return code
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return code


def try_stdout(line: str) -> None:
    """Write one line to stdout, if that can be written."""
    try:
        stdout().write(line + "\n")
        stdout().flush()
    except (InputError, OSError, ValueError):
        return


def print_err(text: str) -> None:
    """Write one line to stderr, with keys masked. A closed stderr is no error."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(mask_known(text) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
