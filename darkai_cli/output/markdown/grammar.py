r"""The Markdown grammar of replies: CommonMark, tables, strikethrough, footnotes and maths.

This is a configured ``markdown-it`` parser, which knows no terminal and no streaming. Its block and
inline phases are called one by one, so that ``Committer`` pays for inline parsing only when a block
is final.

It differs from stock ``markdown-it`` where a reply would lose words:

- a table row with more cells than its header keeps them in its last cell (GFM drops them),
- blocks nested deeper than ``MAX_NESTING`` are read as paragraphs (stock skips their text),
- ``[^1]: text`` is a footnote, not a link definition that vanishes,
- ``$...$``, ``\(...\)``, ``$$`` and ``\[`` blocks are passed on letter for letter,
- text longer than ``INLINE_LIMIT`` or with more than ``BRACKET_LIMIT`` brackets is taken literally:
  inline parsing is quadratic on hostile text (100,000 ``[``), and no paragraph that people read is
  like that.

Every rule decides from left to right: no later line changes a block that has ended.
"""

from __future__ import annotations

import copy
import re
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, paragraph, reference, table
from markdown_it.rules_block.table import escapedSplit
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

MAX_NESTING = 40
"""The deepest nesting of quotes and lists; a list and its item are two levels."""

INLINE_LIMIT = 16_384
"""The most characters of a paragraph, cell or heading in which inline Markdown is parsed."""

BRACKET_LIMIT = 400
"""The most opening brackets in such a text; for each the parser may search to its end."""

FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,64}\]:(?:[ \t]|$)")
"""How the line of a footnote starts."""

_MATHS_OPENERS = {"$$": "$$", "\\[": "\\]"}
MATHS_ENDS = ("$$", "\\]")
"""What the last line of a block of maths contains."""

_MATHS = re.compile(
    r"\\\((?P<round>.+?)\\\)|\\\[(?P<square>.+?)\\\]|\$\$(?P<double>.+?)\$\$"
    r"|\$(?P<single>[^\s$](?:[^$\n]{0,400}?[^\s$\\])?)\$(?!\d)",
    re.DOTALL,
)
_MATHS_REACH = 4_096
"""How far an inline formula may reach; without a bound a run of ``\\(`` is quadratic."""


class Span(NamedTuple):
    """A top-level block: its tokens, and its first and last line (exclusive) in the source."""

    tokens: list[Token]
    start: int
    end: int

    @property
    def kind(self) -> str:
        """The block's name: ``paragraph``, ``bullet_list``, ``fence`` ..."""
        return self.tokens[0].type.removesuffix("_open")


class _Blocks(ParserBlock):
    """A block parser that reads what is nested too deep as paragraphs; the stock one skips it."""

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:  # noqa: N803
        if state.level < MAX_NESTING:
            super().tokenize(state, startLine, endLine)
            return
        line = startLine
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            paragraph(state, line, endLine, False)
            line = state.line


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Apply the stock rule, then put the cells that it dropped into the last cell of the row."""
    mark = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    if silent:
        return True
    tokens = state.tokens
    columns = 0
    row: list[Token] = []
    for token in tokens[mark:]:
        if token.type == "inline":
            row.append(token)
        elif token.type == "tr_close":
            line = _line(state, row[0].map[0]) if row and row[0].map else ""
            columns = columns or len(row)
            if line.count("|") >= columns:
                cells = escapedSplit(line.strip())
                cells = cells[cells[0] == "" :]
                extra = cells[columns : len(cells) - (cells[-1] == "")]
                if extra:
                    row[-1].content = " | ".join([row[-1].content, *(c.strip() for c in extra)])
            row = []
    return True


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a link definition, unless it is a footnote."""
    return not FOOTNOTE.match(_line(state, start)) and reference(state, start, end, silent)


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a footnote as a paragraph of its own, also directly below another one."""
    if state.is_code_block(start) or not FOOTNOTE.match(_line(state, start)):
        return False
    return silent or paragraph(state, start, end, False)


def _maths_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a formula over several lines, to its closing line or the next blank one."""
    opening = _line(state, start).rstrip()
    closer = _MATHS_OPENERS.get(opening[:2])
    if closer is None or state.is_code_block(start) or closer in opening[2:]:
        return False
    if silent:
        return True
    line = start + 1
    while line < end and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent:
        line += 1
        if closer in _line(state, line - 1):
            break
    token = state.push("maths", "math", 0)
    token.content = state.getLines(start, line, state.blkIndent, True)
    token.map = [start, line]
    state.line = line
    return True


def _maths(state: StateInline, silent: bool) -> bool:
    """Parse a formula inside a line, letter for letter."""
    if state.src[state.pos] not in "$\\":
        return False
    match = _MATHS.match(state.src, state.pos, state.pos + _MATHS_REACH)
    if match is None:
        return False
    if not silent:
        token = state.push("maths_inline", "math", 0)
        token.content = match.group()
    state.pos = match.end()
    return True


_BREAKS_IN: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}


class Grammar:
    """A parser with the link definitions of one document.

    ``blocks`` may be called for consecutive parts of a document; the definitions of one apply to
    the next.
    """

    def __init__(self) -> None:
        md = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
        md.enable(["table", "strikethrough"])
        md.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
        md.block.ruler.at("reference", _reference)
        md.block.ruler.before("reference", "footnote", _footnote, _BREAKS_IN)
        md.block.ruler.before("table", "maths", _maths_block, _BREAKS_IN)
        blocks = _Blocks()
        blocks.ruler = md.block.ruler
        md.block = blocks
        md.inline.ruler.before("escape", "maths", _maths)
        self._md = md
        self._env: dict[str, Any] = {}

    def fork(self) -> Grammar:
        """Return a copy whose new definitions do not reach this parser."""
        other = copy.copy(self)
        other._env = {"references": dict(self._env.get("references", {}))}  # noqa: SLF001 -- a copy
        return other

    def blocks(self, text: str) -> list[Span]:
        """Return the top-level blocks of ``text``, whose inline content is not parsed yet."""
        tokens: list[Token] = []
        self._md.block.parse(text, self._md, self._env, tokens)
        self._env.pop("duplicate_refs", None)  # it would grow with every parse
        spans = []
        first = 0
        for index, token in enumerate(tokens):
            if token.level == 0 and token.nesting <= 0:
                start, end = tokens[first].map or (0, 0)
                spans.append(Span(tokens[first : index + 1], start, end))
                first = index + 1
        return spans

    def inline(self, tokens: list[Token]) -> None:
        """Parse the inline content of ``tokens``, in place."""
        for token in tokens:
            if token.type != "inline" or token.children:
                continue
            text = token.content
            if len(text) > INLINE_LIMIT or text.count("[") + text.count("\\(") > BRACKET_LIMIT:
                token.children = [Token("text", "", 0, content=text.replace("\n", " "))]
                continue
            children: list[Token] = []
            self._md.inline.parse(text, self._md, self._env, children)
            token.children = children
