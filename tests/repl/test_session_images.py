"""Pictures in a session: kept with their prompt, there again when the conversation is reopened."""

from __future__ import annotations

import pytest
from support.sessions import Hand, Paper, Service, lost, new_session, talk

from darkai_cli.conversation.attachments import Attachments
from darkai_cli.messages import Image
from darkai_cli.repl import main

PHOTO = Image("image/png", b"\x89PNG\r\n\x1a\nphoto", "photo.png")


@pytest.fixture(autouse=True)
def _service(monkeypatch):
    monkeypatch.setenv("DARKAI_URL", "http://localhost:9/chat")


def images(service):
    return [[one.images for one in chat.messages] for chat in service.asked]


def test_a_picture_is_sent_again_after_the_session_was_left(monkeypatch):
    service = Service(["red"]).install(monkeypatch)
    first = new_session(Paper())
    first.add(Attachments((), (PHOTO,)))
    talk(first, "what?", "and?")
    again = new_session(Paper())
    again.reopen(None)
    talk(again, "really?")
    with_it = (PHOTO,)
    assert images(service)[0] == [with_it]
    assert images(service)[1] == [with_it, (), ()]
    assert images(service)[2] == [with_it, (), (), (), ()]


def test_a_picture_whose_prompt_got_no_answer_is_attached_again(monkeypatch):
    Service([lost()]).install(monkeypatch)
    first = new_session(Paper())
    first.add(Attachments((), (PHOTO,)))
    talk(first, "what?")
    service = Service(["red"]).install(monkeypatch)
    again = new_session(Paper())
    again.reopen(None)
    hand = talk(again, "what?")
    assert hand.offered[0] == "what?"
    assert images(service) == [[(PHOTO,)]]
    third = new_session(Paper())
    third.reopen(None)
    assert third.unanswered_prompt() == ""
    assert third.pending == Attachments()


def test_it_does_not_go_along_with_another_first_prompt(monkeypatch):
    Service([lost()]).install(monkeypatch)
    first = new_session(Paper())
    first.add(Attachments((), (PHOTO,)))
    talk(first, "what?")
    service = Service(["fine"]).install(monkeypatch)
    again = new_session(Paper())
    again.reopen(None)
    main.run(again, Hand(), "something else")
    assert images(service) == [[()]]


def test_a_picture_that_is_asked_about_again_is_kept_once(monkeypatch):
    service = Service(["red"], ["blue"]).install(monkeypatch)
    session = new_session(Paper())
    session.add(Attachments((), (PHOTO,)))
    talk(session, "what?", "/retry")
    assert images(service) == [[(PHOTO,)], [(PHOTO,)]]
    with session.store() as store:
        assert store.rows("SELECT name FROM attachment") == [("photo.png",)]
