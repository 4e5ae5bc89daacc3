"""What the environment says of the terminal: its background, and what it can do.

The terminal itself is not asked (OSC 11). Its answer would come as typed input: it would be read
together with what the user typed ahead, and over a slow line it would come too late and end up on
the shell's prompt. Where the environment says nothing, the background is taken for dark, because
text keeps the terminal's own color there. The ``theme`` in the config overrides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

_LIGHT = frozenset(("7", "9", "10", "11", "12", "13", "14", "15"))
_NO_REWRAP = ("linux", "xterm-mono", "st-", "screen")
"""Terminals, by ``TERM``, that cut off their rows when they become narrower."""


def background(environ: Mapping[str, str]) -> Literal["dark", "light"]:
    """Return the background that ``COLORFGBG`` names (Konsole, iTerm2, rxvt), or ``dark``."""
    return "light" if environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT else "dark"


def has_truecolor(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal says that it shows 24-bit colors."""
    return environ.get("COLORTERM", "") in ("truecolor", "24bit")


def has_links(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is known to show OSC 8 hyperlinks; others may print them."""
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM", "") in ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper")
        or environ.get("TERM", "") in ("xterm-kitty", "foot", "alacritty", "xterm-ghostty")
        or "KONSOLE_VERSION" in environ
        or "WT_SESSION" in environ
        or (vte.isascii() and vte.isdigit() and int(vte[:9]) >= 5000)
    )


def rewraps(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal re-wraps its rows when its width changes, as most do."""
    if "TMUX" in environ:
        return True
    return "XTERM_VERSION" not in environ and not environ.get("TERM", "").startswith(_NO_REWRAP)
