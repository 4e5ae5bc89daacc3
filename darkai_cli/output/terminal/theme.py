"""The style of each part of an answer, on a dark and on a light background.

Text keeps the terminal's own color; accents have a contrast of at least 4.5 to 1 to black (dark) or
white (light). No style sets a background, so copied text stays clean. Pygments is loaded with the
first code fence.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.color import ColorSystem
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Mapping

Background = Literal["dark", "light"]

PLAIN = Style.null()
STRONG = Style(bold=True)
EMPHASIS = Style(italic=True)
STRIKE = Style(strike=True)
DIM = Style(dim=True)
_CODE_THEMES: Mapping[str, str] = {"dark": "one-dark", "light": "default"}
_CODE_COLORS = {"dark": "#7ec8c8", "light": "#0b6e75"}
_LINK_COLORS = {"dark": "#7fb4ff", "light": "#0a58ca"}
_TITLE_COLORS = {"dark": "#e6b673", "light": "#8a4b00"}
_MATHS_COLORS = {"dark": "#c3a6ff", "light": "#6f42c1"}


class Styles(NamedTuple):
    """The styles of one answer. ``code_theme`` names a Pygments style."""

    title: Style
    heading: Style
    subheading: Style
    lesser: Style
    code: Style
    link: Style
    address: Style
    maths: Style
    html: Style
    frame: Style
    marker: Style
    text: Style
    code_theme: str


def styles_for(background: Background, code_theme: str) -> Styles:
    """Return the styles for ``background``; ``code_theme`` ``auto`` is one that suits it."""
    title = Style(color=_TITLE_COLORS[background])
    return Styles(
        title=title + STRONG,
        heading=title + STRONG,
        subheading=STRONG,
        lesser=STRONG + EMPHASIS,
        code=Style(color=_CODE_COLORS[background]),
        link=Style(color=_LINK_COLORS[background], underline=True),
        address=DIM,
        maths=Style(color=_MATHS_COLORS[background]),
        html=DIM,
        frame=DIM,
        marker=title,
        text=PLAIN,
        code_theme=_CODE_THEMES[background] if code_theme == "auto" else code_theme,
    )


def dimmed(bright: Styles) -> Styles:
    """Return the styles for reasoning: without colors, everything dim."""
    plain = {
        name: DIM + Style(bold=style.bold, italic=style.italic, underline=style.underline)
        for name, style in bright._asdict().items()
        if isinstance(style, Style)
    }
    return bright._replace(**plain, code_theme="")


def has_code_theme(name: str) -> bool:
    """Return whether Pygments has a style of this name; ``auto`` counts as one."""
    if name == "auto":
        return True
    from pygments.styles import get_style_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        get_style_by_name(name)
    except ClassNotFound:
        return False
    return True


@functools.lru_cache(maxsize=16)
def code_styles(theme: str, background: Background) -> Mapping[object, Style]:
    """Return the style of each Pygments token type. An unknown theme becomes the default one.

    Tokens in the theme's main color keep the terminal's own, so that a theme made for black stays
    readable on white.
    """
    from pygments.styles import get_style_by_name
    from pygments.token import Token  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound

    try:
        chosen = get_style_by_name(theme)
    except ClassNotFound:
        chosen = get_style_by_name(_CODE_THEMES[background])
    main = chosen.style_for_token(Token)["color"]
    styles: dict[object, Style] = {}
    for token, form in chosen:
        color = form["color"]
        styles[token] = Style(
            color=f"#{color}" if (color or "") not in ("", "000000", "ffffff", main) else None,
            bold=form["bold"] or None,
            italic=form["italic"] or None,
            underline=form["underline"] or None,
        )
    return styles


class Ink:
    """Turns styles into escape sequences: in color, in attributes only, or not at all."""

    def __init__(self, *, color: bool, attributes: bool, truecolor: bool = False) -> None:
        self._color = color
        self._attributes = attributes
        self._system = ColorSystem.TRUECOLOR if truecolor else ColorSystem.EIGHT_BIT
        self._sequences: dict[Style, str] = {}

    def start(self, style: Style) -> str:
        """Return the sequence that switches ``style`` on; "" if it changes nothing."""
        sequence = self._sequences.get(style)
        if sequence is None:
            sequence = self._sequences[style] = self._sequence(style)
        return sequence

    def _sequence(self, style: Style) -> str:
        if not self._color:
            style = style.without_color
        if not (self._color or self._attributes):
            return ""
        return style.render("x", color_system=self._system).partition("x")[0]
