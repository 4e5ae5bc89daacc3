"""Turns of a chat: whatever happens to a request, no text is lost, and disk and memory agree."""

from __future__ import annotations

import sqlite3

import pytest
from support.sessions import (
    Hand,
    Paper,
    Service,
    counted,
    lost,
    new_session,
    shape,
    talk,
    texts,
    thought,
)

from darkai_cli.config import paths
from darkai_cli.conversation.attachments import Attachments
from darkai_cli.conversation.branches import Branches
from darkai_cli.conversation.resume import reopen
from darkai_cli.errors import Terminated
from darkai_cli.events import Notice, StreamEnd, ToolCall
from darkai_cli.messages import Image
from darkai_cli.repl import main, turn
from darkai_cli.repl.session import ChatSession

PHOTO = Image("image/png", b"\x89PNG\r\n\x1a\nphoto", "photo.png")
STOP = KeyboardInterrupt()


@pytest.fixture(autouse=True)
def _service(monkeypatch):
    monkeypatch.setenv("DARKAI_URL", "http://localhost:9/chat")


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def session(paper: Paper) -> ChatSession:
    return new_session(paper)


def reopened() -> ChatSession:
    """Return a session that continues the latest conversation."""
    session = new_session(Paper())
    session.reopen(None)
    return session


def assert_saved(session: ChatSession) -> None:
    """What would be reopened is what the session has."""
    resumed = reopen(paths.history_file(), session.conversation)
    assert shape(resumed.branches()) == shape(session.branches)
    if len(session.branches):
        assert resumed.title == session.title


def test_two_prompts_are_one_conversation(session, paper, monkeypatch):
    service = Service(["Hello"], ["Bye"]).install(monkeypatch)
    talk(session, "hi", "and?")
    assert texts(session) == ["hi", "Hello", "and?", "Bye"]
    assert [message.content for message in service.requests[1].messages] == ["hi", "Hello", "and?"]
    assert "darkai/llama-3-70b · first token 0.0 s" in paper.text
    assert "`darkai chat -c` resumes it" in paper.text
    assert_saved(session)


@pytest.mark.parametrize(
    ("scripts", "lines", "branch", "offered"),
    [
        ([[STOP]], ["count"], [], "count"),
        ([[StreamEnd("filtered")]], ["bad"], [], "bad"),
        ([[], ["two"]], ["nothing", "and?"], ["nothing", "", "and?", "two"], ""),
        ([["One", STOP], [STOP], [lost()]], ["count", "/continue", "/continue"], ["count", "One"], ""),
        ([["one"], [lost()], [STOP]], ["first", "/retry", "/retry"], ["first", "one"], ""),
        ([[lost()], [lost()], ["fine"]], ["frist", "frist", "first"], ["first", "fine"], ""),
    ],
    ids=["stopped", "refused", "empty", "continue fails", "retry fails", "first fails"],
)  # fmt: skip
def test_a_turn_in_which_nothing_came_leaves_no_trace(
    session, monkeypatch, scripts, lines, branch, offered
):
    Service(*scripts).install(monkeypatch)
    hand = talk(session, *lines)
    assert texts(session) == branch
    assert hand.offered[-1] == offered
    assert_saved(session)
    with session.store() as store:
        assert len(store.conversations()) == 1


def test_a_failed_request_gives_text_and_attachments_back(session, paper, monkeypatch, tmp_path):
    (tmp_path / "notes.txt").write_text("the notes\n")
    service = Service(["one"], [lost()], ["two"]).install(monkeypatch)
    hand = talk(session, "first", f"/file {tmp_path / 'notes.txt'}", "second", "second, again")
    assert hand.offered == ["", "", "", "second", ""]
    assert paper.text.count("error: the connection was lost\n") == 1
    assert texts(session)[:1] == ["first"]
    assert texts(session)[2].startswith("second, again\n\n==> ")
    assert "the notes" in service.requests[1].messages[-1].content
    assert service.requests[2].messages[-1].content == texts(session)[2]
    assert session.pending.texts == ()
    assert_saved(session)


def test_an_unanswered_prompt_is_offered_when_the_conversation_is_reopened(session, monkeypatch):
    Service(["one"], [lost()]).install(monkeypatch)
    talk(session, "first", "second")
    again = reopened()
    assert talk(again).offered == ["second"]
    Service(["two"]).install(monkeypatch)
    talk(again, "third")
    last = reopened()
    assert (last.unanswered_prompt(), texts(last)) == ("", ["first", "one", "third", "two"])


def test_ctrl_c_keeps_the_text_and_continue_continues_it(session, paper, monkeypatch):
    service = Service(["One, ", "two", STOP], [", three"]).install(monkeypatch)
    talk(session, "count", "/continue")
    assert "Stopped. `/continue` picks up where it left off" in paper.text
    entries = session.branches.entries()
    assert [entry.message.content for entry in entries] == ["count", "One, two", "One, two, three"]
    assert service.requests[1].messages[-1].content == "One, two"
    states = [entry.answer.state for entry in entries if entry.answer]
    assert states == ["interrupted", "complete"]
    assert_saved(session)


def test_a_lost_connection_keeps_the_text(session, paper, monkeypatch):
    Service(["One, ", lost()]).install(monkeypatch)
    talk(session, "count")
    assert texts(session) == ["count", "One, "]
    assert "error: the connection was lost; the reply is incomplete\n" in paper.text
    assert f"hint: {turn.CONTINUE_HINT}\n" in paper.text
    assert_saved(session)


def test_reasoning_alone_is_kept_and_the_prompt_sent_again(session, paper, monkeypatch):
    service = Service([thought("Hm. "), STOP], [thought("So"), "Yes"]).install(monkeypatch)
    talk(session, "is it?", "/think", "/continue", "/think")
    assert texts(session) == ["is it?", "Yes"]
    assert [message.content for message in service.requests[1].messages] == ["is it?"]
    assert "Hm." in paper.text
    assert "\nSo\n" in paper.text
    assert_saved(session)


def test_sigterm_saves_the_text(session, monkeypatch):
    Service(["One, ", Terminated(15)]).install(monkeypatch)
    with pytest.raises(Terminated):
        talk(session, "count")
    assert texts(reopened()) == ["count", "One, "]


def test_a_locked_history_does_not_end_the_chat(session, paper, monkeypatch, isolated):
    Service(["one"], ["two"], ["three"]).install(monkeypatch)
    blockers = []

    def lock() -> str:
        blockers.append(sqlite3.connect(paths.history_file()))
        blockers[0].execute("BEGIN EXCLUSIVE")
        return "second"

    def free() -> str:
        blockers[0].execute("ROLLBACK")
        blockers[0].close()
        return "third"

    talk(session, "first", lock, "/undo", "/redo", "/title new", free)
    assert texts(session) == ["first", "one", "second", "two", "third", "three"]
    assert "warning: Another process holds the history" in paper.text
    assert_saved(session)


def test_a_branch_that_is_not_in_the_history_yet_is_reported(session, paper, monkeypatch):
    Service(["one"]).install(monkeypatch)

    def unknown() -> str:
        session.history.set_active(session.conversation, "0" * 26)
        return "/info"

    talk(session, "first", unknown)
    assert "warning: the history doesn't have all of this conversation yet; changes" in paper.text


def test_a_chat_that_is_not_saved_leaves_nothing(paper, monkeypatch):
    Service(["one"], [lost()]).install(monkeypatch)
    session = new_session(paper, save=False)
    talk(session, "first", "second", "/undo", "/redo")
    assert texts(session) == ["first", "one"]
    assert not paths.history_file().exists()
    assert "darkai chat -c" not in paper.text


def test_notices_and_tool_calls_of_a_reply_are_shown(session, monkeypatch, capsys):
    call = ToolCall("c1", "wea\x1bther", "{}")
    service = Service([Notice("warning", "something was skipped"), "Wait.", call], ["fine"])
    service.install(monkeypatch)
    talk(session, "hi", "and?")
    lines = capsys.readouterr().err.splitlines()
    assert "warning: something was skipped" in lines
    assert sum("`wea␛ther`" in line for line in lines) == 1
    # A call without a result is not sent again: services refuse it.
    assert session.branches.branch()[1].message.calls
    assert all(message.calls == () for message in service.requests[1].messages)


def test_the_title_is_what_was_typed_and_not_an_attachment(session, monkeypatch, tmp_path):
    (tmp_path / "log.txt").write_text("many\nlines\n")
    Service(["fine"]).install(monkeypatch)
    talk(session, f"/file {tmp_path / 'log.txt'}", "explain this")
    assert session.title == "explain this"
    assert_saved(session)


def test_reopening_shows_the_last_turn(session, monkeypatch):
    Service(["one"], ["the **end**"]).install(monkeypatch)
    talk(session, "first", "second\nline")
    paper = Paper()
    again = new_session(paper)
    again.reopen(None)
    talk(again)
    assert paper.text.startswith(
        'Resumed "first" with darkai/llama-3-70b.\n> second\n. line\nthe end'
    )


def test_a_bug_in_a_command_does_not_end_the_chat(session, paper, monkeypatch):
    Service(["one"]).install(monkeypatch)
    monkeypatch.setattr(Branches, "leaves", lambda _: 1 / 0)
    talk(session, "hi", "/tree", "there?")
    assert "error: Internal error: ZeroDivisionError" in paper.text
    assert len(texts(session)) == 4


def test_estimates_are_scaled_to_what_the_service_counted(session, monkeypatch):
    Service(["one", counted(100, 5)]).install(monkeypatch)
    talk(session, "a" * 184)
    assert session.context_window.factor(session.target) == 2.0
    session.use_model("gpt-4o")
    assert session.context_window.factor(session.target) == 1.0


def images(service: Service) -> list:
    return [[message.images for message in chat.messages] for chat in service.requests]


def test_an_image_is_sent_again_with_its_prompt(session, monkeypatch):
    service = Service(["red"]).install(monkeypatch)
    session.add(Attachments((), (PHOTO,)))
    talk(session, "what?", "/retry")
    talk(reopened(), "really?")
    assert images(service) == [[(PHOTO,)], [(PHOTO,)], [(PHOTO,), (), ()]]
    with session.store() as store:
        assert store.rows("SELECT name FROM attachment") == [("photo.png",)]


def test_an_image_comes_back_with_its_unanswered_prompt_only(session, monkeypatch):
    Service([lost()]).install(monkeypatch)
    session.add(Attachments((), (PHOTO,)))
    talk(session, "what?")
    service = Service(["red"]).install(monkeypatch)
    main.run(reopened(), Hand(), "something else")
    assert images(service) == [[()]]
    session.start_new()
    Service([lost()]).install(monkeypatch)
    session.add(Attachments((), (PHOTO,)))
    talk(session, "what?")
    service.install(monkeypatch)
    hand = talk(reopened(), "what?")
    assert hand.offered[0] == "what?"
    assert images(service)[1:] == [[(PHOTO,)]]
    last = reopened()
    assert (last.unanswered_prompt(), last.pending) == ("", Attachments())
