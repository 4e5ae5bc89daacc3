"""Run a shell command from within the chat (``!command``) and offer its output as an attachment.

The command is what the user typed, never text from a model. It runs in the user's shell, with the
terminal as its stdin and without API keys in its environment. Its output goes through a pipe, so
that it can be filtered and attached; full-screen programs (editors, pagers) do not work here.
Ctrl-C stops the command, and what it wrote until then can still be attached.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import subprocess
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from darkai_cli import signals, stdio
from darkai_cli.conversation.attachments import AttachedText, Attachments
from darkai_cli.errors import InputError, UsageError
from darkai_cli.output.sanitize import Sanitizer

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

MAX_OUTPUT = 256 * 1024
"""Characters of output that are attached: the last ones."""

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-OQ-WYZ\\`-~])"
)
"""An escape sequence: colors, titles, cursor movements. All of them are removed."""
_MAX_SEQUENCE = 4096
"""Characters of a sequence that may arrive in pieces."""

_POLL_SECONDS = 0.1
"""Seconds between two checks whether the command has ended."""
_GRACE_SECONDS = 1.0
"""Seconds that the command has to end after each signal."""


def run(session: ChatSession, line: str) -> None:
    """Run the command and ask whether to attach its output.

    Raises ``UsageError`` for an empty line, ``InputError`` if the shell cannot be started.
    """
    if not line:
        raise UsageError("`!` needs a command", hint="`!git diff`")
    shell = stdio.environ().get("SHELL") or "/bin/sh"
    try:
        process = subprocess.Popen(
            [shell, "-c", line],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=session.child_environment(),
        )
    except (OSError, ValueError) as exc:
        raise InputError(f"Can't run `{shell}`: {exc}", hint="Check `$SHELL`") from exc
    text, size = "", 0
    with session.with_echo():
        for piece in _show_output(session, process):
            size += len(piece)
            text = (text + piece)[-MAX_OUTPUT:]
    if text and not text.endswith("\n"):
        session.screen.raw("\n")
    code = process.returncode
    if code:
        session.screen.dim(f"Exit code {code}." if code > 0 else f"Stopped by signal {-code}.")
    text = text.strip("\n")
    if size > MAX_OUTPUT:
        text = f"(the beginning was left out)\n{text}"
    _offer(session, line, text)


def _offer(session: ChatSession, line: str, text: str) -> None:
    """Attach the output to the next prompt if the user agrees."""
    count = text.count("\n") + 1
    lines = "this line" if count == 1 else f"these {count} lines"
    reader = session.reader
    if text and reader is not None and reader.confirm(f"Attach {lines} to your next prompt?"):
        session.add(Attachments((AttachedText(f"$ {line}", text),)))
        session.screen.dim("Attached; sent with your next prompt. `/file -` drops it.")


def _show_output(session: ChatSession, process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Show the output, filtered, as it comes, and yield its pieces."""
    for piece in filter_output(_until_stopped(process)):
        session.screen.styled(piece)
        yield piece


def _until_stopped(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the output until the command ends or Ctrl-C stops it."""
    try:
        yield from _output(process)
    except KeyboardInterrupt:
        signals.clear_interrupt()
        _end(process)
    finally:
        if process.stdout is not None:
            process.stdout.close()
        if process.poll() is None:
            _end(process)


def filter_output(output: Iterable[bytes]) -> Iterator[str]:
    """Yield the output as text without escape sequences and control characters."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    sanitizer = Sanitizer()
    unfinished = ""
    for data in output:
        text = _SEQUENCE.sub("", unfinished + decode(data))
        start = text.find("\x1b", max(0, len(text) - _MAX_SEQUENCE))
        unfinished = text[start:] if start >= 0 else ""
        yield sanitizer.feed(text[: len(text) - len(unfinished)])
    yield sanitizer.feed(unfinished + decode(b"", final=True)) + sanitizer.finish()


def _output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield what the command writes until it ends.

    A process that it leaves in the background may hold the pipe open: nothing is read from it.
    """
    assert process.stdout is not None
    fd = process.stdout.fileno()
    while True:
        has_ended = process.poll() is not None
        if select.select([fd], [], [], 0 if has_ended else _POLL_SECONDS)[0]:
            data = os.read(fd, 65536)
            if not data:
                break
            yield data
        elif has_ended:
            return
    process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until the command ends; terminate it after a second, kill it after another.

    The terminal has sent the SIGINT of Ctrl-C to the command too.
    """
    for stop in (None, process.terminate, process.kill):
        if stop is not None:
            stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            return
