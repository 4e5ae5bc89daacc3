"""A session: whatever happens to a request, nothing said is lost, and disk and memory agree."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from support.sessions import Paper, Service, counted, lost, new_session, talk, thought

from darkai_cli.config import paths
from darkai_cli.conversation.branches import Branches
from darkai_cli.conversation.resume import Resumed, reopen
from darkai_cli.errors import Terminated
from darkai_cli.events import Notice, StreamEnd
from darkai_cli.repl import turn
from darkai_cli.repl.session import ChatSession


def shape(tree: Branches) -> tuple:
    """All that a tree is, to compare two."""
    rows = [
        (one.id, one.parent, one.message.role, one.message.content, one.answer and one.answer.state,
         one.answer and one.answer.reasoning)
        for one in tree.entries()
    ]  # fmt: skip
    return sorted(rows), tree.active


def said(session: ChatSession) -> list[str]:
    return [one.message.content for one in session.branches.branch()]


def on_disk(session: ChatSession) -> Resumed:
    return reopen(paths.history_file(), session.conversation)


def agree(session: ChatSession) -> None:
    """What would be reopened is what the session has."""
    found = on_disk(session)
    assert shape(found.branches()) == shape(session.branches)
    if len(session.branches):
        assert found.title == session.title


@pytest.fixture(autouse=True)
def _service(monkeypatch):
    monkeypatch.setenv("DARKAI_URL", "http://localhost:9/chat")


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def session(paper: Paper) -> ChatSession:
    return new_session(paper)


def test_two_prompts_are_one_conversation(session, paper, monkeypatch):
    service = Service(["Hello"], ["Bye"]).install(monkeypatch)
    talk(session, "hi", "and?")
    assert said(session) == ["hi", "Hello", "and?", "Bye"]
    assert [one.content for one in service.asked[1].messages] == ["hi", "Hello", "and?"]
    assert "darkai/llama-3-70b · first token 0.0 s" in paper.text
    assert "`darkai chat -c` resumes it" in paper.text
    agree(session)


def test_a_failed_request_gives_the_text_back_and_leaves_no_trace(
    session, paper, monkeypatch, tmp_path
):
    (tmp_path / "notes.txt").write_text("the notes\n")
    service = Service(["one"], [lost()], ["two"]).install(monkeypatch)
    hand = talk(session, "first", f"/file {tmp_path / 'notes.txt'}", "second", "second, again")
    assert hand.offered == ["", "", "", "second", ""]
    assert paper.text.count("error: the connection was lost\n") == 1
    assert said(session)[:1] == ["first"]
    assert said(session)[2].startswith("second, again\n\n==> ")
    assert "the notes" in service.asked[1].messages[-1].content
    assert service.asked[2].messages[-1].content == said(session)[2]
    assert session.pending.texts == ()
    agree(session)


def test_a_failed_first_prompt_begins_no_second_conversation(session, monkeypatch):
    Service([lost()], [lost()], ["fine"]).install(monkeypatch)
    talk(session, "frist", "frist", "first")
    agree(session)
    assert session.title == "first"
    with session.store() as store:
        assert len(store.conversations()) == 1


def test_what_failed_last_is_offered_when_the_conversation_is_reopened(session, monkeypatch):
    Service(["one"], [lost()]).install(monkeypatch)
    talk(session, "first", "second")
    again = new_session(Paper())
    again.reopen(None)
    assert again.unanswered_prompt() == "second"
    assert talk(again).offered == ["second"]
    Service(["two"]).install(monkeypatch)
    talk(again, "third")
    last = new_session(Paper())
    last.reopen(None)
    assert (last.unanswered_prompt(), said(last)) == ("", ["first", "one", "third", "two"])


def test_ctrl_c_keeps_what_came_and_continue_goes_on(session, paper, monkeypatch):
    service = Service(["One, ", "two", KeyboardInterrupt()], [", three"]).install(monkeypatch)
    talk(session, "count", "/continue")
    assert "Stopped. `/continue` picks up where it left off" in paper.text
    assert [one.message.content for one in session.branches.entries()] == [
        "count", "One, two", "One, two, three",
    ]  # fmt: skip
    assert service.asked[1].messages[-1].content == "One, two"
    assert [one.answer.state for one in session.branches.entries() if one.answer] == [
        "interrupted", "complete",
    ]  # fmt: skip
    agree(session)


def test_ctrl_c_before_the_answer_gives_the_text_back(session, paper, monkeypatch):
    Service([KeyboardInterrupt()]).install(monkeypatch)
    hand = talk(session, "count")
    assert hand.offered == ["", "count"]
    assert "Stopped before the reply began." in paper.text
    agree(session)


def test_a_lost_connection_keeps_the_text(session, paper, monkeypatch):
    Service(["One, ", lost()]).install(monkeypatch)
    talk(session, "count")
    assert said(session) == ["count", "One, "]
    assert "error: the connection was lost; the reply is incomplete\n" in paper.text
    assert f"hint: {turn.CONTINUE_HINT}\n" in paper.text
    agree(session)


def test_a_stopped_continuation_changes_nothing(session, monkeypatch):
    Service(["One", KeyboardInterrupt()], [KeyboardInterrupt()], [lost()]).install(monkeypatch)
    talk(session, "count", "/continue", "/continue")
    assert said(session) == ["count", "One"]
    agree(session)


def test_a_failed_retry_leaves_the_old_reply_active(session, monkeypatch):
    Service(["one"], [lost()], [KeyboardInterrupt()]).install(monkeypatch)
    talk(session, "first", "/retry", "/retry")
    assert said(session) == ["first", "one"]
    agree(session)


def test_reasoning_alone_is_kept_and_asked_again(session, paper, monkeypatch):
    service = Service([thought("Hm. "), KeyboardInterrupt()], [thought("So"), "Yes"]).install(
        monkeypatch
    )
    talk(session, "is it?", "/think", "/continue", "/think")
    assert said(session) == ["is it?", "Yes"]
    assert [one.content for one in service.asked[1].messages] == ["is it?"]
    assert "Hm." in paper.text
    assert "\nSo\n" in paper.text
    agree(session)


def test_a_reply_without_any_text_counts(session, monkeypatch):
    Service([], ["two"]).install(monkeypatch)
    talk(session, "say nothing", "and?")
    assert said(session) == ["say nothing", "", "and?", "two"]
    agree(session)


def test_a_refusal_without_a_word_gives_the_text_back(session, monkeypatch):
    Service([StreamEnd("filtered")]).install(monkeypatch)
    assert talk(session, "bad").offered == ["", "bad"]
    agree(session)


def test_sigterm_saves_what_came(session, monkeypatch):
    Service(["One, ", Terminated(15)]).install(monkeypatch)
    with pytest.raises(Terminated):
        talk(session, "count")
    found = reopen(paths.history_file(), None)
    assert [one.message.content for one in found.branches().branch()] == ["count", "One, "]


def test_a_history_that_cannot_be_written_ends_nothing(session, paper, monkeypatch, isolated):
    Service(["one"], ["two"], ["three"]).install(monkeypatch)
    home = Path(paths.history_file()).parent
    home.mkdir(parents=True, exist_ok=True)
    before = home.stat().st_mode

    def lock() -> str:
        blocked = sqlite3.connect(paths.history_file())
        blocked.execute("BEGIN EXCLUSIVE")
        session.blocked = blocked
        return "second"

    def free() -> str:
        session.blocked.execute("ROLLBACK")
        session.blocked.close()
        return "third"

    talk(session, "first", lock, "/undo", "/redo", "/title new", free)
    assert home.stat().st_mode == before
    assert said(session) == ["first", "one", "second", "two", "third", "three"]
    assert "warning: the history is locked" in paper.text
    agree(session)


def test_a_branch_that_the_history_has_not_got_is_told_as_such(session, paper, monkeypatch):
    Service(["one"]).install(monkeypatch)

    def unknown() -> str:
        session.history.set_active(session.conversation, "0" * 26)
        return "/info"

    talk(session, "first", unknown)
    assert "warning: the history doesn't have all of this conversation yet; changes" in paper.text


def test_a_session_that_is_not_saved_leaves_nothing(paper, monkeypatch):
    Service(["one"], [lost()]).install(monkeypatch)
    session = new_session(paper, save=False)
    talk(session, "first", "second", "/undo", "/redo")
    assert said(session) == ["first", "one"]
    assert not paths.history_file().exists()
    assert "darkai chat -c" not in paper.text


def test_notices_of_a_reply_are_shown(session, monkeypatch, capsys):
    Service([Notice("warning", "something was skipped"), "fine"]).install(monkeypatch)
    talk(session, "hi")
    assert "warning: something was skipped" in capsys.readouterr().err


def test_the_title_is_what_was_typed_not_what_was_attached(session, monkeypatch, tmp_path):
    (tmp_path / "log.txt").write_text("many\nlines\n")
    Service(["fine"]).install(monkeypatch)
    talk(session, f"/file {tmp_path / 'log.txt'}", "explain this")
    assert session.title == "explain this"
    agree(session)


def test_reopening_shows_the_last_exchange(session, monkeypatch):
    Service(["one"], ["the **end**"]).install(monkeypatch)
    talk(session, "first", "second\nline")
    paper = Paper()
    again = new_session(paper)
    again.reopen(None)
    talk(again)
    assert "> second\n. line\nthe end\n" in paper.text
    assert "> first" not in paper.text


def test_a_bug_in_a_command_does_not_end_the_session(session, paper, monkeypatch):
    Service(["one"]).install(monkeypatch)
    monkeypatch.setattr(Branches, "leaves", lambda _: 1 / 0)
    talk(session, "hi", "/tree", "there?")
    assert "error: Internal error: ZeroDivisionError" in paper.text
    assert len(said(session)) == 4


def test_the_estimate_is_scaled_by_what_the_service_counted(session, monkeypatch):
    Service(["one", counted(100, 5)]).install(monkeypatch)
    talk(session, "a" * 184)
    assert session.context_window.factor(session.target) == 2.0
    session.use_model("gpt-4o")
    assert session.context_window.factor(session.target) == 1.0
