"""What a sanitized text may do to a terminal: print, and nothing else."""

from __future__ import annotations

import io
import itertools
import json
import re
import subprocess
import sys
import unicodedata
from itertools import pairwise

import pyte
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.attacks import ACTING, ESC, GOOD, HIDING, LITERAL, PAYLOADS, ZWJ, selected, tagged

from darkai_cli.output.sanitize import (
    MAX_JOINS,
    MAX_MARKS,
    Sanitizer,
    safe_link,
    sanitize,
    sanitize_line,
)

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\ud800-\udfff\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0080-\U000e00ff\U000e01f0-\U000e0fff]"
)
PRINTING = {"draw", "linefeed", "carriage_return", "tab"}


def calls(text: str) -> list[tuple[str, list[object]]]:
    """What a terminal does with the text, once the line discipline has made LF to CR LF."""
    log = io.StringIO()
    stream = pyte.ByteStream(pyte.DebugScreen(to=log))
    stream.feed(text.replace("\n", "\r\n").encode("utf-8", "surrogatepass"))
    done = [json.loads(line) for line in log.getvalue().splitlines()]
    return [(name, args) for name, args, _ in done]


class Answering(pyte.Screen):
    """A screen that stores what it would send back to the program."""

    def __init__(self) -> None:
        super().__init__(80, 40)
        self.answers: list[str] = []

    def write_process_input(self, data: str) -> None:
        self.answers.append(data)


def test_corpus_is_large_and_hostile() -> None:
    assert len(PAYLOADS) >= 150
    assert {name for name, _ in PAYLOADS} == ACTING | HIDING | LITERAL
    assert len(ACTING | HIDING | LITERAL) >= 24
    for name, text in PAYLOADS:
        if name in ACTING:
            assert CONTROL.search(text), text
        assert (sanitize(text) == text) == (name in LITERAL), ascii(text)


def test_a_terminal_only_prints() -> None:
    for _, text in PAYLOADS:
        output = sanitize(text)
        done = calls(output)
        assert {call for call, _ in done} <= PRINTING, ascii(text)
        drawn = "".join(str(args[0]) for call, args in done if call == "draw")
        assert drawn == re.sub(r"[\n\t]", "", output)


def test_the_raw_corpus_does_more_than_print() -> None:
    """The test above can fail: pyte acts on nearly all of what a terminal acts on."""
    raw = [(name, {call for call, _ in calls(text)} - PRINTING) for name, text in PAYLOADS]
    acting = [name for name, done in raw if done]
    assert set(acting) <= ACTING
    assert len(acting) > 60


def test_state_of_the_screen() -> None:
    for _, text in PAYLOADS:
        screen = Answering()
        stream = pyte.ByteStream(screen)
        stream.feed(b"\x1b]2;mine\x07first row\r\n")
        mode, margins, start = set(screen.mode), screen.margins, screen.cursor.y
        # pyte draws no cell for most invisible characters: only the rows are counted here
        stream.feed(sanitize_line(text, 70).encode() + b"\r\n$ ")
        assert (screen.title, screen.answers) == ("mine", []), ascii(text)
        assert (screen.mode, screen.margins) == (mode, margins), ascii(text)
        assert screen.display[0].rstrip() == "first row"
        assert screen.cursor.y - start in {1, 2}
        assert screen.display[screen.cursor.y].rstrip() == "$"
        assert not screen.cursor.attrs.bold
        assert screen.cursor.attrs.fg == screen.cursor.attrs.bg == "default"


def test_nothing_that_acts_or_hides_is_left_and_nothing_is_stripped() -> None:
    for _, text in PAYLOADS:
        output = sanitize(text)
        assert not CONTROL.search(output), ascii(text)
        assert not INVISIBLE.search(output), ascii(text)
        assert "\ufe0f\ufe0f" not in output
        output.encode("utf-8")
        # Every printable ASCII character is still there, in order; LF and TAB too.
        expected = re.sub(r"[^\t\n -~]", "", text.replace("\r\n", "\n"))
        rest = iter(output)
        assert all(char in rest for char in expected), ascii(text)


def test_idempotent_and_independent_of_cutting() -> None:
    for text in [text for _, text in PAYLOADS]:
        output = sanitize(text)
        assert sanitize(output) == output
        for size in (1, 2, 3, 7):
            sanitizer = Sanitizer()
            pieces = [sanitizer.feed(text[at : at + size]) for at in range(0, len(text), size)]
            assert "".join([*pieces, sanitizer.finish()]) == output, ascii(text)


def test_good_text_is_left_alone() -> None:
    for name, text in GOOD.items():
        assert sanitize(text) == text, name
        sanitizer = Sanitizer()
        assert "".join([*map(sanitizer.feed, text), sanitizer.finish()]) == text, name


def test_visible_forms() -> None:
    for text, visible in [
        ("a\x1b[31mb", "a␛[31mb"),
        ("\x00\x07\x08\x0b\x0c\x1f\x7f", "␀␇␈␋␌␟␡"),
        ("\x80\x85\x9b", "⟨U+0080⟩⟨U+0085⟩⟨U+009B⟩"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\r\r\nd\r", "a\nb␍c␍\nd␍"),
        ("a\n\rb", "a\n␍b"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("a\u202eb\u200fc", "a⟨U+202E⟩b⟨U+200F⟩c"),
        ("a\xadb\ufeffc", "a⟨U+00AD⟩b⟨U+FEFF⟩c"),
        ("\ud800\udfff", "\ufffd\ufffd"),
        ("hi" + tagged("twelve chars"), "hi⟨12 tag characters⟩"),
        ("hi" + tagged("x") + "!", "hi⟨1 tag character⟩!"),
        ("😀" + selected(b"secret") + "!", "😀⟨6 variation selectors⟩!"),
        ("a\ufe0f", "a⟨U+FE0F⟩"),
        ("❤\u0301\ufe0f", "❤\u0301⟨U+FE0F⟩"),
        ("a\U000e0100", "a⟨U+E0100⟩"),
        ("a\u200bb\u200cc\u200dd", "a⟨U+200B⟩b⟨U+200C⟩c⟨U+200D⟩d"),
        ("👩\u200d", "👩⟨U+200D⟩"),
        ("👩\u200d \u200d👩", "👩⟨U+200D⟩ ⟨U+200D⟩👩"),
        ("👩\u0301\u200d👩", "👩\u0301⟨U+200D⟩👩"),
        ("👩\ufe0f🏽\u0301\u200d👩", "👩\ufe0f🏽\u0301⟨U+200D⟩👩"),
        ("\u0645\u200c\u200c\u0645", "\u0645\u200c⟨U+200C⟩\u0645"),
        ("a\u180eb", "a⟨U+180E⟩b"),
        ("\u4e00\u200b\u4e00", "\u4e00⟨U+200B⟩\u4e00"),
        ("x" + "\u0301" * 1020 + "y", "x" + "\u0301" * 30 + "⟨+990 marks⟩y"),
        ("\u0915" + "\u094d" * 30 + "\u200d", "\u0915" + "\u094d" * 30 + "⟨U+200D⟩"),
        ("x" + "\u0301" * 31, "x" + "\u0301" * 30 + "⟨+1 mark⟩"),
        ("\u0338x\n\u0301y", "◌\u0338x\n◌\u0301y"),
        (" \u0301\t\u0301", " \u0301\t\u0301"),
        ("\U00013430", "⟨U+13430⟩"),
        ("\U000e0fff", "⟨U+E0FFF⟩"),
    ]:
        assert sanitize(text) == visible


def test_a_cluster_is_bounded() -> None:
    family = sanitize("👩" + (ZWJ + "👩") * 100)
    assert max(len(part.split(ZWJ)) for part in family.split("⟨U+200D⟩")) == MAX_JOINS + 1
    for run in (["\u0301"], ["\u094d", "\u200d"], ["\u1161"], ["\U0001f3ff"], ["\u0301", "\ufe0f"]):
        output = sanitize("\u0915" + "".join(run) * 500)
        longest = max(map(len, re.findall(f"[{''.join(run)}]+", output)))
        assert longest <= MAX_MARKS


class TestEveryCodePoint:
    """By the Unicode data of this Python, not by the tables of the sanitizer."""

    ALL = "".join(map(chr, range(0x110000)))
    # format characters with a shape of their own, and the fillers that are letters without one
    SHAPED = frozenset(
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )
    FILLERS = frozenset("\u115f\u1160\u3164\uffa0")

    def test_what_has_a_shape_passes(self) -> None:
        shaped = [
            char
            for char in self.ALL
            if (
                unicodedata.category(char)[0] in "LNPS"
                or unicodedata.category(char) in {"Zs", "Co"}
            )
            and char not in self.FILLERS
        ]
        assert len(shaped) > 270_000
        text = " ".join(shaped)
        assert sanitize(text) == text

    def test_what_acts_or_hides_is_visible(self) -> None:
        hidden = [
            char
            for char in self.ALL
            if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
            and char not in self.SHAPED | frozenset("\n\t")
        ] + sorted(self.FILLERS)
        assert len(hidden) > 2_200
        assert [ascii(char) for char in hidden if char in sanitize(f"a{char}b")] == []

    def test_marks_pass_and_are_bounded(self) -> None:
        marks = {char for char in self.ALL if unicodedata.category(char) in {"Mn", "Mc", "Me"}}
        rare = {char for char in marks if sanitize(f"a{char}") != f"a{char}"}
        assert {unicodedata.name(char, "")[:18] for char in rare} == {
            "COMBINING GRAPHEME",  # the joiner
            "KHMER VOWEL INHERE",
            "MONGOLIAN FREE VAR",
            "VARIATION SELECTOR",
        }
        for char in (marks - rare) | self.SHAPED:
            assert sanitize("a" + char * 90) == "a" + char * MAX_MARKS + "⟨+60 marks⟩"
            assert "".join(map(Sanitizer().feed, "a" + char * 90)).count(char) == MAX_MARKS


class TestStream:
    def test_ordinary_text_is_passed_at_once(self) -> None:
        for text in (
            "a",
            "hello ",
            "é",
            "今",
            "नमस्ते",
            "👩",
            "\n",
            "\t",
            "e\u0301",
            "م\u200c",
            "\x1b",
        ):
            assert Sanitizer().feed(text) == sanitize(text)

    def test_what_the_next_chunk_decides_is_held(self) -> None:
        for text in ["\r", "👩\u200d", "❤\ufe0f", "\U0001f3f4" + tagged("gb"), "a\u200c"]:
            sanitizer = Sanitizer()
            head, tail = sanitizer.feed(text), sanitizer.finish()
            assert head == text.rstrip("\r\u200d\u200c\ufe0f" + tagged("gb"))
            assert head + tail == sanitize(text)

    def test_a_held_return_meets_its_line_feed(self) -> None:
        sanitizer = Sanitizer()
        assert [sanitizer.feed(text) for text in ("a\r", "\nb\r", "\rc")] == ["a", "\nb", "␍␍c"]

    def test_a_held_return_does_not_displace_a_joiner(self) -> None:
        for last in ("👩\u200d", "❤\ufe0f", "a\u0301" * 31, "x" + "\ufe0f" * 3):
            for following in ("\n", "x", ""):
                sanitizer = Sanitizer()
                output = [sanitizer.feed(last + "\r"), sanitizer.feed(following)]
                assert "".join(output) + sanitizer.finish() == sanitize(last + "\r" + following)

    def test_an_escape_sequence_in_pieces_is_never_one(self) -> None:
        sanitizer = Sanitizer()
        assert "".join(map(sanitizer.feed, [ESC, "[", "2", "J"])) == "␛[2J"

    def test_endless_runs_take_no_memory(self) -> None:
        for char in ("\u0301", "\ufe0f", chr(0xE0067)):
            sanitizer = Sanitizer()
            sanitizer.feed("\U0001f3f4")
            output = "".join(sanitizer.feed(char * 1000) for _ in range(200))
            assert len(output) <= MAX_MARKS + 1
            assert len(sanitizer._held) <= 7
            assert sum(map(int, re.findall(r"\d+", sanitizer.finish()))) >= 199_970

    def test_finish_makes_it_as_new(self) -> None:
        sanitizer = Sanitizer()
        sanitizer.feed("👩" + "\u0301" * 40)
        assert sanitizer.finish() == "⟨+10 marks⟩"
        assert sanitizer.finish() == ""
        assert sanitizer.feed("\u0301" * 31) == "◌" + "\u0301" * 30

    def test_empty_chunks_change_nothing(self) -> None:
        sanitizer = Sanitizer()
        parts = ["a\r", "", "\n👩", "", "\u200d", "", "👩"]
        assert "".join(map(sanitizer.feed, parts)) + sanitizer.finish() == "a\n👩\u200d👩"


class TestLine:
    def test_line_breaks_and_tabs_are_visible(self) -> None:
        assert sanitize_line("a\nb\r\nc\td\u2028e\x1b") == "a␊b␊c␉d␊e␛"

    def test_limit(self) -> None:
        assert sanitize_line("x" * 200) == "x" * 200
        assert sanitize_line("x" * 201) == "x" * 200 + "…"
        assert sanitize_line("abc", 2) == "ab…"

    def test_cut_between_clusters(self) -> None:
        for text, limit, line in [
            ("ab\x9bcd", 5, "ab…"),  # not half a label
            ("ab⟨U+009B⟩", 10, "ab⟨U+009B⟩"),
            ("abe\u0301f", 3, "ab…"),  # not a base without its marks
            (GOOD["families"], 3, "…"),
            ("x" + GOOD["flags"][5:], 6, "x…"),
            ("a\nb", 2, "a␊…"),
        ]:
            assert sanitize_line(text, limit) == line

    def test_attacks(self) -> None:
        for (_, text), limit in itertools.product(PAYLOADS, (0, 5, 20, 200)):
            line = sanitize_line(text, limit)
            assert len(line) <= limit + 1
            assert sanitize(line) == line
            assert not re.search(r"[\n\t]", line)


class TestLink:
    def test_accepted(self) -> None:
        for url, text in [
            ("https://example.com/a?b=c#d", "the manual"),
            ("http://localhost:8080/", "http://localhost:8080/"),
            ("HTTPS://Example.COM/", "example.com"),
            ("https://www.example.com/x", "Example.com/x"),
            ("https://example.com", "www.example.com."),
            ("https://192.168.0.1/x", "192.168.0.1"),
            ("http://[::1]:80/", "here"),
            ("https://example.com/setup.py", "setup.py and Node.js 3.11, e.g. v1.2.3"),
            ("mailto:jo.doe@example.com", "jo.doe@example.com"),
            ("mailto:jo@example.com?subject=hi", "write"),
            ("https://example.com/", "https://example.com/to/other.example"),
            ("https://example.com/", "example.com/to/other.example"),
            ("https://example.com./", "example.com"),
            ("https://github.com/psf/black", "psf/black"),
        ]:
            assert safe_link(url, text) == url, (url, text)

    def test_refused(self) -> None:
        for url, text in [
            ("javascript:alert(1)", "x"),
            ("file:///etc/passwd", "x"),
            ("data:text/html,x", "x"),
            ("ftp://example.com", "x"),
            ("vscode://run", "x"),
            ("//example.com", "x"),
            ("/relative", "x"),
            ("", "x"),
            ("https://", "x"),
            ("https:/example.com", "x"),
            ("https://exa mple.com", "x"),
            ("https://example.com/\x1b\\", "x"),
            ("https://example.com/\x07", "x"),
            ("https://example.com/\n", "x"),
            ("https://example.com/é", "x"),
            ("https://ex\u0430mple.com/", "x"),
            ("https://example.com\u202e", "x"),
            ("https://bank.example@evil.example/", "x"),
            ("https://bank.example\\@evil.example/", "x"),
            ("https://bank.example%2f@evil.example/", "x"),
            ("https://example.com:99999999/", "x"),
            ("https://example.com/" + "a" * 2100, "x"),
            ("mailto:nobody", "x"),
            ("https://evil.example/", "https://bank.example/"),
            ("https://evil.example/", "bank.example"),
            ("https://evil.example/", "go to (bank.example), please"),
            ("https://evil.example/", "bank.example:443/login"),
            ("https://evil.example/", "www.bank.example."),
            ("https://evil.example/", "BANK.EXAMPLE"),
            ("https://evil.example/", "b\u0430nk.example"),
            ("https://evil.example/", "bank。example"),
            ("https://evil.example/", "bank．example"),
            ("https://evil.example/", "evil.example and bank.example"),
            ("https://evil.example/", "https://evil.example@bank.example/"),
            ("https://evil.example/", "//bank.example"),
            ("https://evil.example/", "http://localhost/"),
            ("https://evil.example/", "10.0.0.1"),
            ("https://evil.example/", "jo@bank.example"),
            ("https://evil.example/", "rust.bank.rs"),
            ("https://bank.example.evil.example/", "bank.example"),
            ("https://evil.example/?bank.example", "bank.example"),
            ("mailto:jo@evil.example", "jo@bank.example"),
            ("mailto:jo@evil.example,al@bank.example", "al@third.example"),
        ]:
            assert safe_link(url, text) is None, (url, text)

    def test_long_texts_take_linear_time(self) -> None:
        """A quadratic pattern would not come back from this."""
        for text in ("a" * 300_000, "a." * 150_000, "-" * 300_000, "//" * 150_000, "a@" * 150_000):
            assert safe_link("https://example.com/", text) in {None, "https://example.com/"}


def test_hostile_megabytes_take_linear_time() -> None:
    """A quadratic step would not come back from this."""
    for unit in (
        "\x1b",
        "\r",
        "\u0301",
        "\ufe0f",
        chr(0xE0041),
        "👩\u200d",
        "\u094d",
        "⟨",
        "\u1161",
    ):
        text = unit * (300_000 // len(unit))
        assert sanitize(text)
        sanitizer = Sanitizer()
        assert len([sanitizer.feed(char) for char in text[:5000]]) == 5000


def test_import_costs_nothing() -> None:
    """No pattern is compiled and no table loaded before the first text."""
    code = (
        "import __future__, re, sys, typing\n"
        "before = set(sys.modules)\n"
        "import darkai_cli.output.sanitize as unit\n"
        "assert not unit._compiled and not unit._ESCAPES\n"
        "unit.sanitize('plain')\n"
        "stream = unit.Sanitizer()\n"
        "assert stream.feed('text') + stream.finish() == 'text'\n"
        "assert list(unit._compiled) == ['ascii']\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "unicodedata" not in done.stdout
    assert [name for name in re.findall(r"'([^']+)'", done.stdout) if "darkai" not in name] == []


# --- any text: cutting is invisible, twice is once, nothing is lost, clusters are bounded ---

# Letters, and everything that is judged by its neighbours, so that they meet often.
UNITS = [
    *"ab1# \t\n\r\x1b\x9b\x7f⟨⟩é中👩❤🏴☠ما०कกក",
    *"\xad\u034f\u061c\u180b\u180e\u1820\u200b\u200c\u200d\u2028\u202e\ufe00\ufe0e\ufe0f\ufeff",
    *"\u0301\u064b\u094d\u0e34\u1100\u1161\u11a8\u20e3\ud800\udc00\U000e0001\U000e0067\U000e007f",
    *"\U000e0080\U000e0100\U000e01ef\U0001e8d0\U00011013\U00011038\U0001f3fb\U0001d173\u0600",
    *("\u0301" * 29, "\u094d\u200d" * 14, "\U000e0067" * 3, "\u1161" * 15, "👩\u200d" * 5, "\r\n"),
]
hostile = st.lists(st.sampled_from(UNITS), max_size=40).map("".join)
mixed = st.one_of(
    hostile,
    st.text(st.characters(exclude_categories=[])),
    st.sampled_from([text for _, text in PAYLOADS]),
    st.tuples(hostile, st.sampled_from(list(GOOD.values())), hostile).map("".join),
)


def cut(text: str, places: list[int]) -> list[str]:
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(marks)]


@settings(max_examples=400)
@given(mixed, st.lists(st.integers(0, 10_000), max_size=12))
@example("👩\u200d👩", [1, 2])
@example("\u0915" + "\u094d" * 40, [20, 35])
def test_cutting_is_invisible_and_twice_is_once(text: str, places: list[int]) -> None:
    sanitizer = Sanitizer()
    fed = [sanitizer.feed(piece) for piece in cut(text, places)]
    output = sanitize(text)
    assert "".join([*fed, sanitizer.finish()]) == output
    assert "".join([*map(sanitizer.feed, text), sanitizer.finish()]) == output
    assert sanitize(output) == output


@settings(max_examples=300)
@given(mixed)
def test_only_what_may_be_shown(text: str) -> None:
    for char in sanitize(text):
        category = unicodedata.category(char)
        assert category not in {"Cs", "Zl", "Zp"}
        assert category != "Cc" or char in "\n\t"
        assert unicodedata.bidirectional(char) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        }


@settings(max_examples=300)
@given(mixed)
def test_nothing_is_lost(text: str) -> None:
    """Characters that have a shape pass, in order."""
    wanted = [
        char
        for char in text.replace("\r\n", "\n")
        if unicodedata.category(char)[0] in "LNPSZ"
        and char not in "\u115f\u1160\u3164\uffa0\u2028\u2029"
        and not unicodedata.combining(char)
        and not "\u1160" <= char <= "\u11ff"
        and not "\U0001f3fb" <= char <= "\U0001f3ff"
        and not "\ud7b0" <= char <= "\ud7ff"
    ]
    output = iter(sanitize(text))
    assert all(char in output for char in wanted)


@settings(max_examples=200)
@given(hostile)
def test_clusters_are_bounded(text: str) -> None:
    size = 0
    for char in sanitize(text):
        is_extender = unicodedata.category(char) in {"Mn", "Mc", "Me"} or char in "\u200c\u200d"
        size = size + 1 if is_extender else 0
        assert size <= MAX_MARKS


@settings(max_examples=200)
@given(mixed, st.integers(0, 60))
def test_a_line_is_a_line(text: str, limit: int) -> None:
    line = sanitize_line(text, limit)
    assert len(line) <= limit + 1
    assert sanitize(line) == line
    assert not re.search(r"[\n\t\r]", line)


@given(mixed, mixed)
def test_a_stream_ends_where_it_ends(first: str, second: str) -> None:
    """After ``finish`` nothing of the first text reaches the second."""
    sanitizer = Sanitizer()
    sanitizer.feed(first)
    sanitizer.finish()
    assert sanitizer.feed(second) + sanitizer.finish() == sanitize(second)
