"""What the input completes, and how quickly."""

from __future__ import annotations

import os
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from support.sessions import Paper, new_session

from darkai_cli.repl import completer as completer_module
from darkai_cli.repl.completer import SlashCompleter, _last_word


@pytest.fixture
def session():
    session = new_session(Paper())
    yield session
    session.close()


def results(session, text: str) -> list[str]:
    """Return the input with each candidate in its place."""
    candidates = SlashCompleter(session).get_completions(Document(text), CompleteEvent())
    return [text[: len(text) + each.start_position] + each.text for each in candidates]


def test_commands_by_the_beginning_of_any_name(session):
    assert results(session, "/mod") == ["/model "]
    assert "/quit" in results(session, "/")
    assert results(session, "/exi") == ["/quit"] or "/exit" in results(session, "/exi")
    assert results(session, "//mod") == []
    assert results(session, "text /mod") == []
    assert results(session, "/mod\n") == []


def test_models_and_conversations_and_options(session):
    assert "/model darkai/llama-3-70b" in results(session, "/model llama")
    assert results(session, "/set temp") == ["/set temperature="]
    assert results(session, "/help conte")[:1] == ["/help context"]
    assert results(session, "/open ") == []


def test_a_name_that_would_steer_the_terminal_is_not_offered(session):
    odd = "x\u202egnp.exe", "x\x1b]0;title\x07", "x\nquit", "x-plain"
    session.options.update(dict.fromkeys(odd, 1))
    assert results(session, "/unset x") == ["/unset x-plain"]


@pytest.fixture
def folder(tmp_path):
    for name in ("plain.txt", "two words.txt", "it's.txt", ".hidden", "UPPER.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "inner.txt").write_text("x")
    os.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("/file pl", ["/file plain.txt"]),
        ("/file two", ["/file 'two words.txt'"]),
        ("/file 'two w", ["/file 'two words.txt'"]),
        ('/file "it', ['/file "it\'s.txt"']),
        ("/file it", []),
        ("/file plain.txt tw", ["/file plain.txt 'two words.txt'"]),
        ("/file 'two words.txt' up", ["/file 'two words.txt' UPPER.md"]),
        ("/file a", ["/file 'a folder/"]),
        ("/file 'a folder/", ["/file 'a folder/inner.txt'"]),
        ("/file a\\ folder/i", ["/file 'a folder/inner.txt'"]),
        ("/file ~", ["/file ~/"]),
        ("/file .h", ["/file .hidden"]),
        ("/file https://a", []),
        ("/file nowhere/x", []),
    ],
)
def test_paths(session, folder, text, candidates):
    assert results(session, text) == candidates


def test_paths_in_the_home_folder(session, isolated):
    (isolated / "home" / "notes.txt").write_text("x")
    assert results(session, "/file ~/no") == ["/file ~/notes.txt"]
    assert results(session, f"/file {isolated}/home/no") == [f"/file {isolated}/home/notes.txt"]


@given(st.text(alphabet="ab'\" \\/~", max_size=20))
@example('"\\\\"')
@example('"a\\"b')
def test_the_last_word_is_the_shells(text):
    try:
        words = shlex.split(text)
    except ValueError:
        return
    word = _last_word(text)
    assert text.endswith(word.source)
    if word.text:
        assert words[-1] == word.text


def test_candidates_are_cached_for_one_input(session, monkeypatch):
    calls = []
    monkeypatch.setattr(
        completer_module, "_models", lambda _: calls.append(1) or [("one/model", "")]
    )
    completer = SlashCompleter(session)
    for text in ("/model o", "/model on", "/model one"):
        assert list(completer.get_completions(Document(text), CompleteEvent()))
    assert len(calls) == 1
    completer.forget()
    assert list(completer.get_completions(Document("/model o"), CompleteEvent()))
    assert len(calls) == 2
