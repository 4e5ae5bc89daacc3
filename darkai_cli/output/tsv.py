r"""A value as one field of a tab-separated line: nothing in it can break the line, or a terminal.

Not for text that people read (``sanitize`` is). Backslash, tab and line breaks become ``\\``,
``\t``, ``\n``, ``\r``; other control characters, and those that change the direction of text,
``\x1b`` or ``\u202e``, because such lines end up on a terminal one day. So every value can be had
back.
"""

from __future__ import annotations

import re

_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNWELCOME = re.compile(
    "[\0-\x1f\\\\\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def field(value: object) -> str:
    """The field; empty for None."""
    return "" if value is None else _UNWELCOME.sub(_escaped, str(value))


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    code = ord(char)
    return _NAMED.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
