r"""A value as one field of a tab-separated line, which it cannot break.

Backslash, tab and line breaks become ``\\``, ``\t``, ``\n``, ``\r``. Other control characters, and
those that change the direction of text, become ``\x1b`` or ``\u202e``, because such lines end up on
a terminal one day. So every value can be read back. For text that people read, use ``sanitize``.
"""

from __future__ import annotations

import re

_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNSAFE = re.compile(
    "[\0-\x1f\\\\\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def field(value: object) -> str:
    """Return the field; "" for None."""
    return "" if value is None else _UNSAFE.sub(_escaped, str(value))


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _NAMED.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
