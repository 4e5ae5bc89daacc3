"""Colors for code, a line at a time, that depend only on the lines so far.

A line is colored once, when it is complete, so it can go straight to the scrollback, and a streamed
text gets the colors of a static one. The lexer's state is carried from line to line. Many lexers
match a comment, a raw string or a here document as one token, from its beginning to its end. Where
a line may open such a token, it is *probed*: the line is lexed once more with the end appended, and
if that makes one token, the following lines get its type until the end comes.

Lexers that are not driven by states (JSON, console sessions) see single lines. Pygments is imported
with the first known language; lexers of plug-ins are not looked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pygments.lexer import RegexLexer  # type: ignore[import-untyped]

Tokens: TypeAlias = list[tuple[Any, str]]

LINE_LIMIT = 4_000
"""Characters of a line of code up to which it is colored."""

_LANGUAGE = re.compile(r"[{.\s]*([^\s{},.:][^\s{},:]*)")
_HERE = re.compile(r"<<[-~]?\s*(['\"]?)\\?([A-Za-z_]\w*)\1")
_OPENERS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ("--[[", "]]"),
    ("[[", "]]"),
    ("`", "`"),
    ('"""', '"""'),
    ("'''", "'''"),
    ("(*", "*)"),
    ("{-", "-}"),
    ("<#", "#>"),
)
_NESTED = {"script": "javascript", "style": "css"}


def language(info: str) -> str:
    """Return the language in a fence's info string: ``python`` for ``{.python title=x}``."""
    match = _LANGUAGE.match(info)
    return match.group(1) if match else ""


def highlighter(name: str) -> Highlighter | None:
    """Return a highlighter for a language; None if Pygments does not know it."""
    if not name or len(name) > 40:
        return None
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.lexers._mapping import LEXERS  # type: ignore[import-untyped]

    alias = name.lower()
    # Asking Pygments itself for a name it does not know makes it look for plug-ins: 40 ms.
    if not any(alias in entry[2] for entry in LEXERS.values()):
        return None
    return Highlighter(get_lexer_by_name(alias))


class Highlighter:
    """Colors the lines of one code block."""

    def __init__(self, lexer: Any) -> None:
        from pygments.lexer import ExtendedRegexLexer, RegexLexer

        self._lexer = lexer
        self._is_plain = isinstance(lexer, RegexLexer) and not isinstance(lexer, ExtendedRegexLexer)
        self._is_html = lexer.name in ("HTML", "XHTML")
        self._state: tuple[str, ...] = ("root",)
        if lexer.name == "PHP":  # in an answer `<?php` is often left out
            self._state = ("root", "php")
        self._inside: tuple[Any, str, tuple[str, ...]] | None = None
        self._nested: tuple[str, Highlighter] | None = None

    def line(self, text: str) -> Tokens:
        """Return the tokens of the next line, without its line break."""
        tokens, *state = self._lex(text)
        self._state, self._inside, self._nested = state
        return tokens

    def peek(self, text: str) -> Tokens:
        """Return the tokens of a line that is not complete."""
        return self._lex(text)[0]

    def _lex(self, text: str) -> tuple[Tokens, Any, Any, Any]:
        if len(text) > LINE_LIMIT:
            return [(None, text)], self._state, self._inside, self._nested
        if self._nested is not None:
            return self._lex_nested(text)
        if self._inside is not None:
            return self._lex_inside(text)
        if self._lexer.name == "PHP" and text.startswith("<?"):
            self._state = ("root",)
        if not self._is_plain:
            made = [
                (kind, part) for _, kind, part in self._lexer.get_tokens_unprocessed(text + "\n")
            ]
            return _cut(made, len(text)), self._state, None, None
        return self._lex_plain(text, self._state)

    def _lex_plain(self, text: str, state: tuple[str, ...]) -> tuple[Tokens, Any, Any, Any]:
        tokens, after = _run(self._lexer, text + "\n", state)
        inside = self._probe(text, state)
        if inside is not None:
            start, kind, closer, then = inside
            return [*_cut(tokens, start), (kind, text[start:])], state, (kind, closer, then), None
        nested = None
        if self._is_html:
            for tag, name in _NESTED.items():
                if f"{tag}-content" in after or re.search(
                    rf"<{tag}\b[^>]*>[^<]*$", text, re.IGNORECASE
                ):
                    inner = highlighter(name)
                    nested = (tag, inner) if inner else None
                    after = ("root",)
        return _cut(tokens, len(text)), after, None, nested

    def _lex_inside(self, text: str) -> tuple[Tokens, Any, Any, Any]:
        """Lex a line within a comment, string or here document that began earlier."""
        assert self._inside is not None
        kind, closer, then = self._inside
        end = text.find(closer)
        if closer[:1].isalpha() and text.strip() != closer:
            end = -1
        if end < 0:
            return [(kind, text)], self._state, self._inside, None
        end += len(closer)
        rest, *state = self._lex_plain(text[end:], then)
        return [(kind, text[:end]), *rest], *state

    def _lex_nested(self, text: str) -> tuple[Tokens, Any, Any, Any]:
        """Lex a line of a script or a style sheet within HTML."""
        assert self._nested is not None
        tag, inner = self._nested
        end = text.lower().find(f"</{tag}")
        if end < 0:
            return inner.line(text), self._state, None, self._nested
        rest, *state = self._lex_plain(text[end:], ("root",))
        return [*inner.peek(text[:end]), *rest], *state

    def _probe(
        self, text: str, state: tuple[str, ...]
    ) -> tuple[int, Any, str, tuple[str, ...]] | None:
        """Return the token that the line leaves open: place, type, end, and the next state."""
        pairs = [pair for pair in _OPENERS if pair[0] in text]
        here = _HERE.search(text)
        if here:
            pairs.append((here.group(), here.group(2)))
        for opener, closer in pairs:
            tail = f"\n{closer}\n"
            probed, after = _run(self._lexer, text + tail, state)
            position = 0
            for kind, part in probed:
                end = position + len(part)
                if position < len(text) and end > len(text) and part.rstrip("\n").endswith(closer):
                    if opener in part or here:
                        return position, kind, closer, after
                    break
                position = end
        return None


def _cut(tokens: Tokens, length: int) -> Tokens:
    """Return the first ``length`` characters of ``tokens``."""
    result = []
    for kind, part in tokens:
        if length <= 0:
            break
        result.append((kind, part[:length]))
        length -= len(part)
    return result


def _run(lexer: RegexLexer, text: str, state: tuple[str, ...]) -> tuple[Tokens, tuple[str, ...]]:
    """Lex ``text`` from ``state``; return its tokens, and the state after it.

    ``RegexLexer.get_tokens_unprocessed`` does this, too, but does not return the state.
    """
    from pygments.token import Error, Text, _TokenType  # type: ignore[import-untyped]

    tables: dict[str, Any] = lexer._tokens  # noqa: SLF001 -- no other way
    stack = list(state)
    made: Tokens = []
    position = 0
    while position < len(text):
        for match_at, action, new_state in tables[stack[-1]]:
            match = match_at(text, position)
            if match is None:
                continue
            if isinstance(action, _TokenType):
                made.append((action, match.group()))
            elif action is not None:
                made.extend((kind, part) for _, kind, part in action(lexer, match))
            position = match.end()
            if new_state is not None:
                _move(stack, new_state)
            break
        else:
            if text[position] == "\n":  # as Pygments does: an error does not outlive its line
                stack = ["root"]
                made.append((Text, "\n"))
            else:
                made.append((Error, text[position]))
            position += 1
    return made, tuple(stack)


def _move(stack: list[str], new_state: Any) -> None:
    """Apply a state transition of Pygments to ``stack``."""
    if isinstance(new_state, int):
        del stack[max(1, len(stack) + new_state) :]
        return
    for state in new_state if isinstance(new_state, tuple) else (new_state,):
        if state == "#pop":
            if len(stack) > 1:
                stack.pop()
        elif state == "#push":
            stack.append(stack[-1])
        else:
            stack.append(state)
