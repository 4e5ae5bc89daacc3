"""A small search in darkai's own documentation: from a question to the section that answers it.

Not a general search engine, and it makes up nothing: the answer is a section as it is written, with
the page it is from. Strategy: conservative first, then scores. A question must name darkai, or ask
"how do I ..." about a thing that only darkai's users would ask darkai for; of its words that carry
a meaning, the section must contain all (most, if darkai is named), and one of them in a heading.
Among such sections the rarest words in the highest places win. No chance and no state: the same
question has the same answer. The pages are read when the first question is asked.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

_PACKAGE = Path(__file__).parents[2]


def words(text: str) -> frozenset[str]:
    """The set of the words in ``text``."""
    return frozenset(text.split())


_STOP = words(
    "a about all am an and any are as at be been before behind but by can could d did do does"
    " doing done for from get gets getting give go got had has have help how i if in into is it"
    " its just kind know let like m may me mean meaning means mine must my need now of off on one"
    " onto or our out please possible re s should so some t tell than that the their them then"
    " there these they this through to too under up use used user uses using via ve want was way"
    " we were what when where whether which while who why will with within without would you your"
    " explain darkai"
)
"""Words without a meaning of their own, ``darkai`` among them: all pages are about it."""

_ACTIONS = words(
    "add availabl call choos creat defin different enabl exist find happen keep list mak offer pass"
    " possibl put run sav see set show specify stor support turn work"
)
"""Stems of what one can do with anything: they add to a score, but no section needs them."""

_SAME = {
    "configuration": "config", "configur": "config", "preferenc": "config", "llm": "model",
    "pick": "choos", "select": "choos", "switch": "choos", "chang": "choos", "status": "cod",
    "dry-run": "--dry-run", "json": "--json",
    "autocomplet": "complet", "completion": "complet", "autocompletion": "complet",
    "socks5": "sock", "socks5h": "sock", "address": "url", "http_proxy": "proxy",
    "https_proxy": "proxy", "all_proxy": "proxy", "pipelin": "pip", "stop": "interrupt",
}  # fmt: skip

_VOCABULARY = words(
    "proxy stdin stdout stderr pip model config complet record replay fallback timeout retry demo"
    " --dry-run"
)
"""Stems: a question that does not name darkai must hold one (or an exit code, or a flag)."""

_FOREIGN = words(
    "ansible apache apt aws bash browser c chrome cmake curl django docker firefox fish git github"
    " go golang java javascript kubernetes linux macos maven mysql nginx node npm perl php pip3"
    " postgres powershell python ruby rust ssh systemd typescript ubuntu vim wget windows zsh"
    # what one does to a stream in a program of one's own, or to a pipe under the sink
    " build built clean close cut draw fix make open parse read train write"
)
_SHELLS = frozenset({"bash", "zsh", "fish", "powershell"})

_QUESTION = re.compile(
    r"(?:please )?(?:(?:tell|show) me |explain |do you know )?"
    r"(?:how (?:do|can|could|should|would|must) (?:i|you|we|one) |how to "
    r"|where (?:is|are|do|does) |can (?:i|you|it|one) use |is there |does it "
    r"|(?:which|what) models? |list (?:all |the |your )?models? )"
)
_ASKS = re.compile(
    r"(?:please )?(?:how|what|which|where|when|why|who|is|are|does|do|did|can|could|should|will"
    r"|would|explain|tell me (?:how|what|which|where|when|why|about)|show me how|help)\b"
)
_EXACT = re.compile(
    r"(?:^|\s)--[a-z][a-z-]+|\bexit(?:s|ed)? (?:with )?(?:code|status)|\bexit \d+$"
    r"|\bjson (?:output|events?)\b"
)
_TOKEN = re.compile(r"--[a-z][a-z-]+|[^\W_]+(?:[_-][^\W_]+)*")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|mailto:)[^)\s]+\)")


class Section(NamedTuple):
    """A heading and what follows it, up to the next one."""

    page: str  # "how-to/proxies-and-certificates.md"
    title: str  # of the page
    heading: str
    body: str

    def markdown(self) -> str:
        """The section as a reply of its own, with the page named at the end."""
        body = _LINK.sub(r"\1", self.body)  # a relative link leads nowhere outside the pages
        return (
            f"## {self.heading}\n\n{body}\n\n*From darkai's documentation, `docs/{self.page}`.*\n"
        )


class _Indexed(NamedTuple):
    section: Section
    heading: frozenset[str]
    title: frozenset[str]
    body: Counter[str]
    weight: float


def docs_dir() -> Path | None:
    """Where the documentation is: inside the installed package, or beside it in a checkout."""
    for folder in (_PACKAGE / "_docs", _PACKAGE.parent / "docs"):
        if folder.is_dir():
            return folder
    return None


def search(question: str, folder: Path | None) -> Section | None:
    """The section that answers ``question``, or None if it is not about darkai or nothing fits.

    ``question`` is one line in lower case, without the marks at its end.
    """
    named = re.search(r"\bdarkai(?:\b|_)", question) is not None
    asked = _stems(question)
    if folder is None or not asked:
        return None
    if not (_ASKS.match(question) or len(asked) <= 3 if named else _is_ours(question, asked)):
        return None
    index = _index(folder)
    seen = Counter[str]()
    for entry in index:
        seen.update(entry.heading | entry.title | entry.body.keys())
    wanted = [word for word in asked if word not in _ACTIONS or len(asked) == 1]
    best: tuple[float, _Indexed] | None = None
    for entry in index:
        if not _covers(entry, wanted, share=0.6 if named else 1.0):
            continue
        score = entry.weight * sum(
            math.log(1 + len(index) / seen[word]) * _place(entry, word)
            for word in dict.fromkeys(asked)
            if seen[word]
        )
        if best is None or score > best[0]:
            best = (score, entry)
    return best[1].section if best else None


def _is_ours(question: str, asked: Collection[str]) -> bool:
    """Whether a question that does not name darkai can still only be meant for it."""
    exact = _EXACT.search(question) is not None
    if not exact and not _QUESTION.match(question + " "):
        return False
    if exact and not (_ASKS.match(question) or len(question.split()) <= 4):
        return False
    if not exact and (_VOCABULARY.isdisjoint(asked) or "cod" in asked):  # code of what?
        return False
    strange = _FOREIGN.intersection(_TOKEN.findall(question))
    return not strange or ("complet" in asked and strange <= _SHELLS)


def _covers(entry: _Indexed, wanted: Collection[str], *, share: float) -> bool:
    found = [word for word in wanted if _place(entry, word)]
    if len(found) < share * len(wanted):
        return False
    return any(
        word in entry.heading or word in entry.title or word.startswith("--") or "_" in word
        for word in found
    )


def _place(entry: _Indexed, word: str) -> float:
    """How high up a section has a word: 0 if it does not have it at all."""
    count = entry.body[word]
    return (
        (4 + 2 / len(entry.heading) if word in entry.heading else 0)
        + 2.5 * (word in entry.title)
        + (min(1 + math.log2(count), 3) if count else 0)
    )


@lru_cache(maxsize=2)
def _index(folder: Path) -> tuple[_Indexed, ...]:
    """Every section of every page for users, in the order of the pages' names."""
    found = []
    for path in sorted(folder.rglob("*.md")):
        page = path.relative_to(folder).as_posix()
        weight = _weight(page)
        if weight:
            text = path.read_text(encoding="utf-8", errors="replace")
            for section in _sections(page, text):
                heading, title = (frozenset(_stems(t)) for t in (section.heading, section.title))
                found.append(
                    _Indexed(section, heading, title, Counter(_stems(section.body)), weight)
                )
    return tuple(found)


def _weight(page: str) -> float:
    """What to do comes before how it is, and that before why; notes for developers do not count."""
    if page.startswith("decisions/") or page.endswith("architecture.md"):
        return 0
    kinds = {"how-to": 1.0, "reference": 0.9, "explanation": 0.75}
    return kinds.get(page.partition("/")[0], 0.8)


def _sections(page: str, text: str) -> list[Section]:
    """The sections of one page that say something; a ``#`` in a code fence starts none."""
    parts: list[tuple[str, list[str]]] = [(page, [])]
    title = fence = ""
    for line in text.splitlines():
        bare = line.lstrip()
        if fence:
            fence = "" if bare.startswith(fence) else fence
        elif bare.startswith(("```", "~~~")):
            fence = bare[:3]
        elif found := _HEADING.match(line):
            parts.append((found[2], []))
            title = title or found[2]
            continue
        parts[-1][1].append(line.rstrip())
    bodies = ((heading, "\n".join(lines).strip("\n")) for heading, lines in parts)
    return [Section(page, title or page, heading, body) for heading, body in bodies if body]


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in _TOKEN.findall(text.lower()) if word not in _STOP]


def _stem(word: str) -> str:
    """The word without the commonest English endings: ``piping`` and ``pipes`` are ``pip``."""
    if word.startswith("--"):
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is", "as")):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 5:
        word = word[:-3]
    elif word.endswith("ed") and len(word) > 4:
        word = word[:-2]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return _SAME.get(word, word)
