"""Slash commands do what they say, and a mistake loses no text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.isolation import ROOT, write_config
from support.sessions import (
    Paper,
    Service,
    counted,
    new_session,
    talk,
    texts,
    thought,
)

from darkai_cli.config import paths
from darkai_cli.providers import model_cache
from darkai_cli.providers import resolve as providers
from darkai_cli.providers.base import ModelInfo
from darkai_cli.repl import clipboard, shell
from darkai_cli.repl.commands import registry
from darkai_cli.repl.session import ChatSession

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
CODE = "Look:\n\n```python\nprint(1)\n```\n\nand\n\n```sh\nls\n```\n"


@pytest.fixture(autouse=True)
def _service(monkeypatch):
    monkeypatch.setenv("DARKAI_URL", "http://localhost:9/chat")
    monkeypatch.setattr(ChatSession, "prepare", lambda _: None)


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def session(paper: Paper, monkeypatch) -> ChatSession:
    Service(["one"], ["two"], ["three"], ["four"]).install(monkeypatch)
    return new_session(paper)


@pytest.fixture
def do(session: ChatSession, paper: Paper) -> Callable[..., str]:
    """Return a function that types lines and returns what the chat shows for them."""

    def doing(*lines: str, answers=()) -> str:
        paper.take()
        doing.hand = talk(session, *lines, answers=answers)
        output = paper.take().partition("Saved as ")[0]
        return re.sub(r"^darkai/\S+ · first token .*\n", "", output, flags=re.MULTILINE)

    return doing


def test_the_reference_page_is_what_the_registry_says():
    page = ROOT / "docs" / "reference" / "chat.md"
    assert page.read_text("utf-8") == registry.reference(), (
        "regenerate it with darkai_cli.repl.commands.registry.reference()"
    )


def test_every_command_has_a_summary_and_help(do):
    for command in registry.commands():
        assert command.summary[:1].isupper()
        assert not command.summary.endswith(".")
        assert command.detail
        assert command.summary in do(f"/help {command.names[0]}")
    output = do("/help")
    assert all(f"  {command.name}" in output for command in registry.commands())


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [("/modle x", "`/model`"), ("/e", "`/edit`"), ("/histroy", "`/history`"),
     ("/etc/passwd is what?", "`//`"), ("/", "`/help`")],
)  # fmt: skip
def test_an_unknown_command_names_the_nearest_and_gives_the_line_back(
    do, line, suggestion, session
):
    output = do(line)
    assert "error: Unknown command `/" in output
    assert suggestion in output
    assert do.hand.offered == ["", line]
    assert not len(session.branches)


def test_a_prefix_names_a_command():
    assert registry.find("ret").name == "/retry"


def test_two_slashes_send_a_text_with_one(do, session):
    do("//etc/passwd\nis what?")
    assert texts(session)[0] == "/etc/passwd\nis what?"


# --- talking -----------------------------------------------------------------------------------


def test_retry_asks_again_and_by_another_model_once(do, session):
    do("hi", "/retry", "/retry gpt-4o")
    models = [entry.answer.model for entry in session.branches.entries() if entry.answer]
    assert models == ["llama-3-70b", "llama-3-70b", "gpt-4o"]
    assert texts(session) == ["hi", "three"]
    assert session.target.model == "llama-3-70b"


def test_retry_without_a_prompt_and_continue_without_a_cut_reply(do):
    assert "error: No prompt has been sent yet" in do("/retry")
    assert "error: No reply to continue" in do("/continue")
    output = do("hi", "/continue")
    assert "error: The last reply is already complete" in output
    assert "hint: `/retry` starts over" in output
    assert "error: `/continue` takes no argument" in do("/continue 2")


def test_edit_begins_a_branch_and_redo_goes_back(do, session, tmp_path):
    (tmp_path / "n.txt").write_text("notes")
    do(f"/file {tmp_path / 'n.txt'}", "hi", "more", "/edit 1")
    assert do.hand.offered[-1] == "hi"
    assert session.pending.names == (str(tmp_path / "n.txt"),)
    do("/redo")
    assert texts(session)[-1] == "two"
    assert session.pending.names == ()
    do("/edit", "instead")
    assert texts(session)[2].startswith("instead")
    assert len(session.branches.leaves()) == 2
    assert "error: No turn 9" in do("/edit 9")
    assert "error: `/edit` takes the number of a turn, not `x`" in do("/edit x")


def test_think_shows_the_reasoning(do, monkeypatch):
    Service([thought("First, \nthen."), "one"], ["two"]).install(monkeypatch)
    assert "First,\nthen.\n" in do("hi", "/think").replace(" \n", "\n")
    assert "error: This reply has no reasoning" in do("more", "/think")
    assert "First" in do("/think 1")


# --- branches ----------------------------------------------------------------------------------


def test_undo_and_redo(do, session):
    do("hi", "more", "and", "/undo 2")
    assert texts(session) == ["hi", "one"]
    assert do.hand.offered[-1] == ""
    do("/redo", "/undo")
    assert texts(session) == ["hi", "one", "more", "two"]
    assert "error: There are only 2 turns" in do("/undo 3")
    assert "error: The number of turns must be 1 or more" in do("/undo 0")
    assert "error: `/undo` takes the number" in do("/undo all")
    do("/redo")
    assert "error: Nothing to redo" in do("/redo")


def test_fork_tree_goto_diff(do, session):
    do("hi", "more", "/fork 1", "other")
    assert texts(session) == ["hi", "one", "other", "three"]
    tree = do("/tree")
    assert re.search(r"^  ├─ you: more$", tree, re.MULTILINE)
    assert re.search(r"^\* └─ you: other$", tree, re.MULTILINE)
    assert re.search(r"two  \[1\]$", tree, re.MULTILINE)
    output = do("/goto 1")
    assert texts(session)[-1] == "two"
    assert "> more\ntwo\n" in output
    diff = do("/diff 2")
    assert "-other" in diff
    assert "+more" in diff
    assert "error: No branch or message `99`" in do("/goto 99")
    assert "error: `/goto` needs a branch" in do("/goto")
    assert "error: There is only one reply to this prompt" in do("/diff")
    assert "No differences." in do("/diff 1 1")
    assert "error: `/diff` takes at most two branches" in do("/diff 1 2 3")
    do("/retry")
    assert "+four" in do("/diff")
    do("/fork 0")
    assert texts(session) == []


def test_branches_of_nothing(do):
    for command in ("/tree", "/undo", "/redo", "/fork", "/raw", "/code", "/copy", "/export x.md"):
        assert "error: " in do(command), command


# --- model and options --------------------------------------------------------------------------


def test_model_is_shown_and_chosen(do, session):
    output = do("/model")
    assert output.startswith("darkai/llama-3-70b\n")
    assert "Switched to darkai/gpt-4o." in do("/model gpt-4o")
    assert session.name == "darkai/gpt-4o"
    do("/model demo/demo")
    assert session.name == "demo/demo"
    assert "error: " in do("/model nowhere/nothing")
    assert "takes one model" in do("/model demo/demo please")
    assert session.name == "demo/demo"


def test_system_goes_along_and_away(do, session, monkeypatch):
    service = Service(["one"]).install(monkeypatch)
    assert "No system prompt." in do("/system")
    do("/system Be brief.", "hi", "/system -", "more")
    assert service.requests[0].messages[0] == ("system", "Be brief.", (), (), "", "")
    assert service.requests[1].messages[0].role == "user"


def test_options_are_set_shown_and_taken_back(do, session, monkeypatch):
    service = Service(["one"]).install(monkeypatch)
    do('/set temperature=0.2 stop=["a", "b c"] seed=7', "hi")
    assert service.requests[0].options == {"temperature": 0.2, "stop": ["a", "b c"], "seed": 7}
    output = do("/set")
    assert 'stop=["a", "b c"]\n' in output
    do("/unset seed stop")
    assert session.options == {"temperature": 0.2}
    assert "error: Option `seed` is not set in this chat" in do("/unset seed")
    assert "error: Expected KEY=VALUE, not `temperature`" in do("/set temperature")
    do("/unset temperature", "/set temperature 0.2")
    assert "Expected KEY=VALUE" in do("/set a b c")
    assert "error: `seed`: the value" in do("/set seed=NaN")
    assert "error: The option `query` is set by darkai itself" in do("/set query=x")
    assert session.options == {"temperature": 0.2}


def test_an_option_that_the_service_does_not_know_is_told_at_once(paper, monkeypatch):
    session = new_session(paper, provider="anthropic")
    talk(session, "/set temprature=1")
    assert "error: " in paper.text
    assert "Did you mean `temperature`?" in paper.text
    assert session.options == {}
    session.options["whatever"] = 1
    talk(session, "/model openai/gpt-4o")
    assert "warning: " in paper.text
    assert "`whatever`; `/unset` removes an option" in paper.text


# --- files and clipboard ----------------------------------------------------------------------


def test_files_are_attached_once_and_read_anew(do, session, tmp_path):
    note = tmp_path / "my notes.txt"
    note.write_text("old")
    do(f"/file '{note}'")
    note.write_text("newer")
    assert f"Attached: {note} (5 characters)" in do(f"/file '{note}'", "/file")
    assert session.pending.texts == ((str(note), "newer"),)
    assert "Dropped all attachments." in do("/file -")
    assert session.pending.names == ()
    assert "error: No such file" in do("/file gone.txt")
    assert "error: A quote is not closed" in do("/file 'gone")
    assert "is a folder" in do(f"/file {tmp_path}")


def test_an_image_that_the_model_does_not_take_is_refused_when_it_is_attached(
    do, session, tmp_path
):
    (tmp_path / "a.png").write_bytes(PNG)
    assert "error: `darkai` doesn't accept images" in do(f"/file {tmp_path / 'a.png'}")
    assert session.pending.images == ()


def test_an_image_goes_along_again_on_retry(paper, monkeypatch, tmp_path):
    service = Service(["a cat"]).install(monkeypatch)
    (tmp_path / "a.png").write_bytes(PNG)
    settings = providers.BUILT_IN["openai"]
    model_cache.write("openai", settings.url, [ModelInfo("gpt-4o", takes=("text",))])
    session = new_session(paper, provider="openai", model="gpt-4o")
    talk(session, f"/file {tmp_path / 'a.png'}", "what is it?", "/retry", "and?")
    assert "warning: openai/gpt-4o may not accept images" in paper.text
    assert [len(request.messages[0].images) for request in service.requests] == [1, 1, 1]
    assert session.pending.images == ()


def test_a_page_that_cannot_be_had_attaches_nothing(do, session):
    assert "error: Can't fetch `http://127.0.0.1:9/x`: " in do("/file http://127.0.0.1:9/x")
    assert session.pending.names == ()


def test_copy_says_how(do, monkeypatch, session, paper):
    Service([CODE]).install(monkeypatch)
    monkeypatch.setattr(clipboard, "copy_command", lambda _: None)
    do("hi")
    paper.take()
    talk(session, "/copy", "/copy code 1", "/copy all", "/copy 1")
    raw = "".join(paper.pieces)
    assert raw.count("\x1b]52;c;") == 4
    assert "Code sent to the terminal's clipboard (OSC 52, if supported)." in paper.text
    assert "error: No code block 9" in do("/copy code 9")
    session.screen.plain = True
    assert "error: No clipboard is available" in do("/copy")


def test_clipboard_tools_get_no_keys(do, monkeypatch, session):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-AbCdEf0123456789")
    monkeypatch.setattr(clipboard, "paste_command", lambda _: ("env",))
    do("/paste")
    ((_, environment),) = session.pending.texts
    assert "PATH=" in environment
    assert "OPENAI_API_KEY" not in environment


def test_paste_attaches_the_clipboard(do, monkeypatch, session):
    monkeypatch.setattr(clipboard, "paste_command", lambda _: ("printf", "from the clipboard"))
    assert "Attached the clipboard (18 characters)" in do("/paste")
    assert session.pending.texts == (("clipboard", "from the clipboard"),)
    monkeypatch.setattr(clipboard, "paste_command", lambda _: None)
    assert "error: Can't read the clipboard here" in do("/paste")


def test_code_raw_and_save(do, monkeypatch, tmp_path):
    Service([CODE]).install(monkeypatch)
    output = do("hi", "/code")
    assert "1  python, 1 line: print(1)\n2  sh, 1 line: ls\n" in output
    assert CODE in do("/raw")
    target = tmp_path / "new file.py"
    assert f"Wrote {target}." in do(f"/save code 1 '{target}'")
    assert target.read_text() == "print(1)\n"
    assert "Not written." in do(f"/save code '{target}'", answers=[False])
    assert target.read_text() == "print(1)\n"
    do(f"/save code '{target}'", answers=[True])
    assert target.read_text() == "ls\n"
    do(f"/save {tmp_path / 'all.md'}")
    assert (tmp_path / "all.md").read_text() == CODE
    assert "error: `/save` needs a file name" in do("/save")
    assert "is a folder" in do(f"/save {tmp_path}")
    assert "hint: Name another file\n" in do(f"/save {tmp_path / 'no' / 'such' / 'x.md'}")


def test_export(do, session, tmp_path):
    do("hi", "/title A talk")
    for ending in ("md", "html", "json", "jsonl"):
        do(f"/export {tmp_path / 'talk'}.{ending}")
        assert "hi" in (tmp_path / f"talk.{ending}").read_text()
    records = [json.loads(line) for line in (tmp_path / "talk.jsonl").read_text().splitlines()]
    assert {"conversation", "message", "turn"} <= {record.get("record") for record in records}
    assert "error: `/export` needs a file name that ends in" in do("/export talk.txt")
    assert "error: `/export` needs" in do("/export")


def test_export_of_a_session_that_is_not_saved(paper, monkeypatch, tmp_path):
    Service(["one"]).install(monkeypatch)
    session = new_session(paper, save=False)
    talk(session, "hi", f"/export {tmp_path / 'a.md'}", f"/export {tmp_path / 'a.json'}")
    assert "## You\n\nhi\n" in (tmp_path / "a.md").read_text()
    assert "error: An unsaved chat can only be exported as Markdown" in paper.text


# --- conversations --------------------------------------------------------------------------------


def test_history_search_open_new_title(do, session, paper):
    assert "error: No conversations are saved yet" in do("/history")
    do("about whales", "/new", "about ants", "/title The ants")
    output = do("/history")
    assert "The ants" in output
    assert "  about whales" in output
    assert "about whales, you:" in do("/search whales")
    assert "error: No matches for `tigers`" in do("/search tigers")
    assert "error: `/search` needs words" in do("/search")
    with session.store() as store:
        older = store.conversations()[1]
    output = do(f"/open {older.short}")
    assert "> about whales\none\n" in output
    assert session.conversation == older.id
    assert texts(session) == ["about whales", "one"]
    assert "hint: `/history` lists recent conversations" in do("/open zz")
    assert "error: `/open` needs" in do("/open")
    assert do("/title").endswith("\nabout whales\n")


def test_a_title_before_the_first_prompt_is_kept(do, session):
    do("/title My talk", "hi")
    with session.store() as store:
        assert store.conversations()[0].title == "My talk"


# --- the session ----------------------------------------------------------------------------------


def test_tokens_and_cost(paper, monkeypatch):
    Service(["one", counted(1000, 500)], ["two"]).install(monkeypatch)
    settings = providers.BUILT_IN["openai"]
    prices = ModelInfo("gpt-4o", context=128_000, price_in=2.5, price_out=10.0)
    model_cache.write("openai", settings.url, [prices])
    session = new_session(paper, provider="openai", model="gpt-4o")
    talk(session, "hi", "more", "/tokens", "/info")
    assert " · 500 tokens · $0.0075\n" in paper.text
    assert "Reported by the service: 1000 in, 500 out\n" in paper.text
    assert "Estimated for other replies: ~1 out\n" in paper.text
    assert "Cost at the listed prices: $0.0075\n" in paper.text
    assert " of 128,000 tokens; on overflow: ask\n" in paper.text


def test_context_shows_what_would_not_fit_and_the_policy_decides(paper, monkeypatch, isolated):
    service = Service(["one" * 200]).install(monkeypatch)
    write_config("[providers.darkai]\ncontext = 400\n")
    session = new_session(paper)
    talk(session, "a" * 300, "b" * 300)
    assert len(service.requests) == 1
    assert "warning: ~" in paper.text
    assert (
        "tokens don't fit darkai/llama-3-70b (room for ~300): the oldest 2 messages must be left out"
        in paper.text
    )
    assert "error: Nothing was sent\n" in paper.text
    paper.take()
    talk(session, "/context")
    assert re.search(r"^  user +~79 +a+…?$", paper.take(), re.MULTILINE)
    hand = talk(session, "b" * 300, answers=[True])
    assert hand.questions == ["Send without the oldest 2 messages?"]
    assert len(service.requests[1].messages) == 1
    talk(session, "/context drop", "c" * 300)
    assert [len(request.messages) for request in service.requests] == [1, 1, 1]
    assert "left out the oldest 4 messages" in paper.take()
    talk(session, "/context send", "d" * 300)
    assert len(service.requests[-1].messages) == 7
    talk(session, "/context maybe")
    assert "error: Expected ask, drop or send, not `maybe`" in paper.take()
    assert len(session.branches.prompts()) == 4


def test_a_prompt_that_is_too_long_by_itself(paper, monkeypatch, isolated):
    service = Service(["one"]).install(monkeypatch)
    write_config('overflow = "drop"\n[providers.darkai]\ncontext = 400\n')
    session = new_session(paper)
    hand = talk(session, "a" * 4000)
    assert "this prompt alone is too long" in paper.text
    assert hand.questions == ["Send it anyway?"]
    assert hand.offered[-1] == "a" * 4000
    assert service.requests == []


def test_info_and_config(do):
    output = do("/info")
    assert "model:        darkai/llama-3-70b\n" in output
    assert "address:      http://localhost:9/chat\n" in output
    assert "Set timeout, from the next chat on." in do("/config timeout 30")
    assert "timeout = 30" in Path(paths.config_file()).read_text()
    assert "error: Unknown setting `timeuot`" in do("/config timeuot")
    assert "error: " in do("/config timeout soon")
    assert do("/config retries") == "retries = 0\n"


def test_verbose_tells_more(do, session, monkeypatch):
    Service(["one", counted(12, 3)]).install(monkeypatch)
    assert "Details are on." in do("/verbose")
    output = do("/set seed=1", "hi")
    assert "sent 1 message with seed=1\ntokens: 12 in, 3 out\nfirst token after " in output
    do("/verbose")
    assert "sent" not in do("more")


def test_clear_and_quit(session, paper):
    hand = talk(session, "/clear", "/quit", "never read")
    assert "\x1b[H\x1b[2J" in "".join(paper.pieces)
    assert len(hand.offered) == 2
    assert hand.closed


# --- shell commands -------------------------------------------------------------------------------


def test_a_shell_command_shows_and_offers_its_output(do, session, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    output = do("!printf 'a\\033[31mred\\n'; echo ${OPENAI_API_KEY:-none}", answers=[True])
    assert "ared\nnone\n" in output
    assert "\x1b[31m" not in output
    assert do.hand.questions == ["Attach these 2 lines to your next prompt?"]
    assert session.pending.texts[0].text == "ared\nnone"
    assert "Exit code 3." in do("!exit 3")
    assert "error: `!` needs a command" in do("!")


def test_a_hint_names_a_command_that_works_in_a_chat(paper, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    talk(new_session(paper, provider="openai"), "hi")
    assert "hint: `!darkai keys set openai`" in paper.text


def test_a_command_in_the_background_does_not_hold_the_session(do):
    assert "now\n" in do("!sleep 300 & echo now; kill $!")


@given(st.lists(st.integers(1, 60), max_size=6))
def test_what_a_program_writes_for_the_terminal_is_no_output(cuts):
    data = (
        b"\x1b]0;title\x07a\x1b[1;31mr\xc3\xa9d\x1b[0m \x1b(Bx\x1b[?25l\x1b[2K\x1b]8;;u\x1b\\link\n"
    )
    ends = sorted({*cuts, len(data)})
    pieces = [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert "".join(shell.filter_output(pieces)) == "aréd xlink\n"


def test_the_pages_name_commands_and_pictures_that_are_there():
    for page in ("docs/how-to/chat.md", "README.md", "docs/tutorial.md"):
        text = (ROOT / page).read_text("utf-8")
        names = re.findall(r"`/([a-z]+)(?: [^`]*)?`", text)
        assert {name for name in names if name != "chat"} <= registry.by_name().keys()
        for picture in re.findall(r"\]\(([^)]*\.svg)\)", text):
            assert (ROOT / page).parent.joinpath(picture).is_file()
    chat = (ROOT / "docs/how-to/chat.md").read_text("utf-8")
    left_out = {command.name for command in registry.commands() if command.name not in chat}
    assert left_out == {"/clear", "/info", "/quit"}


def test_words_after_new_are_not_dropped_without_a_word(do, session):
    do("hi")
    before = session.conversation
    assert "error: `/new` takes no argument" in do("/new what is a monad?")
    assert session.conversation == before
    assert "error: `/history` takes no argument" in do("/history monad")


def test_edit_opens_the_editor_where_nothing_has_been_asked(do, tmp_path, monkeypatch):
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\necho "from the editor" >> "$1"\n')
    script.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script))
    do("/edit")
    assert do.hand.offered[-1] == "from the editor"
    assert "error: No prompt has been sent yet" in do("/edit 1")
