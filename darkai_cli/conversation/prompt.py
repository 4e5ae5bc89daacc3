"""The prompt: what was typed and what came through the pipe, put together.

Arguments are joined by spaces. A pipe's text follows after a blank line, or stands where a lone
``-`` was typed, on lines of its own. Nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from darkai_cli.errors import InputError, UsageError


def compose(words: Sequence[str], piped: str | None) -> str:
    """The prompt's text. ``piped``: what stdin held, or None if it was not read.

    Raises ``UsageError`` for an empty prompt, ``InputError`` where stdin was asked for and is
    empty.
    """
    if "-" in words:
        if not piped:
            raise InputError(
                "`-` stands for stdin, but stdin is empty" if piped == "" else
                "`-` stands for stdin, but nothing is piped in",
                hint="pipe something in: `git diff | darkai ask review this: -`",
            )  # fmt: skip
        return _with_marks(words, piped)
    typed = " ".join(words)
    if words and not typed.strip():
        raise UsageError("the prompt is empty", hint='darkai ask "tell me a joke"')
    if piped is None:
        if not words:
            raise UsageError("there is no prompt", hint='darkai ask "tell me a joke"')
        return typed
    if not words:
        if not piped.strip():
            raise InputError("stdin is empty", hint="pipe some text in, or give a prompt")
        return piped
    return f"{typed}\n\n{piped}" if piped else typed


def _with_marks(words: Sequence[str], piped: str) -> str:
    """The words, with ``piped`` in place of each lone ``-``, on lines of its own."""
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
