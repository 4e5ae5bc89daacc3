"""``!command``: a shell command from within the session, its output shown and offered as context.

What is run is what the person typed, never a model's text. It runs in the user's shell, on the
terminal's keyboard, without API keys in its environment. Its output goes through a pipe, so that it
can be filtered and kept: programs that want the whole screen (an editor, a pager) have no place
here. Ctrl-C stops the command and not the session; what it wrote until then is kept.
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
from darkai_cli.conversation.attachments import Attached, Text
from darkai_cli.errors import InputError, UsageError
from darkai_cli.output.sanitize import Sanitizer

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

MAX_KEPT = 256 * 1024
"""Characters of output that can go along; the end of more is what counts."""

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-OQ-WYZ\\`-~])"
)
"""What a program writes for the terminal: colours, titles, movements. None of it is output here."""
_LONGEST = 4096
"""Characters of a sequence that may be in pieces."""

_LOOK = 0.1
_GRACE = 1.0
"""Seconds between two looks whether the command lives, and for it to end after Ctrl-C."""


def run(session: ChatSession, line: str) -> None:
    """Run it, and ask whether its output goes along with the next prompt."""
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
        raise InputError(f"`{shell}` cannot be run: {exc}", hint="check `$SHELL`") from exc
    text, size = "", 0
    with session.with_echo():
        for piece in _shown(session, process):
            size += len(piece)
            text = (text + piece)[-MAX_KEPT:]
    if text and not text.endswith("\n"):
        session.screen.raw("\n")
    code = process.returncode
    if code:
        session.screen.dim(f"exit code {code}" if code > 0 else f"stopped by signal {-code}")
    text = text.strip("\n")
    if size > MAX_KEPT:
        text = f"(the beginning is left out)\n{text}"
    _offer(session, line, text)


def _offer(session: ChatSession, line: str, text: str) -> None:
    """Ask whether the output goes along with the next prompt."""
    count = text.count("\n") + 1
    lines = "this line" if count == 1 else f"these {count} lines"
    reader = session.reader
    if text and reader is not None and reader.confirm(f"send {lines} with the next prompt?"):
        session.add(Attached((Text(f"$ {line}", text),)))
        session.screen.dim("it goes with the next prompt; `/file -` drops it")


def _shown(session: ChatSession, process: subprocess.Popen[bytes]) -> Iterator[str]:
    """The output, filtered and shown as it comes; Ctrl-C ends the command."""
    for piece in filtered(_watched(process)):
        session.screen.styled(piece)
        yield piece


def _watched(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """The output as it comes, until the command or the person ends it."""
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


def filtered(output: Iterable[bytes]) -> Iterator[str]:
    """Bytes as text that a terminal may be shown, without what was meant to steer one."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    sanitizer = Sanitizer()
    held = ""
    for data in output:
        text = _SEQUENCE.sub("", held + decode(data))
        begun = text.find("\x1b", max(0, len(text) - _LONGEST))
        held = text[begun:] if begun >= 0 else ""
        yield sanitizer.feed(text[: len(text) - len(held)])
    yield sanitizer.feed(held + decode(b"", final=True)) + sanitizer.finish()


def _output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What the command writes; not what one that it left in the background writes after its end."""
    assert process.stdout is not None
    fd = process.stdout.fileno()
    while True:
        over = process.poll() is not None
        if select.select([fd], [], [], 0 if over else _LOOK)[0]:
            data = os.read(fd, 65536)
            if not data:
                break
            yield data
        elif over:
            return
    process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment: the terminal has told the command too. Then end it."""
    for stop in (None, process.terminate, process.kill):
        if stop is not None:
            stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            return
