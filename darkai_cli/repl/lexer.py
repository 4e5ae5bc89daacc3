"""Colours in the input: a slash command's name, a paste's token, and code between fences."""

from __future__ import annotations

import re
from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TOKEN = re.compile(r"(\[pasted [^\]\n]*\])")


class InputLexer(Lexer):
    """Line by line: what a line is depends only on the fences above it."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The styles of each line, made when it is drawn."""
        lines = document.lines
        in_code = self._fenced(lines)

        def styled(number: int) -> StyleAndTextTuples:
            if not 0 <= number < len(lines):
                return []
            line = lines[number]
            if in_code[number]:
                return [("class:code", line)]
            if number == 0 and line[:1] in "/!" and line[:2] != "//":
                name, space, rest = line.partition(" ")
                return [("class:command", name), ("", f"{space}{rest}")]
            return [
                ("class:paste" if place % 2 else "", part)
                for place, part in enumerate(_TOKEN.split(line))
                if part
            ]

        return styled

    @staticmethod
    def _fenced(lines: list[str]) -> list[bool]:
        """Whether each line belongs to a fenced block."""
        found: list[bool] = []
        mark = ""
        for line in lines:
            match = _FENCE.match(line)
            if not mark:
                mark = match[1] if match else ""
                found.append(bool(mark))
                continue
            found.append(True)
            if match and match[1].startswith(mark) and not line[match.end() :].strip():
                mark = ""
        return found
