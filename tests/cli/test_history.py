"""``darkai history`` as its users run it: real processes on a history that a journal wrote."""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.cells import cell_len
from support.scenario import Result, Shown, run_darkai, run_in_pty, start_in_pty

from darkai_cli.cli import main
from darkai_cli.config import paths
from darkai_cli.errors import DarkAIError
from darkai_cli.events import ToolCall, ToolResult, Usage, to_json
from darkai_cli.history import ids
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    store_all,
    turn_for,
)
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store
from darkai_cli.history.turns import dumps

READING = [
    ["list"], ["search", "joke"], ["stats"], ["path"], ["check"], ["vacuum"], ["show"], ["tree"],
    ["diff", "1", "2"], ["export"], ["rm", "--older-than", "1d", "--yes"], ["rename", "a", "b"],
]  # fmt: skip
EVIL = "evil \x1b[31mred\x1b[0m \x1b]0;title\x07 \u202ebackwards"


class Names(NamedTuple):
    """The ids of the conversations that ``saved`` makes."""

    jokes: str
    cut: str
    evil: str


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Three conversations: one with a branch, one cut, one hostile (the latest)."""
    clock = itertools.count(ids.now_ms() - 1000)  # no two turns in one millisecond
    monkeypatch.setattr(ids, "now_ms", lambda: next(clock))
    journal = Journal(paths.history_file())
    first = journal.begin("tell me a joke", provider="darkai", model="llama-3-70b")
    journal.text("Why do **programmers** mix up Halloween and Christmas?\n")
    journal.end("complete", usage=Usage(input=10, output=20))
    again = journal.begin(
        None, provider="openai", model="gpt-4o", conversation=first.conversation,
        prompt_id=first.prompt,
    )  # fmt: skip
    journal.text("There are 10 kinds of people.\n")
    journal.end("complete", usage=Usage(input=10, output=5))
    journal.begin(
        "in C++", provider="openai", model="gpt-4o", conversation=first.conversation,
        parent=again.reply,
    )  # fmt: skip
    journal.text("```cpp\nint x;\n```\n")
    journal.end("complete")
    cut = journal.begin("a\tlong\nlist", provider="darkai", model="llama-3-70b")
    journal.text("```\nnever closed")
    journal.end("truncated", reason="length")
    evil = journal.begin(EVIL, provider="darkai", model="mo\x1b[2Jdel")
    journal.text(f"{EVIL}\n")
    journal.end("interrupted", error=EVIL)
    journal.close()
    return Names(first.conversation, cut.conversation, evil.conversation)


def history(*args: str, **more: object) -> Result:
    return run_darkai("history", *args, **more)


def refusal(*args: str) -> DarkAIError:
    """How ``history`` fails with these arguments, in this process."""
    with pytest.raises(DarkAIError) as caught:
        main.run(["history", *args])
    return caught.value


def fields(*args: str) -> list[list[str]]:
    done = history(*args)
    assert (done.code, done.stderr) == (0, ""), done
    return [line.split("\t") for line in done.text.splitlines()]


def on_terminal(*args: str, cols: int = 80, **more: object) -> Shown:
    return run_in_pty("history", *args, cols=cols, rows=50, **more)


# --- nothing there --------------------------------------------------------------------------------


@pytest.mark.parametrize("args", READING, ids=" ".join)
def test_without_a_history_nothing_is_made_and_something_is_said(
    args: list[str], capsys: pytest.CaptureFixture[str]
):
    if args[0] in ("list", "search", "stats", "path", "check", "vacuum"):
        assert main.run(["history", *args]) == 0
        message = ""
    else:
        error = refusal(*args)
        assert error.exit_code == 5
        message = error.message
    output = capsys.readouterr()
    if args == ["path"]:
        assert output.out == f"{paths.history_file()}\n"
    else:
        assert "No saved conversations" in message + output.err
        assert not message or not output.out
    assert not paths.history_file().exists()
    assert not paths.history_file().with_name("history.db.pending").exists()


def test_an_import_that_cannot_be_read_makes_no_history(tmp_path: Path):
    done = history("import", str(tmp_path / "nowhere"))
    assert done.code == 11, done
    assert not paths.history_file().exists()


# --- list and search ------------------------------------------------------------------------------


def test_a_list_in_a_pipe_is_a_record_a_line(saved: Names):
    rows = fields()
    assert rows == fields("list")
    assert [row[0] for row in rows] == [saved.evil, saved.cut, saved.jokes]
    assert [row[2:5] for row in rows[1:]] == [
        ["llama-3-70b", "1", "truncated"],
        ["gpt-4o", "3", "complete"],
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[5]) for row in rows)


def test_tabs_and_newlines_in_a_title_do_not_break_the_line(saved: Names):
    assert history("rename", saved.cut, "one\ttwo\nthree\\four").code == 0
    assert fields()[1][1] == r"one\ttwo\nthree\\four"


def test_filters_of_the_list(saved: Names):
    assert [row[0] for row in fields("--state", "truncated")] == [saved.cut]
    assert [row[0] for row in fields("list", "-m", "gpt-4o")] == [saved.jokes]
    assert len(fields("--limit", "2")) == 2
    assert len(fields("--since", "1h")) == 3
    none = history("--model", "nobody")
    assert (none.code, none.stdout) == (0, b"")
    assert "No matching conversations" in none.stderr
    assert history("--state", "done").code == 2
    assert history("--since", "soon").code == 2


def test_a_list_as_json(saved: Names):
    rows = [json.loads(line) for line in history("list", "--json").text.splitlines()]
    assert [row["id"] for row in rows] == [saved.evil, saved.cut, saved.jokes]
    assert saved.jokes.startswith(rows[2]["short"])
    assert rows[2]["title"] == "tell me a joke"
    assert (rows[2]["turns"], rows[2]["state"]) == (3, "complete")


@pytest.mark.parametrize("cols", [30, 80])
def test_pages_fit_a_terminal_and_nothing_acts_on_it(saved: Names, cols: int):
    for args in ([], ["tree"], ["search", "red"], ["tree", saved.jokes], ["stats"]):
        screen = on_terminal(*args, cols=cols)
        assert screen.code == 0, screen
        assert b"\x1b]" not in screen.raw
        assert b"\x1b[2J" not in screen.raw
        text = re.sub(r"\x1b\[[0-9;]*m", "", screen.raw.decode()).replace("\r", "")
        assert "\x1b" not in text
        assert "\u202e" not in text
        if args != ["stats"] or cols >= 40:
            assert all(cell_len(line) <= cols for line in text.split("\n")), text


def test_a_list_on_a_terminal(saved: Names):
    lines = on_terminal().lines
    assert lines[0].split() == ["ID", "TITLE", "MODEL", "TURNS", "STATE", "AGE"]
    assert lines[1].split()[-3:] == ["interrupted", "just", "now"]
    assert saved.jokes.startswith(lines[3].split()[0])
    assert "tell me a joke" in lines[3]


def test_no_color_and_a_dumb_terminal_are_honoured(saved: Names):
    assert b"\x1b[33m" in on_terminal().raw
    assert not re.search(rb"\x1b\[[0-9;]*3\d", on_terminal(env={"NO_COLOR": "1"}).raw)
    assert b"\x1b" not in on_terminal(env={"TERM": "dumb"}).raw
    assert b"\x1b" not in on_terminal("show", saved.evil, env={"TERM": "dumb"}).raw


def test_search(saved: Names):
    [[conversation, title, role, model, _, snippet]] = fields("search", "halloween")
    assert (conversation, title, role) == (saved.jokes, "tell me a joke", "assistant")
    assert (model, "Halloween" in snippet) == ("llama-3-70b", True)
    [[_, _, role, *_]] = fields("search", "C++")
    assert role == "user"
    limited = history("search", "--limit", "1", "evil")
    assert len(limited.text.splitlines()) == 1
    assert limited.stderr == "note: Showing the best 1 of 2; use `--limit` for more\n"
    row = json.loads(history("search", "--json", "hallow*").text)
    assert {"text": "Halloween", "match": True} in row["snippet"]


def test_matches_are_highlighted_on_a_terminal(saved: Names):
    assert b"\x1b[1;31mHalloween\x1b[0m" in on_terminal("search", "halloween").raw
    assert on_terminal("search", "nosuchword").lines == ["note: No matches for `nosuchword`"]


def test_a_search_with_very_many_hits_says_that_it_is_by_date(saved: Names):
    with Store(paths.history_file()) as store, store.writing() as conn:
        conn.executemany(
            "INSERT INTO message (n, id, conversation, parent, role, text, created)"
            " VALUES (?, ?, ?, NULL, 'user', 'common', 1)",
            [(number, f"id{number}", saved.jokes) for number in range(10_001)],
        )
    done = history("search", "common", "--limit", "3")
    assert done.code == 0
    assert len(done.text.splitlines()) == 3
    assert "More than 10,000" in done.stderr
    assert "by date" in done.stderr


# --- one conversation -----------------------------------------------------------------------------


def test_show_in_a_pipe_is_markdown(saved: Names):
    done = history("show", saved.jokes[:25])
    assert done.code == 0
    assert done.text.startswith("# tell me a joke\n")
    assert "There are 10 kinds" in done.text
    assert "Halloween" not in done.text  # another branch
    assert "in other branches not shown" in done.text


def test_show_one_turn(saved: Names):
    first = history("show", saved.jokes, "--turn", "1").text
    assert first == (
        "## You\n\ntell me a joke\n\n## darkai/llama-3-70b\n\n"
        "Why do **programmers** mix up Halloween and Christmas?\n"
    )
    last = history("show", saved.jokes, "--turn", "-1").text
    assert last == history("show", saved.jokes, "--turn", "3").text
    assert "int x;" in last
    for turn in ("0", "4", "-4"):
        gone = history("show", saved.jokes, "--turn", turn)
        assert (gone.code, gone.stdout) == (5, b"")
        assert "3 turns" in gone.stderr


def test_show_as_json(saved: Names):
    whole = json.loads(history("show", saved.jokes, "--json").text)
    assert (whole["id"], len(whole["messages"]), len(whole["turns"])) == (saved.jokes, 5, 3)
    item = json.loads(history("show", saved.jokes, "--json", "--turn", "2").text)
    assert [message["role"] for message in item["messages"]] == ["user", "assistant"]
    assert [turn["model"] for turn in item["turns"]] == ["gpt-4o"]


def test_show_renders_on_a_terminal(saved: Names):
    screen = on_terminal("show", saved.jokes, "--turn", "1")
    assert "Why do programmers mix up Halloween and Christmas?" in screen.lines
    raw = on_terminal("show", saved.jokes, "--turn", "1", "--raw")
    assert "Why do **programmers** mix up Halloween and Christmas?" in raw.lines


def test_an_ending_is_told_although_a_fence_was_left_open(saved: Names):
    assert on_terminal("show", saved.cut).lines[-1] == "This reply was cut off: length."


@pytest.fixture
def thoughtful() -> str:
    """A reply with reasoning, a tool call and its result; its conversation."""
    talk, request, answered, turn = ids.new_ids(4)
    when = ids.now_ms()
    called = ToolCall("1", "clock", '{"zone": "UTC"}')
    given = ToolResult("1", "clock", "Fri\n2026 " + "x" * 100, is_error=False)
    parts = dumps([to_json(called), to_json(given)])
    thought = "I do not know.\nI \x1b[31mask the clock.\n"
    reply = DraftMessage(answered, request, "assistant", "**Friday**\n", thought, parts, when)
    messages = [DraftMessage(request, None, "user", "which day is it?", "", "[]", when), reply]
    made = turn_for(turn, reply, prompt=request, provider="p", model="m")
    with Store(paths.history_file()) as store:
        draft = ImportedConversation(
            talk, "a day", when, when, answered, "darkai", messages, [made]
        )
        store_all(store, [draft], ImportReport())
    return talk


def test_reasoning_and_tool_calls_on_a_terminal(thoughtful: str):
    folded = on_terminal("show")
    assert "reasoning, 8 words: use `--reasoning show` to read it" in folded.lines
    assert 'called clock {"zone": "UTC"}' in folded.lines
    assert [line for line in folded.lines if line.startswith("clock returned: Fri 2026 xx")]
    assert "Friday" in folded.lines
    screen = on_terminal("show", "--reasoning", "show")
    assert b"\x1b[2mI do not know.\x1b[0m" in screen.raw
    assert "I ␛[31mask the clock." in screen.lines
    assert screen.lines.index("I do not know.") < screen.lines.index("Friday")
    configured = on_terminal("show", env={"DARKAI_REASONING": "show"})
    assert configured.lines == screen.lines
    hidden = on_terminal("show", "--reasoning", "hide")
    assert not [line for line in hidden.lines if "reasoning" in line or "know" in line]
    assert all(cell_len(line) <= 40 for line in on_terminal("show", cols=40).lines)


def test_reasoning_in_a_pipe_where_it_is_asked_for(thoughtful: str):
    assert "know" not in history("show", env={"DARKAI_REASONING": "show"}).text
    for args in ([], ["--turn", "1"]):
        screen = history("show", "--reasoning", "show", *args).text
        expected = (
            "*Reasoning:*\n\n> I do not know.\n> I \x1b[31mask the clock.\n\n*Called clock:*\n"
        )
        assert expected in screen
        assert "```\n\n**Friday**\n" in screen
    assert history("show", "--reasoning", "loud").code == 2
    (reply,) = json.loads(history("show", "--json", "--turn", "1").text)["messages"][1:]
    assert reply["reasoning"].startswith("I do not know.")
    assert [part["event"] for part in reply["parts"]] == ["tool-call", "tool-result"]


def test_hostile_text_is_made_visible_on_a_terminal(saved: Names):
    for args in (["show"], ["show", "--raw"], ["export"]):
        screen = on_terminal(*args)
        assert b"\x1b]0" not in screen.raw
        assert b"\x1b[31mred" not in screen.raw
        assert "␛[31mred" in "".join(screen.lines)


def test_tree(saved: Names):
    assert [row[:2] + row[4:7] for row in fields("tree", saved.jokes)] == [
        ["*", "", "user", "", ""],
        ["", "1", "assistant", "llama-3-70b", "complete"],
        ["*", "2", "assistant", "gpt-4o", "complete"],
        ["*", "", "user", "", ""],
        ["*", "3", "assistant", "gpt-4o", "complete"],
    ]
    assert on_terminal("tree", saved.jokes).lines == [
        "tell me a joke",
        "* you: tell me a joke",
        "  ├─ [1] llama-3-70b: Why do **programmers** mix up Halloween and Christmas?",
        "* └─ [2] gpt-4o: There are 10 kinds of people.",
        "*    you: in C++",
        "*    [3] gpt-4o: ```cpp int x; ```",
    ]


def test_diff_of_two_replies(saved: Names):
    done = history("diff", f"{saved.jokes}:1", f"{saved.jokes}:2")
    assert done.code == 0
    assert done.text.splitlines()[2:] == [
        "@@ -1 +1 @@",
        "-Why do **programmers** mix up Halloween and Christmas?",
        "+There are 10 kinds of people.",
    ]
    screen = on_terminal("diff", f"{saved.jokes}:1", f"{saved.jokes}:2")
    assert b"\x1b[31m-Why" in screen.raw
    assert b"\x1b[32m+There" in screen.raw


def test_diff_of_branches_and_conversations(saved: Names):
    branches = history("diff", "--branch", f"{saved.jokes}:1", f"{saved.jokes}:3").text
    assert " tell me a joke" in branches  # what they share
    assert "+int x;" in branches
    assert "-tell me a joke" in history("diff", saved.jokes, saved.cut).text
    same = history("diff", "1", saved.evil + ":1")  # the latest
    assert (same.code, same.stdout) == (0, b"")
    assert "are the same" in same.stderr
    assert history("diff", f"{saved.jokes}:x", "1").code == 5


def test_an_id_that_nobody_has_or_several_have(saved: Names):
    for args in (["show", "zzz"], ["tree", "zzz"], ["rename", "zzz", "t"], ["rm", "zzz", "--yes"]):
        error = refusal(*args)
        assert (error.exit_code, error.message) == (5, "No conversation `zzz`"), args
        assert error.hint == "`darkai history list` lists them"
    several = history("show", saved.jokes[:3])
    assert several.code == 5
    assert saved.jokes[:7] in several.stderr


# --- changes --------------------------------------------------------------------------------------


def test_rm_needs_a_yes_where_nobody_can_be_asked(saved: Names):
    done = history("rm", saved.jokes)
    assert done.code == 2
    assert "--yes" in done.stderr
    assert len(fields()) == 3
    assert (
        history("rm", saved.jokes, saved.jokes, "--yes").stderr == "note: Removed 1 conversation\n"
    )
    assert [row[0] for row in fields()] == [saved.evil, saved.cut]


def test_rm_removes_nothing_if_one_id_is_wrong(saved: Names):
    assert history("rm", saved.jokes, "zzz", "--yes").code == 5
    assert history("rm").code == 2
    assert len(fields()) == 3


@pytest.mark.parametrize(("answer", "left"), [("n\n", 3), ("\n", 3), ("y\n", 2)])
def test_rm_asks_on_a_terminal(saved: Names, answer: str, left: int):
    with start_in_pty("history", "rm", saved.evil) as run:
        run.wait_for(b"[y/N]")
        run.type(answer)
        screen = run.screen_result()
    assert screen.code == 0, screen
    assert b"\x1b[31m" not in screen.raw
    assert len(fields()) == left


def test_ctrl_c_at_the_question_removes_nothing(saved: Names):
    with start_in_pty("history", "rm", saved.evil) as run:
        run.wait_for(b"[y/N]")
        run.type("\x03")
        assert run.screen_result().code == 130
    assert len(fields()) == 3


def test_rm_of_what_is_old(saved: Names):
    with Store(paths.history_file()) as store, store.writing() as conn:
        conn.execute("UPDATE conversation SET updated = 1 WHERE id = ?", (saved.jokes,))
    assert history("rm", "--older-than", "90d", "--yes").code == 0
    assert [row[0] for row in fields()] == [saved.evil, saved.cut]
    assert "No conversations are older" in history("rm", "--older-than", "90d").stderr


# --- export and import ----------------------------------------------------------------------------


def test_what_is_exported_can_be_imported_elsewhere(saved: Names, tmp_path: Path):
    stored = tmp_path / "all.jsonl"
    assert history("export", "--all", "--output", str(stored)).code == 0
    before = history("list", "--json").stdout
    elsewhere = {"DARKAI_HOME": str(tmp_path / "elsewhere")}
    done = history("import", str(stored), env=elsewhere)
    assert done.code == 0
    assert done.text.splitlines() == [
        "source\tdarkai", "conversations\t3", "messages\t9", "present\t0",
    ]  # fmt: skip
    assert history("list", "--json", env=elsewhere).stdout == before
    again = history("import", str(stored), env=elsewhere).text.splitlines()
    assert again[1:] == ["conversations\t0", "messages\t0", "present\t9"]


def test_an_export_of_one_in_each_format(saved: Names, tmp_path: Path):
    assert history("export", saved.jokes).text.startswith("# tell me a joke\n")
    assert "<!doctype html>" in history("export", saved.jokes, "--format", "html").text.lower()[:50]
    assert json.loads(history("export", saved.jokes, "--format", "json").text)[0]["id"]
    page = tmp_path / "page.html"
    assert history("export", saved.jokes, "--output", str(page)).stdout == b""
    assert page.read_text().lower().startswith("<!doctype html>")
    assert history("export", "--format", "pdf").code == 2
    assert history("export", saved.jokes, "--all").code == 2


def test_an_export_that_cannot_be_written_leaves_the_old_file(saved: Names, tmp_path: Path):
    old = tmp_path / "old.md"
    old.write_text("mine")
    assert history("export", "zzz", "--output", str(old)).code == 5
    assert old.read_text() == "mine"
    assert history("export", "--output", str(tmp_path / "no" / "where.md")).code == 11


def test_an_import_says_what_it_skipped(saved: Names, tmp_path: Path):
    file = tmp_path / "odd.jsonl"
    file.write_text('{"record": "history", "version": 1}\nnonsense\n{"record": "message"}\n')
    assert history("import", str(file)).text.splitlines()[-1].startswith("skipped\t2\t")
    screen = on_terminal("import", str(file))
    assert screen.lines[-1].startswith("Skipped 2 items: ")
    (tmp_path / "text").write_text("no history")
    assert history("import", str(tmp_path / "text")).code == 11


# --- the file -------------------------------------------------------------------------------------


def test_stats(saved: Names):
    rows = fields("stats")
    assert ["conversations", "3"] in rows
    assert ["output_tokens", "25"] in rows
    assert ["state", "truncated", "1"] in rows
    assert ["model", "openai", "gpt-4o", "2"] in [row[:4] for row in rows]
    finding = json.loads(history("stats", "--json", "--since", "1d").text)
    assert (finding["turns"], finding["states"]["complete"]) == (5, 3)
    assert [day["turns"] for day in finding["days"]] == [5]
    assert "5 turns" in on_terminal("stats").lines[0]


def test_vacuum_and_check(saved: Names):
    assert history("check").stdout == b"ok\n"
    before, after = fields("vacuum")[0]
    assert int(before) > 0
    assert int(after) == paths.history_file().stat().st_size
    with sqlite3.connect(paths.history_file()) as conn:
        conn.execute("UPDATE conversation SET active = 'nowhere' WHERE id = ?", (saved.jokes,))
    conn.close()
    done = history("check")
    assert done.code == 13
    assert saved.jokes in done.text
    assert "1 problem" in done.stderr


def test_check_can_make_the_search_index_anew(saved: Names):
    with sqlite3.connect(paths.history_file()) as conn:
        conn.execute("INSERT INTO message_fts(message_fts) VALUES ('delete-all')")
    conn.close()
    assert history("search", "halloween").stdout == b""
    assert history("check").code == 13
    assert history("check", "--repair").code == 0
    assert len(fields("search", "halloween")) == 1


def spoil(start: int = 0, size: int = 100) -> Path:
    """Overwrite a part of the history; where it is."""
    with sqlite3.connect(paths.history_file()) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    with paths.history_file().open("r+b") as file:
        file.seek(start)
        file.write(b"?" * size)
    return paths.history_file()


def files() -> set[str]:
    return {path.name for path in paths.history_file().parent.iterdir()} - {"history.db.pending"}


@pytest.mark.parametrize(
    "args",
    [*(item for item in READING if item != ["path"]), ["show", "--raw"], ["export", "--all"]],
    ids=" ".join,
)
def test_a_damaged_history_is_told_and_stays_where_it_is(
    saved: Names, args: list[str], capsys: pytest.CaptureFixture[str]
):
    file = spoil()
    before = file.read_bytes()
    error = refusal(*args)
    assert (error.exit_code, capsys.readouterr().out) == (13, "")
    assert error.message == f"The history is damaged (`{file}`)"
    assert error.hint == (f"`darkai history import {file}` moves it aside and recovers what it can")
    assert files() == {"history.db"}
    assert file.read_bytes() == before


def test_a_damaged_history_is_taken_back_by_the_command_in_the_hint(saved: Names):
    before = history("list", "--json").text
    file = spoil()
    hint = re.search(r"`darkai history (import [^`]*)`", history("list").stderr)
    assert hint
    done = history(*hint[1].split())
    assert done.code == 0, done
    aside = f"{file}.damaged-"
    assert done.stderr.startswith(f"note: Moved the damaged history to `{aside}")
    assert done.text.splitlines()[:4] == [
        "source\tdarkai", "conversations\t3", "messages\t9", "present\t0",
    ]  # fmt: skip
    assert history("list", "--json").text == before
    assert history("check").text == "ok\n"
    again = history(*hint[1].split())  # it is whole now
    assert (again.code, again.stdout) == (2, b"")
    assert "it is not damaged" in again.stderr


def test_what_ask_moved_aside_is_taken_back_by_the_command_in_its_warning(saved: Names):
    spoil()
    request = run_darkai("ask", "-p", "demo", "joke 1")
    assert request.code == 0
    command = re.search(r"To recover it: `darkai history (import [^`]*)`", request.stderr)
    assert command, request
    for present in ("0", "9"):
        done = history(*command[1].split())
        assert (done.code, done.stderr) == (0, "")
        assert f"present\t{present}" in done.text.splitlines()
    assert {row[0] for row in fields()} > set(saved)


def test_damage_that_is_met_later_is_told_with_the_same_hint(saved: Names):
    file = paths.history_file()
    spoil(4096 * 2, file.stat().st_size - 4096 * 2)
    done = history("check")
    assert done.code == 13
    assert f"`darkai history import {file}`" in done.stderr
    assert history("import", str(file)).code in (0, 11)
    assert history("check").text == "ok\n"


def test_a_file_that_is_no_history_at_all_makes_room_for_one(saved: Names):
    file = paths.history_file()
    file.write_bytes(b"a shopping list\n" * 500)
    for suffix in ("-wal", "-shm"):
        file.with_name(f"history.db{suffix}").unlink(missing_ok=True)
    done = history("import", str(file))
    assert (done.code, done.stdout) == (11, b"")
    assert "Unknown format" in done.stderr
    (aside,) = files() - {"history.db", "history.db-wal", "history.db-shm"}
    assert file.with_name(aside).read_bytes().startswith(b"a shopping list")
    assert history("check").text == "ok\n"


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_id_is_a_wrong_argument(saved: Names, empty: str):
    for args in (
        ["show", empty], ["tree", empty], ["rename", empty, "x"], ["rm", empty, "--yes"],
        ["rm", saved.jokes, empty, "--yes"], ["export", empty], ["export", saved.jokes, empty],
        ["diff", empty, empty], ["diff", "1", empty],
    ):  # fmt: skip
        error = refusal(*args)
        assert (error.exit_code, error.message) == (2, "An ID is empty"), args
        assert error.hint == "Run `darkai history list` to see the IDs"
    assert len(fields()) == 3


def test_titles_hold_nothing_that_a_terminal_acts_on(saved: Names):
    for args in (["list"], ["search", "evil"], ["tree"]):
        done = history(*args)
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.text) is None
        assert r"\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202ebackwards" in done.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_may_not_be_read_is_an_error_of_the_store(saved: Names):
    folder = paths.history_file().parent
    folder.chmod(0)
    try:
        assert history("list").code == 13
    finally:
        folder.chmod(0o700)


def test_a_reader_that_leaves_early_is_no_error(saved: Names):
    done = history("export", "--all", redirect="| head -n1")
    assert done.stderr == ""
    assert done.text.startswith("# ")


def test_a_command_that_does_not_exist(saved: Names):
    done = history("serch", "x")
    assert done.code == 2
    assert done.stderr == (
        "error: Unknown command `history serch`\nhint: Did you mean `darkai history search`?\n"
    )
