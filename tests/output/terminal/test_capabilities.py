"""What the environment says of the terminal."""

from __future__ import annotations

from darkai_cli.output.terminal.capabilities import background, has_links, has_truecolor, rewraps


def test_background():
    for value, expected in [
        ("0;15", "light"),
        ("15;0", "dark"),
        ("15;default;0", "dark"),
        ("", "dark"),
    ]:
        assert background({"COLORFGBG": value}) == expected


def test_what_terminals_can_do():
    assert has_truecolor({"COLORTERM": "truecolor"})
    assert not has_truecolor({})
    assert has_links({"VTE_VERSION": "7200"})
    assert not has_links({"VTE_VERSION": "x", "TERM": "xterm-256color"})
    assert rewraps({"TERM": "xterm-256color"})
    assert rewraps({"TERM": "screen-256color", "TMUX": "1"})
    assert not rewraps({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"})
