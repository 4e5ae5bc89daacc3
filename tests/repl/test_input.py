"""The reader by itself: keys through prompt-toolkit's pipe, and what comes out as the message."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from darkai_cli.repl.input import PromptReader
from darkai_cli.repl.screen import ChatScreen
from darkai_cli.repl.session import ChatSession

PASTE = "\x1b[200~{}\x1b[201~"


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


def reader(keys: PipeInput, **flags: str) -> PromptReader:
    screen = ChatScreen(plain=False, write=lambda _text: None)
    session = ChatSession({"provider": "demo", **flags}, screen, options={}, save=True)
    return PromptReader(
        session, sys.stdin, keys=keys, output=DummyOutput(), history_file=Path("lines")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\r", "hello"),
        ("one\ntwo\r", "one\ntwo"),
        ("one\x1b\rtwo\r", "one\ntwo"),
        ("one\\\rtwo\r", "one\ntwo"),
        ("helo\x1b[Dl\r", "hello"),
        (PASTE.format("a\rb\r\nc") + "\r", "a\nb\nc"),
        (
            "see " + PASTE.format("\r".join(map(str, range(100)))) + "\r",
            "see " + "\n".join(map(str, range(100))),
        ),
    ],
)
def test_keys_make_a_message(keys: PipeInput, text: str, message: str):
    keys.send_text(text)
    assert reader(keys).read("") == message


def test_what_is_offered_can_be_changed(keys: PipeInput):
    keys.send_text("!\r")
    assert reader(keys).read("again") == "again!"


def test_ctrl_d_leaves_an_empty_input_only(keys: PipeInput):
    keys.send_text("x\x04\r")
    prompt = reader(keys)
    assert prompt.read("") == "x"
    keys.send_text("\x04")
    with pytest.raises(EOFError):
        prompt.read("")


def test_ctrl_c_drops_the_text_and_leaves_at_the_second_on_nothing(keys: PipeInput):
    prompt = reader(keys)
    keys.send_text("dropped\x03kept\r")
    assert prompt.read("") == "kept"
    keys.send_text("\x03\x03")
    with pytest.raises(EOFError):
        prompt.read("")


def test_the_lines_typed_before_are_there(keys: PipeInput):
    keys.send_text("first\r")
    reader(keys).read("")
    keys.send_text("\x1b[A\r")
    assert reader(keys).read("") == "first"
