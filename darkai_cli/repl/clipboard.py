"""Copy to and read from the clipboard, with the desktop's own tools or through the terminal.

Over ssh, and where no tool is installed, text is copied with the escape sequence OSC 52, which sets
the clipboard of the machine that the user sits at. It cannot read the clipboard. Only a command
that the user types leads here. ``environ`` is the environment that the tools get, without API keys.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence

from darkai_cli.errors import InputError, NotFoundError

MAX_OSC52 = 74_000
"""Bytes of base64 in one OSC 52. Terminals drop a longer one silently."""
_TIMEOUT = 5.0
"""Seconds that a tool may take."""

_COPY: Sequence[tuple[str, Sequence[str]]] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard", "-in")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
_PASTE: Sequence[tuple[str, Sequence[str]]] = (
    ("WAYLAND_DISPLAY", ("wl-paste", "--no-newline")),
    ("DISPLAY", ("xclip", "-selection", "clipboard", "-out")),
    ("DISPLAY", ("xsel", "--clipboard", "--output")),
)


def copy_command(environ: Mapping[str, str]) -> Sequence[str] | None:
    """Return the command that copies its stdin; None if the terminal must do it."""
    if environ.get("SSH_TTY") or environ.get("SSH_CONNECTION"):
        return None
    return _first(_COPY, ("pbcopy",), "clip.exe", environ)


def paste_command(environ: Mapping[str, str]) -> Sequence[str] | None:
    """Return the command that prints the clipboard; None if there is none."""
    if environ.get("SSH_TTY") or environ.get("SSH_CONNECTION"):
        return None
    return _first(_PASTE, ("pbpaste",), "", environ)


def _first(
    tools: Sequence[tuple[str, Sequence[str]]],
    mac: Sequence[str],
    windows: str,
    environ: Mapping[str, str],
) -> Sequence[str] | None:
    if sys.platform == "darwin":
        return mac
    for variable, command in tools:
        if environ.get(variable) and shutil.which(command[0]):
            return command
    if windows and environ.get("WSL_DISTRO_NAME") and shutil.which(windows):
        return (windows,)
    return None


def copy(text: str, environ: Mapping[str, str], *, plain: bool = False) -> tuple[str, str]:
    """Copy the text; return how, in words, and the escape sequence to write to the terminal.

    The sequence is empty if a tool has copied the text. ``plain``: no sequence may be written.
    Raises ``InputError`` if the text cannot be copied.
    """
    command = copy_command(environ)
    if command is not None:
        try:
            # The tool stays in the background to serve the clipboard. It must not hold our pipes.
            subprocess.run(
                command,
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TIMEOUT,
                check=True,
                env=dict(environ),
            )
        except (OSError, subprocess.SubprocessError) as exc:
            raise InputError(
                f"`{command[0]}` failed", hint="`/save answer.md` writes the reply to a file"
            ) from exc
        return f"copied with `{command[0]}`.", ""
    if plain:
        raise InputError(
            "No clipboard is available",
            hint="`/save answer.md` writes the reply to a file, `/raw` prints it",
        )
    data = b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(data) > MAX_OSC52:
        raise InputError(
            f"The text is too long for the terminal's clipboard: {len(text):,} characters",
            hint="`/save answer.md` writes the reply to a file",
        )
    return "sent to the terminal's clipboard (OSC 52, if supported).", f"\x1b]52;c;{data}\x07"


def paste(environ: Mapping[str, str]) -> str:
    """Return the clipboard's text. Raises ``NotFoundError`` if it cannot be read or is empty."""
    command = paste_command(environ)
    if command is None:
        raise NotFoundError(
            "Can't read the clipboard here",
            hint="Use your terminal's paste key; a long text stays one message",
        )
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=True,
            env=dict(environ),
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise NotFoundError(
            f"`{command[0]}` failed: the clipboard may be empty", hint=None
        ) from exc
    text = done.stdout.decode("utf-8", "replace")
    if not text:
        raise NotFoundError("The clipboard is empty", hint=None)
    return text
