"""Which output is used: a pure function of the options and of what stdout is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from darkai_cli.errors import UsageError

Kind = Literal["json", "extract", "raw", "plain", "markdown"]


class OutputOptions(NamedTuple):
    """The options that concern the output."""

    json: bool = False
    raw: bool = False
    extract: bool = False
    to_file: bool = False
    no_stream: bool = False


def select_format(wishes: OutputOptions, *, terminal: bool) -> Kind:
    """The kind of output. ``terminal``: stdout is one.

    ``raw`` is the bytes as received (a pipe, a file); ``plain`` the filtered text on a terminal;
    ``markdown`` the rendered text. Raises ``UsageError`` for wishes that exclude each other.
    """
    if wishes.json and (wishes.extract or wishes.raw):
        other = "-x" if wishes.extract else "--raw"
        raise UsageError(
            f"`--json` and `{other}` exclude each other",
            hint="`--json` writes events; without it the text is written",
        )
    if wishes.json:
        return "json"
    if wishes.extract:
        return "extract"
    if wishes.to_file or not terminal:
        return "raw"
    return "plain" if wishes.raw else "markdown"
