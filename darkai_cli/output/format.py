"""Which output is used: a pure function of the options and of what stdout is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from darkai_cli.errors import UsageError

Format = Literal["json", "extract", "raw", "plain", "markdown"]


class OutputOptions(NamedTuple):
    """The options that concern the output.

    ``file``: the path of ``--output``. ``record``: the path of ``--record``.
    """

    json: bool = False
    raw: bool = False
    extract: bool = False
    no_stream: bool = False
    file: str | None = None
    record: str | None = None
    quiet: bool = False
    verbose: bool = False


def select_format(options: OutputOptions, *, terminal: bool) -> Format:
    """Return the format of the output. ``terminal``: stdout is one.

    ``raw`` is the bytes as received (a pipe, a file); ``plain`` the filtered text on a terminal;
    ``markdown`` the rendered text. Raises ``UsageError`` for options that exclude each other.
    """
    if options.json and (options.extract or options.raw):
        other = "-x" if options.extract else "--raw"
        raise UsageError(
            f"`--json` can't be used with `{other}`",
            hint="`--json` writes events; leave it out to get the text",
        )
    if options.json:
        return "json"
    if options.extract:
        return "extract"
    if options.file is not None or not terminal:
        return "raw"
    return "plain" if options.raw else "markdown"
