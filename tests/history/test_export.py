from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from history.histories import PARTS, TEXTS, contents, drafts, fill
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from darkai_cli.events import ToolCall, ToolResult, to_json
from darkai_cli.history import export, ids
from darkai_cli.history.export import close_blocks
from darkai_cli.history.importers import import_file
from darkai_cli.history.importers.draft import DraftMessage, ImportedConversation, turn_for
from darkai_cli.history.store import Store
from darkai_cli.history.turns import dumps


def chat(prompt="question", reply="answer", *, title="A title", state="complete", **turn):
    conversation, question, answer, name = ids.new_ids(4, 1_700_000_000_000)
    when = 1_700_000_000_000
    messages = [
        DraftMessage(question, None, "user", prompt, "", "[]", when),
        DraftMessage(answer, question, "assistant", reply, "a thought", "[]", when),
    ]
    made = turn_for(name, messages[1], prompt=question, provider="p", model="m", state=state)
    return ImportedConversation(
        conversation, title, when, when, answer, "darkai", messages, [made._replace(**turn)]
    )


def exported(store, fmt, *result):
    return "".join(export.export(store, fill(store, result), fmt))


@settings(max_examples=40)
@given(st.lists(drafts(), max_size=3))
def test_export_then_import_gives_the_same_tree(tmp_path_factory, result):
    folder = tmp_path_factory.mktemp("round")
    with Store(folder / "one.db") as item, Store(folder / "two.db") as two:
        names = fill(item, result)
        file = folder / "out.jsonl"
        file.write_text("".join(export.export(item, names, "jsonl")), "utf-8")
        report = import_file(two, file)
        assert report.skipped == {}
        assert contents(two) == contents(item)
        again = import_file(two, file)
        assert (again.conversations, again.messages, again.skipped) == (0, 0, {})
        assert again.present == sum(len(draft.messages) for draft in result)
        assert contents(two) == contents(item)
        assert two.check() == []


@settings(max_examples=40)
@given(st.lists(drafts(), min_size=1, max_size=3))
def test_json_comes_back_as_json_lines_do(tmp_path_factory, result):
    folder = tmp_path_factory.mktemp("json")
    with Store(folder / "one.db") as item, Store(folder / "two.db") as two:
        names = fill(item, result)
        file = folder / "out"
        file.write_text("".join(export.export(item, names, "json")), "utf-8")
        assert import_file(two, file).skipped == {}
        assert contents(two) == contents(item)
        value = json.loads(file.read_text("utf-8"))
        value[0]["messages"].append("junk")
        value.append({"record": "conversation"})
        file.write_text(json.dumps(value, sort_keys=True, indent=8))
        again = import_file(two, file)
        assert (again.conversations, again.messages) == (0, 0)
        assert sum(again.skipped.values()) == 2
        assert contents(two) == contents(item)


def test_markdown_reads_well(database):
    with Store(database) as store:
        text = exported(
            store,
            "md",
            chat(
                "How?\n\nTell me.",
                "Like *this*.\n",
                state="truncated",
                reason="length",
                system="Be brief.\nPlease.",
            ),
        )
    identifier = text.split(", ")[2].split("*")[0]
    assert text == (
        f"# A title\n\n*2023-11-14 22:13 UTC, 1 turn, {identifier}*\n"
        "\n## You\n\nHow?\n\nTell me.\n"
        "\n*System prompt:*\n\n> Be brief.\n> Please.\n"
        "\n## p/m\n\nLike *this*.\n"
        "\n> This reply was cut off: length.\n"
    )


def test_json_is_the_same_tree_in_one_piece(database):
    with Store(database) as store:
        (result,) = json.loads(exported(store, "json", chat()))
        assert [message["text"] for message in result["messages"]] == ["question", "answer"]
        assert result["turns"][0]["model"] == "m"
        assert json.loads("".join(export.export(store, [], "json"))) == []
        names = [c.id for c in store.conversations()] * 2
        assert len(json.loads("".join(export.export(store, names, "json")))) == 2


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](https://tracker.example/a.png)",
    "```<script>\n<script>alert(1)</script>\n```",
    "```python onmouseover=\"x\"\nprint('<b>')\n```",
    "&#x202e;reversed \x1b]52;c;AAAA\x07 \x9b31m",
    '" onload="alert(1)',
    '<https://example.org/">',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_html_escapes_everything(database, text):
    with Store(database) as store:
        html = exported(
            store, "html",
            chat(text, text, title=text, system=text, error=text, state="failed", model=text),
        )  # fmt: skip
    page = Page(html)
    assert not {"script", "img", "iframe", "link", "object", "svg"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert names <= {"lang", "charset", "http-equiv", "content", "name", "class", "href"}
    assert not [
        value for name, value in page.attributes if name == "href" and not value.startswith("http")
    ]
    assert not [
        c
        for c in html
        if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or c == "\u202e"
    ]


@settings(max_examples=30)
@given(TEXTS, TEXTS)
def test_html_shows_what_was_said_and_adds_no_element(tmp_path_factory, prompt, title):
    with Store(tmp_path_factory.mktemp("html") / "history.db") as store:
        page = Page(exported(store, "html", chat(prompt, title=title)))
        plain = Page("".join(export.export(store, fill(store, [chat("x", title="y")]), "html")))
    assert page.tags == plain.tags
    if prompt.isalnum():
        assert prompt in page.text


def test_html_is_one_page_with_colours_for_both_themes(database):
    with Store(database) as store:
        html = exported(
            store,
            "html",
            chat(
                reply="# Head\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\ndef f(): pass\n```"
            ),
        )
    assert "prefers-color-scheme: dark" in html
    assert '<span class="k">def</span>' in html
    assert "<table>" in html
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html


def test_html_does_without_markdown_and_pygments(database, monkeypatch):
    import sys

    for name in ("markdown_it", "pygments", "pygments.formatters.html"):
        monkeypatch.setitem(sys.modules, name, None)
    with Store(database) as store:
        html = exported(store, "html", chat(reply="**a** <b>"))
    assert "**a** &lt;b&gt;" in html


def test_sources_are_shown_and_only_web_addresses_are_links(database):
    result = chat()
    cited = [
        {"event": "citation", "data": {"title": "<b>page", "url": "https://example.org/?a=1&b=2"}},
        {"event": "citation", "data": {"title": "", "url": "javascript:alert(1)"}},
        {"event": "citation", "data": None},
        {"event": "tool-call", "data": {}},
    ]
    result.messages[1] = result.messages[1]._replace(parts=json.dumps(cited))
    with Store(database) as store:
        assert "- <b>page <https://example.org/?a=1&b=2>\n" in exported(store, "md", result)
        page = Page("".join(export.export(store, [result.id], "html")))
    assert [value for name, value in page.attributes if name == "href"] == [
        "https://example.org/?a=1&b=2"
    ]
    assert "<b>page" in page.text
    assert "javascript:alert(1)" in page.text


def with_parts(*events, reply="answer"):
    result = chat(reply=reply)
    result.messages[1] = result.messages[1]._replace(parts=dumps([*map(to_json, events)]))
    return result


LONG = json.dumps({"query": "the weather of tomorrow in Reykjavík", "days": [1, 2, 3], "unit": "C"})
CALLS = (
    ToolCall("1", "clock", '{"zone": "UTC"}'),
    ToolCall("2", "we*ther", LONG),
    ToolResult("2", "we*ther", "no such\nplace ```", is_error=True),
    ToolResult("1", "clock", "Fri\n2026\n", is_error=False),
    ToolResult("9", "search", "found", is_error=False),
)


def test_markdown_shows_tool_calls_and_what_came_of_them(database):
    with Store(database) as store:
        text = exported(store, "md", with_parts(*CALLS))
        bare = exported(store, "md", with_parts(CALLS[0], reply=""))
    assert "\n## p/m\n\n*Called clock:*\n\n```json\n" in text
    output = text.partition("## p/m\n")[2]
    assert output == (
        '\n*Called clock:*\n\n```json\n{"zone": "UTC"}\n```\n'
        "\n*clock returned:*\n\n```\nFri\n2026\n```\n"
        '\n*Called we\\*ther:*\n\n```json\n{\n  "query": "the weather of tomorrow in Reykjavík",\n'
        '  "days": [\n    1,\n    2,\n    3\n  ],\n  "unit": "C"\n}\n```\n'
        "\n*we\\*ther failed:*\n\n````\nno such\nplace ```\n````\n"
        "\n*search returned:*\n\n```\nfound\n```\n"
        "\nanswer\n"
    )
    assert bare.endswith('\n```json\n{"zone": "UTC"}\n```\n')  # no place held for no text


def test_html_shows_tool_calls_and_what_came_of_them(database):
    evil = ToolResult("1", "</code><script>", "</pre><script>alert(1)</script>", is_error=False)
    with Store(database) as store:
        html = exported(store, "html", with_parts(*CALLS, evil))
    page = Page(html)
    assert "<summary>Called <code>clock</code></summary><pre><code>{&quot;zone&quot;" in html
    assert '<p class="meta">Result:</p><pre><code>Fri\n2026\n</code></pre></details>' in html
    assert "<summary>Called <code>we*ther</code> (failed)</summary>" in html
    assert "<summary>Result of <code>search</code></summary>" in html
    assert "</pre><script>alert(1)</script>" in page.text
    assert "script" not in page.tags
    assert page.tags.count("details") == 5  # with the reasoning


@pytest.mark.parametrize("fmt", ["json", "jsonl"])
def test_json_has_the_calls_as_they_were(database, fmt):
    with Store(database) as store:
        text = exported(store, fmt, with_parts(*CALLS))
    result = (
        json.loads(text.splitlines()[3]) if fmt == "jsonl" else json.loads(text)[0]["messages"][1]
    )
    assert result["parts"] == [*map(to_json, CALLS)]


@settings(max_examples=60)
@given(st.lists(PARTS, max_size=4), TEXTS)
def test_no_parts_break_what_is_shown(tmp_path_factory, parts, given):
    """Nor do they reach beyond themselves: what comes after them is no code, and no element."""
    odd = [{"event": "tool-call", "data": {"id": [given], "name": given, "arguments": {given: 1}}}]
    result = chat(reply="the answer")
    result.messages[1] = result.messages[1]._replace(parts=dumps(parts + odd))
    with Store(tmp_path_factory.mktemp("parts") / "history.db") as store:
        text = exported(store, "md", result)
        page = Page("".join(export.export(store, [result.id], "html")))
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(text)
    assert "the answer" in [token.content for token in tokens if token.type == "inline"]
    assert not {"script", "img", "iframe", "link", "object", "svg"} & set(page.tags)


def test_other_branches_are_mentioned(database):
    first = chat()
    other = DraftMessage(ids.new_id(), first.messages[0].id, "assistant", "other", "", "[]", 5)
    with Store(database) as store:
        text = exported(store, "md", first._replace(messages=[*first.messages, other]))
        assert "1 message in other branches not shown." in text
        assert "1 message in other branches" in "".join(export.export(store, [first.id], "html"))


# --- blocks that are left open ---

PIECES = st.lists(
    st.sampled_from([
        "```", "````", "~~~", "```py", "  ```", "    ```", "- ", "> ", "\n", "\n\n", "text", "`",
        "<!--", "-->", "<pre>", "</pre>", "<?php", "<![CDATA[", "<!X", "<script>", "<div>", "\t", "1. ",
    ]),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("```\nnever closed", "\n```"),
        ("text\n\n~~~~ py\n```\nx\n\n", "\n~~~~"),
        ("   ````\n```", "\n````"),
        ("<!-- a remark", "\n-->"),
        ("<PRE>\nx", "\n</pre>"),
        ("```\nclosed\n```", ""),
        ("- a list\n\n  ```\n  its own", ""),
        ("> ```\n> its own", ""),
        ("    ```\n    indented", ""),
        ("inline ``` is none", ""),
        ("``` a`b\nis none", ""),
        ("", ""),
    ],
)
def test_what_is_open_is_closed(text: str, end: str):
    assert close_blocks(text) == text.rstrip() + end


@given(PIECES)
def test_what_comes_next_is_its_own(text: str):
    parsed = MarkdownIt("commonmark").parse(f"{close_blocks(text)}\n\n## next\n")
    assert [(token.type, token.level) for token in parsed[-3:]] == [
        ("heading_open", 0), ("inline", 1), ("heading_close", 0)
    ]  # fmt: skip


@given(PIECES)
def test_nothing_is_taken_away_and_twice_is_once(text: str):
    assert close_blocks(text).startswith(text.rstrip())
    assert close_blocks(close_blocks(text)) == close_blocks(text)
