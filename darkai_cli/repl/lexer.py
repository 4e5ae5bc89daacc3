"""Colors in the input: the name of a slash command, the token of a paste, fenced code."""

from __future__ import annotations

import re
from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TOKEN = re.compile(r"(\[pasted [^\]\n]*\])")


class InputLexer(Lexer):
    """Styles each line by what it begins with and by the code fences above it."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return a function that gives the styled parts of a line by its number."""
        lines = document.lines
        in_code = _fenced(lines)

        def styled(number: int) -> StyleAndTextTuples:
            if not 0 <= number < len(lines):
                return []
            line = lines[number]
            if in_code[number]:
                return [("class:code", line)]
            if number == 0 and line[:1] in "/!" and line[:2] not in ("//", "!!"):
                name, space, rest = line.partition(" ")
                return [("class:command", name), ("", f"{space}{rest}")]
            return [
                ("class:paste" if index % 2 else "", part)
                for index, part in enumerate(_TOKEN.split(line))
                if part
            ]

        return styled


def _fenced(lines: list[str]) -> list[bool]:
    """Return for each line whether it belongs to a fenced code block."""
    in_code: list[bool] = []
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        if not fence:
            fence = match[1] if match else ""
            in_code.append(bool(fence))
            continue
        in_code.append(True)
        if match and match[1].startswith(fence) and not line[match.end() :].strip():
            fence = ""
    return in_code
