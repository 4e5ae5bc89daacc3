"""Compose the prompt from the words of the command line and the text of a pipe.

Words are joined by spaces. The pipe's text follows after a blank line, or stands where a lone ``-``
was typed, on lines of its own. Nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from darkai_cli.errors import InputError, UsageError


def compose(words: Sequence[str], piped: str | None) -> str:
    """Return the prompt's text. ``piped``: what stdin held, or None if it was not read.

    Raises ``UsageError`` for an empty prompt, ``InputError`` where ``-`` stands for an empty stdin.
    """
    if "-" in words:
        if not piped:
            raise InputError(
                "`-` stands for stdin, but stdin is empty" if piped == "" else
                "`-` stands for stdin, but nothing is piped in",
                hint="Pipe something in: `git diff | darkai ask review this: -`",
            )  # fmt: skip
        return _with_marks(words, piped)
    text = " ".join(words)
    if words and not text.strip():
        raise UsageError("The prompt is empty", hint='`darkai ask "tell me a joke"`')
    if piped is None:
        if not words:
            raise UsageError("No prompt given", hint='`darkai ask "tell me a joke"`')
        return text
    if not words:
        if not piped.strip():
            raise InputError("stdin is empty", hint="Pipe some text in, or give a prompt")
        return piped
    return f"{text}\n\n{piped}" if piped else text


def _with_marks(words: Sequence[str], piped: str) -> str:
    """Return the words, with ``piped`` in place of each lone ``-``, on lines of its own."""
    parts: list[str] = []
    line: list[str] = []
    for word in words:
        if word != "-":
            line.append(word)
            continue
        if line:
            parts.append(" ".join(line))
            line = []
        parts.append(piped.removesuffix("\n"))
    if line:
        parts.append(" ".join(line))
    return "\n".join(parts)
