"""Whose certificate it is, who signed it, and from when to when it counts: read from its DER form.

Not a verification: OpenSSL and the system do that. This is for the certificate of a service that
was *not* trusted, of which ``ssl`` gives nothing but the bytes. Strategy: walk down the few fields
that matter (RFC 5280, section 4.1); whatever cannot be read is no certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17
_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}


class Certificate(NamedTuple):
    """``subject`` and ``issuer`` as their owners call themselves; times in seconds since 1970."""

    subject: str
    issuer: str
    begins: float
    ends: float


def read(der: bytes) -> Certificate | None:
    """The certificate; None for what is none."""
    try:
        ((_, whole),) = _items(der)
        fields = list(_items(next(_items(whole))[1]))
        if fields[0][0] == _VERSION:
            del fields[0]
        _serial, _algorithm, (_, issuer), (_, validity), (_, subject) = fields[:5]
        begins, ends = (_time(tag, data) for tag, data in _items(validity))
        return Certificate(_name(subject), _name(issuer), begins, ends)
    except (ValueError, IndexError, StopIteration, OverflowError):
        return None


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and the content of each element. Raises ``ValueError`` or ``IndexError``."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            length = size & 0x7F
            if not 0 < length <= 4:
                raise ValueError(size)
            size = int.from_bytes(data[at : at + length], "big")
            at += length
        if at + size > len(data):
            raise ValueError(size)
        yield tag, data[at : at + size]
        at += size


def _name(data: bytes) -> str:
    """The organisation and the common name, as far as they are there and differ."""
    found: dict[bytes, str] = {}
    for _, part in _items(data):
        for _, pair in _items(part):
            (_, kind), (tag, value) = _items(pair)
            found.setdefault(kind, value.decode(_ENCODINGS.get(tag, "latin-1"), "replace"))
    names = [found[kind] for kind in (_ORGANISATION, _COMMON_NAME) if found.get(kind)]
    return ", ".join(dict.fromkeys(names)) or "nobody"


def _time(tag: int, data: bytes) -> float:
    """``YYMMDDHHMMSSZ``, or the same with four digits of the year."""
    text = data.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    parts = [int(text[:4]), *(int(text[at : at + 2]) for at in range(4, 14, 2))]
    year, month, day, hour, minute, second = parts
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()
