"""What can be known safely of the terminal: its background, and what it can do.

The terminal is not asked (OSC 11). Its answer comes as typed input: what the user typed ahead would
be read with it and could not be put back, and over a slow line it comes after any sensible time
limit and ends up on the shell's prompt. So there is what the environment says, and the ``theme`` in
the config. Where nothing is known, ``dark`` is used: its text has the terminal's own colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

_LIGHT = frozenset(("7", "9", "10", "11", "12", "13", "14", "15"))
_STIFF = ("linux", "xterm-mono", "st-", "screen")
"""Terminals, by ``TERM``, that cut their rows when they become narrower instead of re-wrapping."""


def background(environ: Mapping[str, str]) -> Literal["dark", "light"]:
    """The background by ``COLORFGBG`` (``0;15``: Konsole, iTerm2, rxvt), else ``dark``."""
    return "light" if environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT else "dark"


def has_truecolor(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it shows 24-bit colours."""
    return environ.get("COLORTERM", "") in ("truecolor", "24bit")


def has_links(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show OSC 8 hyperlinks; others may print them as text."""
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM", "") in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper")
        or environ.get("TERM", "") in ("xterm-kitty", "foot", "alacritty", "xterm-ghostty")
        or "KONSOLE_VERSION" in environ
        or "WT_SESSION" in environ
        or (vte.isascii() and vte.isdigit() and int(vte[:9]) >= 5000)
    )


def rewraps(environ: Mapping[str, str]) -> bool:
    """Whether the terminal re-wraps its rows when its width changes: most do, xterm does not."""
    if "TMUX" in environ:
        return True
    return "XTERM_VERSION" not in environ and not environ.get("TERM", "").startswith(_STIFF)
