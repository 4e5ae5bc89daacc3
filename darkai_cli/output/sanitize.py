"""Foreign text made safe for a terminal: every character that could act or hide becomes visible.

Nothing is removed: a filter that drops characters loses text, and what it leaves can be nested
around the gap. Only this module makes ``SafeText``, so that the type checker can prove that no
foreign ``str`` reaches a printer. This is no HTML or Markdown filter.

Strategy, in the order of cost:

1. Most text is clean, and one or two searches for a character class say so.
2. Characters that are never allowed (controls, bidirectional overrides, invisible ones, lone
   surrogates) are replaced one by one, so no way of cutting the text into chunks can assemble a
   control sequence.
3. Some characters are allowed only beside certain others: joiners beside letters of scripts that
   need them and inside emoji, one variation selector after a base, the tags of a flag, a bounded
   number of marks on a base.

The third step reads the *output* to the left and at most one character to the right. So a stream
remembers only a short piece of its own output, and sanitizing twice changes nothing.
Written against Unicode 14 to 16: UAX #15 (stream-safe text), UAX #29, UTS #51, RFC 5892 A.1, A.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from collections.abc import Iterator

SafeText = NewType("SafeText", str)

MAX_MARKS: Final = 30
"""Marks, joiners and selectors on one base. UAX #15 section 13 ("Stream-Safe Text Format") takes
30 as more than any language needs; Tibetan and Hebrew stack at most 8."""

MAX_JOINS: Final = 8
"""The most zero-width joiners in one emoji; the longest recommended sequences have 3."""

_CONTEXT: Final = 64
"""Characters of output that are remembered: more than the longest cluster that is allowed."""

# Code points in hexadecimal, ranges with a hyphen; see `_class`.
_NEVER = (
    "0-8 b-1f 7f-9f"  # C0 but TAB and LF, DEL, C1
    " ad 34f 61c 115f 1160 17b4 17b5 200e 200f 202a-202e 2060-206f 3164 feff ffa0 fff0-fffb"
    " 2028 2029 d800-dfff"  # line separators, lone surrogates
)
_NEVER_ASTRAL = "13430-1343f 1bca0-1bca3 1d173-1d17a e0080-e00ff e01f0-e0fff"
_JOINERS = "180e 200b-200d"
_SELECTORS = "180b-180d 180f fe00-fe0f"
_ASTRAL_SELECTORS = "e0100-e01ef"
# Characters without a width of their own that are no marks: Hangul vowels and finals, skin tones.
_CONJOINING = "1161-11ff d7b0-d7c6 d7cb-d7fb 1f3fb-1f3ff"
# Where the marks (categories M and Cf) are; `_marks` picks them out. These ranges are coarse: that
# saves a table of 400 ranges, and text that is suspected without cause only costs time.
_MARK_AREAS = (
    "300-36f 483-489 591-5c7 600-61a 64b-65f 670 6d6-70f 711 730-74a 7a6-7b0 7eb-7fd 816-82d"
    " 859-85b 890-903 93a-94f 951-957 962-963 980-dff e31 e34-e3a e47-e4e eb1-ece f18-fc6"
    " 102b-109d 135d-135f 1712-1773 17b6-17dd 1885 1886 18a9 1920-193b 1a17-1bff 1c24-1cff"
    " 1dc0-1dff 20d0-20ff 2cef-2cf1 2d7f 2de0-2dff 302a-302f 3099 309a a66f-a6f1 a802-aaff"
    " abe3-abed fb1e fe20-fe2f"
)
_ASTRAL_MARK_AREAS = (
    "101fd 102e0 10376-1037a 10a01-10a3f 10ae5-10ae6 10d24-10d6d 10eab-10eff 10f46-10f85"
    " 11000-11fff 13440-13455 1611e-1612f 16af0-16b36 16f4f-16f92 16fe4-16ff1 1bc9d 1bc9e"
    " 1cf00-1cf46 1d165-1d244 1da00-1daaf 1e000-1e08f 1e130-1e136 1e2ae-1e2ef 1e4ec-1e5ef"
    " 1e6e3-1e6f5 1e8d0-1e8d6 1e944-1e94a"
)
# The planes beyond the first as a few wide ranges, as each range makes a class slower. They leave
# out what is common: emoji, mathematical letters, ideographs.
_ASTRAL_SUSPECTS = "10100-1d3ff 1d800-1efff e0000-e0fff"

_EMOJI = (
    "203c 2049 2122 2139 2194-21aa 231a-23ff 24c2 25aa-27bf 2934 2935 2b05-2b55"
    " 3030 303d 3297 3299 1f000-1f3fa 1f400-1faff"
)
_CURSIVE = (  # scripts written with ZWNJ and ZWJ: Arabic and its kin, Indic, Mongolian
    "600-8ff 900-dff 1000-109f 1780-18af 1b00-1bff a800-aaff fb50-fdff fe70-fefc 10a00-11fff"
    " 1e900-1e95f"
)
_UNSPACED = "e00-eff 1000-109f 1780-17ff 1950-19df 1a20-1aaf a9e0-a9ff aa60-aadf"  # Thai, Khmer ...

_OTHERS = {"selectors": f"{_SELECTORS} {_ASTRAL_SELECTORS}", "tags": "e0000-e007f"}
_CLASSES = {
    "ascii": "0-8 b-1f 7f",
    "misplaced": f"{_NEVER} {_JOINERS} {_SELECTORS} {_ASTRAL_SUSPECTS}",
    "suspect": f"{_NEVER} {_JOINERS} {_SELECTORS} {_ASTRAL_SUSPECTS} {_MARK_AREAS} {_CONJOINING}",
    "joiner": _JOINERS,
    "special": " ".join([_JOINERS, *_OTHERS.values()]),
    "emoji": _EMOJI,
    "dressing": "fe0e fe0f 1f3fb-1f3ff",
    "cursive": _CURSIVE,
    "unspaced": _UNSPACED,
    "mongolian": "1800-18af",
    "ideograph": "3400-9fff f900-faff 20000-3ffff",
    "letterlike": "2100-214f 1d400-1d7ff",
}
_RUNS = {"never": f"{_NEVER} {_NEVER_ASTRAL}", **_OTHERS}
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})

_ZWJ = "\u200d"
_BESIDE = {"\u180e": "mongolian", "\u200b": "unspaced", "\u200c": "cursive", _ZWJ: "cursive"}
"""The joiners, each with the class of characters beside which it is allowed."""
_CIRCLE = "◌"  # the conventional base for marks that have none
_BLACK_FLAG = "\U0001f3f4"
_FLAG = "[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
_FLAG_TAGS = 7
_DRESSING = 2  # a selector and a skin tone
_MAX_URL = 2083  # the longest that VTE takes
_LONG = 500
"""From this length on, a translation of ASCII text is faster than a search."""

_COUNTED = {
    "marks": ("⟨+{} mark⟩", "⟨+{} marks⟩"),
    "selectors": ("⟨{} variation selector⟩", "⟨{} variation selectors⟩"),
    "tags": ("⟨{} tag character⟩", "⟨{} tag characters⟩"),
}


def sanitize(text: str) -> SafeText:
    """Return the text with everything that could act or hide made visible; LF and TAB stay."""
    if _is_clean(text) and not _extends(text):
        return SafeText(text)
    sanitizer = Sanitizer()
    return SafeText(sanitizer.feed(text) + sanitizer.finish())


def sanitize_line(text: str, limit: int = 200) -> SafeText:
    """Return the sanitized text as one line: line breaks and tabs visible, at most ``limit`` long.

    A longer text is cut and ends with ``…``.
    """
    line = sanitize(text).replace("\n", "␊").replace("\t", "␉")
    if len(line) <= limit:
        return SafeText(line)
    # The cut is never inside a cluster: half a flag is a run of invisible tags.
    cut = limit
    extender = _pattern("extender")
    while cut and (extender.match(line, cut) or _pattern("joiner").match(line, cut - 1)):
        cut -= 1
    label = re.search(r"⟨[^⟨⟩]{1,40}\Z", line[:cut])
    return SafeText(line[: label.start() if label else cut] + "…")


class Sanitizer:
    """Sanitizes a stream, with the result of ``sanitize`` however the text is cut into chunks.

    Only what depends on the next chunk is held back: a CR, a variation selector, a joiner whose
    right neighbor is missing, the tags of a flag, and the count of a run that may go on.
    """

    __slots__ = ("_context", "_count", "_held", "_kind")

    def __init__(self) -> None:
        self._context = ""  # the end of the output
        self._held = ""  # a few characters that depend on the next one
        self._kind = ""  # the kind of a run that is being counted
        self._count = 0  # its length so far

    def feed(self, text: str) -> SafeText:
        """Take a chunk; return what can be shown."""
        if not text:
            return SafeText("")
        if not self._held and not self._kind and _is_clean(text) and not _extends(text):
            output = text
        else:
            output = self._sanitize(text, is_last=False)
        if output and output[-1] < "\x80":
            self._context = output[-1]  # no cluster reaches over an ASCII character
        else:
            self._context = (self._context + output[-_CONTEXT:])[-_CONTEXT:]
        return SafeText(output)

    def finish(self) -> SafeText:
        """Return what was held back, and reset the sanitizer."""
        output = self._sanitize("", is_last=True) if self._held or self._kind else ""
        self._context = ""
        return SafeText(output)

    def _sanitize(self, text: str, *, is_last: bool) -> str:
        counted = ""
        if self._kind:
            run = _pattern(self._kind).match(text)
            if run:
                self._count += run.end()
                text = text[run.end() :]
            if not text and not is_last:
                return ""
            counted = _label(self._kind, self._count)
            self._kind = ""
        text = self._held + text
        self._held = ""
        if text.endswith("\r") and not is_last:
            self._held = "\r"
            text = text[:-1]
        text = _escape(text)
        cluster = _Cluster(self._context + counted)
        final = is_last or bool(self._held)  # a CR ends every cluster
        output = [
            self._extend(
                cluster, kind, piece, text[end : end + 1], is_open=not final and end == len(text)
            )
            if kind
            else cluster.plain(piece)
            for kind, piece, end in _pieces(text)
        ]
        return counted + "".join(output)

    def _extend(
        self, cluster: _Cluster, kind: str, run: str, following: str, *, is_open: bool
    ) -> str:
        """Return the output for a run of one kind. ``is_open``: the next chunk may continue it."""
        if kind == "marks":
            base = cluster.plain(_CIRCLE) if cluster.lacks_base(run) else ""
            room = max(0, MAX_MARKS - cluster.size)
            output = base + cluster.extend(run[:room])
            return output + self._counted(cluster, kind, run[room:], is_open)
        if kind == "joiner":
            fits = cluster.takes_joiner(run, following)
            waits = is_open and not fits
        elif kind == "selectors":
            fits = cluster.takes_selector(run)
            waits = is_open and len(run) == 1
        else:
            fits = cluster.takes_tags(run)
            waits = is_open and cluster.may_be_flag(run)
        if waits:
            self._held = run
            return ""
        if fits:
            return cluster.extend(run)
        if len(run) == 1 and kind != "tags":
            return cluster.plain(_ESCAPES[ord(run)])
        return self._counted(cluster, kind, run, is_open)

    def _counted(self, cluster: _Cluster, kind: str, run: str, is_open: bool) -> str:
        if not run:
            return ""
        if is_open:
            self._kind, self._count = kind, len(run)
            return ""
        return cluster.plain(_label(kind, len(run)))


class _Cluster:
    """The last base character of the output and the extenders on it."""

    __slots__ = ("base", "joins", "last", "size")

    def __init__(self, output: str) -> None:
        self.base = self.last = ""
        self.size = 0  # extenders on the base
        self.joins = 0  # joiners that tie the base to emoji before it
        for kind, piece, _ in _pieces(output):
            if kind:
                self.extend(piece)
            else:
                self.plain(piece)

    def plain(self, text: str) -> str:
        """Add text without extenders, whose last character is the new base; return it."""
        if self.last != _ZWJ or len(text) > 1:
            self.joins = 0
        self.base = self.last = text[-1]
        self.size = 0
        return text

    def extend(self, run: str) -> str:
        """Add extenders to the base; return them."""
        if run:
            if run[-1] == _ZWJ and _pattern("emoji").match(self.base):
                self.joins += 1
            self.last = run[-1]
            self.size += len(run)
        return run

    def lacks_base(self, marks: str) -> bool:
        """Return whether marks would land on what is before the text, or on the row above."""
        if self.size or self.base not in {"", "\n"}:
            return False
        from unicodedata import category

        return category(marks[0]) in {"Mn", "Mc", "Me"}

    def takes_joiner(self, joiner: str, following: str) -> bool:
        """Return whether a joiner is allowed between the output and the next character."""
        if self.size >= MAX_MARKS or self.last in _BESIDE:
            return False
        scripts = _pattern(_BESIDE[joiner])
        if scripts.match(self.last):
            return True
        if scripts.match(following):
            return _pattern("extender").match(following) is None
        if joiner != _ZWJ or self.joins >= MAX_JOINS or not self._is_bare():
            return False
        emoji = _pattern("emoji")
        return bool(emoji.match(following) and emoji.match(self.base))

    def _is_bare(self) -> bool:
        """Return whether the base has nothing on it but a selector, a skin tone or both."""
        return self.size == 0 or (
            self.size <= _DRESSING and _pattern("dressing").match(self.last) is not None
        )

    def takes_selector(self, selector: str) -> bool:
        """Return whether it is one variation selector, directly on a base that may have one."""
        if len(selector) > 1 or self.size or not self.base:
            return False
        if selector < "\ufe00":
            return bool(_pattern("mongolian").match(self.base))
        if selector > "\ufe0f":
            return bool(_pattern("ideograph").match(self.base))
        if self.base < "\x80":
            return self.base in "0123456789#*"
        if _pattern("emoji").match(self.base) or _pattern("letterlike").match(self.base):
            return True
        from unicodedata import category

        return category(self.base) in {"Lo", "So", "Sm", "Po"}

    def takes_tags(self, run: str) -> bool:
        """Return whether the run makes a flag such as Scotland's (UTS #51, ED-14a)."""
        return self.may_be_flag(run) and re.fullmatch(_FLAG, run) is not None

    def may_be_flag(self, run: str) -> bool:
        """Return whether these tags are a flag, or may become one with more tags."""
        return self.base == _BLACK_FLAG and self.size == 0 and len(run) <= _FLAG_TAGS


_HOST_IN_TEXT = (
    r"//(?P<authority>[^\s/?#]*+)\S*+"
    r"|(?<![\w-])(?P<name>[\w-]++(?:\.[\w-]++)++)(?!@)(?::\d+)?(?:[/?#]\S*+)?"
)
# `setup.py` is a file, although .py is a country: only more labels make such a name a host.
_FILE = (
    r"[^.]+\.(?:cc?|cfg|conf|cpp|cs[sv]?|go|h|hpp|html?|ini|ipynb|java|js|json|jsx|kt|lock|log|lua"
    r"|md|mjs|pdf|php|pl|py|rb|rst?|sh|so|sql|svg|swift|toml|tsx?|txt|xml|ya?ml)"
)
_DOMAIN = r"(?:[^.]+\.)+(?:xn--.*|[^\W\d_]{2,})|\d+(?:\.\d+){3}"


def safe_link(url: str, text: str) -> str | None:
    """Return ``url`` if it may become a link (OSC 8) under the visible ``text``, else None.

    The scheme must be http, https or mailto, every character printable ASCII, the target a plain
    host without a user name, and the text must show no other host.
    """
    if len(url) > _MAX_URL or not re.fullmatch(r"[!-~]+", url):
        return None
    web = re.fullmatch(r"(?i)https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#].*)?", url)
    mail = re.fullmatch(r"(?i)mailto:([^?]+)(?:\?.*)?", url)
    if web:
        hosts = {_bare_host(web[1])}
    elif mail and "@" in mail[1]:
        hosts = {_bare_host(address.rpartition("@")[2]) for address in mail[1].split(",")}
    else:
        return None
    return url if _hosts_in(text) <= hosts else None


def _bare_host(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")


def _hosts_in(text: str) -> set[str]:
    """Return the hosts that a reader may see in the text: of URLs, and names like ``a.com``."""
    hosts = set()
    for match in re.finditer(_HOST_IN_TEXT, re.sub("[\u3002\uff0e\uff61\u2024]", ".", text)):
        if match["name"] is None:
            hosts.add(_bare_host(re.sub(r":\d*\Z", "", match["authority"])))
            continue
        name = match["name"].lower()
        if re.fullmatch(_DOMAIN, name) and not re.fullmatch(_FILE, name):
            hosts.add(_bare_host(name))
    return hosts


def _is_clean(text: str) -> bool:
    """Return whether nothing in the text is suspect, apart from its first character."""
    if text.isascii():
        if len(text) < _LONG:
            return _pattern("ascii").search(text) is None
        return len(text.translate(_ASCII)) == len(text)
    if _pattern("suspect").search(text) is None:
        return True
    return not any(_pattern(name).search(text) for name in ("misplaced", "crowd", "stray"))


def _extends(text: str) -> bool:
    """Return whether the text may continue the cluster before it."""
    return text[:1] >= "\u0300" and _pattern("suspect").match(text) is not None


def _escape(text: str) -> str:
    """Return the text with LF for CR LF and every character of ``_NEVER`` visible."""
    text = text.replace("\r\n", "\n")
    return _pattern("never").sub(lambda run: run[0].translate(_ESCAPES), text)


class _Escapes(dict[int, str]):
    """The visible form of each code point, made when it is first needed."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char < " ":
            visible = chr(0x2400 + code)
        elif char == "\x7f":
            visible = "␡"
        elif "\ud800" <= char <= "\udfff":
            visible = "\ufffd"
        elif char in "\u2028\u2029":
            visible = "\n"
        else:
            visible = f"⟨U+{code:04X}⟩"
        self[code] = visible
        return visible


def _pieces(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield runs of one kind, and what is between them as kind ""; each with its end."""
    position = 0
    kinds, special = _pattern("kinds"), _pattern("special")
    for run in _pattern("runs").finditer(text):
        start, end = run.span()
        is_inside = start > 0 and end < len(text) and text[start - 1] != "\n"
        if is_inside and end - start <= MAX_MARKS and special.search(text, start, end) is None:
            continue  # a few marks on a letter are always allowed
        if start > position:
            yield "", text[position:start], start
        position = end
        for part in kinds.finditer(text, start, end):
            yield part.lastgroup or "", part[0], part.end()
    if position < len(text):
        yield "", text[position:], len(text)


def _label(kind: str, count: int) -> str:
    return _COUNTED[kind][count != 1].format(count)


_ESCAPES = _Escapes()
_ASCII: dict[int, None] = dict.fromkeys([*range(9), *range(11, 32), 127])
_compiled: dict[str, re.Pattern[str]] = {}


def _pattern(name: str) -> re.Pattern[str]:
    """Return a pattern by its name; it is compiled at its first use, not at start-up."""
    pattern = _compiled.get(name)
    if pattern is None:
        pattern = _compiled[name] = re.compile(_source(name))
    return pattern


def _source(name: str) -> str:
    if name in _CLASSES:
        return f"[{_class(_CLASSES[name])}]"
    if name in _RUNS:
        return f"[{_class(_RUNS[name])}]+"
    if name == "crowd":
        marks = _class(f"{_MARK_AREAS} {_CONJOINING}")
        # The class stands there twice because a search looks for a single class first.
        return f"[{marks}][{marks}]{{{MAX_MARKS}}}"
    others = _class(_CLASSES["special"])
    if name == "runs":
        return f"[{_class(f'{_CONJOINING} {_ASTRAL_SUSPECTS}')}{_marks(_MARK_AREAS)}{others}]+"
    marks = _class(_CONJOINING) + _marks(f"{_MARK_AREAS} {_ASTRAL_MARK_AREAS}")
    if name == "kinds":
        kinds = [f"(?P<{kind}>[{_class(spec)}]+)" for kind, spec in _OTHERS.items()]
        kinds += [f"(?P<joiner>[{_class(_JOINERS)}])", f"(?P<marks>[{marks}]+)"]
        return "|".join([*kinds, "(?s:.)"])
    if name == "stray":
        return f"\n[{marks}]"
    return f"[{marks}]+" if name == "marks" else f"[{marks}{others}]+"


def _class(spec: str) -> str:
    """Return the inside of a character class."""
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in _ranges(spec))


def _ranges(spec: str) -> list[tuple[int, int]]:
    pairs = [part.partition("-") for part in spec.split()]
    return [(int(first, 16), int(last or first, 16)) for first, _, last in pairs]


def _marks(areas: str) -> str:
    """Return the inside of the class of the marks, by the Unicode data of this Python."""
    from unicodedata import category

    never = _pattern("never")
    parts = []
    for first, last in _ranges(areas):
        kinds = "".join(
            "m" if category(char) in _MARKS and not never.match(char) else "-"
            for char in map(chr, range(first, last + 1))
        )
        spans = [run.span() for run in re.finditer("m+", kinds)]
        parts += [f"{chr(first + start)}-{chr(first + end - 1)}" for start, end in spans]
    return "".join(parts)
