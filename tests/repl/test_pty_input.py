"""Typing in ``darkai chat`` on a terminal: keys, pastes, history, completion, the editor."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
from pathlib import Path

import pytest
from support.scenario import DARKAI, start_in_pty
from support.server import FaultServer, Stall, reply
from support.talk import DEMO, Chat, chatting, query, to

from darkai_cli.config import paths

PASTE = "\x1b[200~", "\x1b[201~"
LONG = "\n".join(f"line {number}" for number in range(500))


def last_prompt(server: FaultServer, number: int = 1) -> str:
    """The last prompt of a request."""
    return query(server, number).rpartition("User: ")[2]


@pytest.fixture
def server():
    with FaultServer(reply(["fine"])) as server:
        yield server


def test_enter_sends_and_the_prompt_is_back(server):
    with chatting(env=to(server)) as chat:
        chat.type("hello\r")
        chat.until("fine")
        chat.input()
        assert last_prompt(server).startswith("hello")
        result = chat.leave()
    assert result.code == 0
    assert any(line.startswith("> hello") for line in result.lines)


def test_darkai_alone_on_a_terminal_is_a_chat():
    with start_in_pty(env=DEMO) as run:
        run.wait_until(lambda screen: "demo/demo" in screen.display[-1])
        run.type("\x04")
        assert run.screen_result().code == 0


@pytest.mark.parametrize(
    ("mode", "key"), [("emacs", "\x1b\r"), ("vi", "\x1b\r"), ("vi", "\n"), ("vi", "\\\r")]
)
def test_a_new_line(server, mode, key):
    with chatting(env={**to(server), "DARKAI_EDIT_MODE": mode}) as chat:
        chat.type("one")
        chat.input("one")
        chat.type(key)
        chat.input("one\n")
        chat.type("two")
        chat.input("one\ntwo")
        chat.type("\r")
        chat.until("fine")
        assert last_prompt(server).startswith("one\ntwo")


@pytest.mark.parametrize("rows", [2, 20])
@pytest.mark.parametrize("start", ["!touch ran-from-a-paste", "/quit smoking"])
def test_a_paste_is_never_a_command(server, start, rows):
    text = start + "\nrow" * rows
    with chatting(env=to(server)) as chat:
        chat.type(text.replace("\n", "\r").join(PASTE))
        chat.input("[pasted 21 lines]" if rows > 12 else f"{start[0]}{text}")
        chat.type("\r")
        chat.until("fine")
        chat.leave()
    assert last_prompt(server).startswith(text)


def test_a_bracketed_paste_of_500_lines_is_one_message_and_a_token(server):
    with chatting(env=to(server)) as chat:
        chat.type("see: ")
        chat.input("see: ")
        chat.type(LONG.replace("\n", "\r").join(PASTE))
        chat.input("see: [pasted 500 lines]")
        assert not server.requests
        chat.type("\r")
        chat.until("fine")
        chat.input()
        assert last_prompt(server).startswith(f"see: {LONG}")
        chat.leave()
    stored = paths.input_file(os.environ).read_text().splitlines()
    assert stored[-500:] == [f"+{line}" for line in f"see: {LONG}".splitlines()]


def test_a_pasted_tab_is_displayed_as_spaces_and_stays_a_tab(server):
    with chatting(env=to(server)) as chat:
        chat.type(f"{PASTE[0]}if x:\n\treturn\ty{PASTE[1]}")
        chat.input("if x:\n    return  y")
        chat.type("\r")
        chat.until("fine")
        assert last_prompt(server).startswith("if x:\n\treturn\ty")


def test_direction_controls_in_a_paste_are_visible():
    with chatting(env=DEMO) as chat:
        chat.type(f"{PASTE[0]}x\u202egnp.exe\u2066{PASTE[1]}")
        chat.input("x<202e>gnp.exe<2066>")
        chat.type("\x03")
        chat.input()
        assert chat.leave().code == 0


@pytest.mark.parametrize("size", [3, 500])
def test_several_lines_at_once_are_one_message_that_is_offered(server, size):
    """A terminal without bracketed paste."""
    text = "\n".join(f"line {number}" for number in range(size))
    with chatting(env=to(server)) as chat:
        chat.type(text.replace("\n", "\r") + "\r")
        chat.input(text if size < 10 else f"[pasted {size} lines]")
        assert not server.requests
        chat.type("\r")
        chat.until("fine")
        assert last_prompt(server).startswith(text)
        assert len(server.requests) == 1


def test_ctrl_c_clears_and_keeps_and_twice_leaves():
    with chatting() as chat:
        chat.type("half a thought")
        chat.input("half a thought")
        chat.type("\x03")
        chat.input()
        chat.type("\x1b[A")
        chat.input("half a thought")
        chat.type("\x03")
        chat.input()
        chat.type("\x03")
        chat.until("Press Ctrl-C again or Ctrl-D to leave")
        chat.type("x")
        chat.gone("Ctrl-C again")
        chat.type("\x7f")
        chat.input()
        chat.type("\x03")
        chat.until("Press Ctrl-C again or Ctrl-D to leave")
        chat.type("\x03")
        assert chat.run.screen_result().code == 0


def test_input_history_search_and_suggestion_in_the_next_session():
    with chatting() as chat:
        for text in ("tell me a joke", "who are you"):
            chat.type(f"{text}\r")
            chat.until(f"> {text}")
            chat.input()
        chat.leave()
    file = paths.input_file(os.environ)
    assert file.stat().st_mode & 0o777 == 0o600
    with chatting() as chat:
        chat.type("\x1b[A")
        chat.input("who are you")
        chat.type("\x1b[A")
        chat.input("tell me a joke")
        chat.type("\x1b[B")
        chat.input("who are you")
        chat.type("\x15")
        chat.input()
        chat.type("tell")
        chat.until("> tell me a joke")  # the rest of it is a suggestion
        chat.type("\x05")
        chat.input("tell me a joke")
        chat.type("\x15")
        chat.input()
        chat.type("\x12")
        chat.until("I-search backward")
        chat.type("joke")
        chat.until("tell me a joke")
        chat.type("\r")  # takes what was found, the cursor on it
        chat.gone("I-search")
        chat.input("tell me a ")
        chat.type("\x03")
        chat.input()
        chat.leave()


def test_the_menu_of_commands_and_of_paths(tmp_path):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "notes one.txt").write_text("x")
    os.chdir(tmp_path)
    with chatting() as chat:
        chat.type("/mo")
        chat.until("/model [NAME]")
        chat.type("\t")
        chat.input("/model ")
        chat.type("\x15")
        chat.input()
        chat.type("/file a")
        chat.until("a folder/")
        chat.type("\t")
        chat.input("/file 'a folder/")
        chat.type("n")
        chat.until("notes one.txt")
        chat.type("\t")
        chat.input("/file 'a folder/notes one.txt'")
        chat.type("\r")  # takes the choice of the menu
        chat.type("\r")
        chat.until("Attached ")
        chat.input()
        chat.foot("1 attached")
        chat.leave()


def editor(folder: Path, script: str) -> str:
    file = folder / "editor"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_an_editor_that_fails_loses_nothing(tmp_path):
    with chatting(env={**DEMO, "VISUAL": editor(tmp_path, "echo more >> $1; exit 3")}) as chat:
        chat.type("draft")
        chat.input("draft")
        chat.type("\x18\x05")
        chat.until("exit code 3")
        chat.input("draft")
        chat.type("\x15")
        chat.leave()


@pytest.mark.parametrize("mode", ["emacs", "vi"])
def test_the_editor_gets_the_text_of_a_paste_and_no_keys(tmp_path, mode):
    script = f"env > {tmp_path}/env; cp $1 {tmp_path}/text; echo edited > $1"
    env = {"VISUAL": editor(tmp_path, script), "OPENAI_API_KEY": "sk-secret"}
    with chatting(env={**DEMO, **env, "DARKAI_EDIT_MODE": mode}) as chat:
        chat.type(LONG.join(PASTE))
        chat.input("[pasted 500 lines]")
        chat.type("\x18\x05")
        chat.input("edited")
        assert (tmp_path / "text").read_text() == LONG
        assert "sk-secret" not in (tmp_path / "env").read_text()
        chat.type("\x03")
        chat.leave()


def test_vi_mode_is_displayed():
    with chatting(env={**DEMO, "DARKAI_EDIT_MODE": "vi"}) as chat:
        chat.type("hello world")
        chat.input("hello world")
        chat.type("\x1b")
        chat.foot("normal mode")
        chat.type("0dwA")
        chat.gone("normal mode")
        chat.input("world")
        chat.type("\x03")
        chat.leave()


def shell() -> tuple[str, ...]:
    return (shutil.which("bash") or pytest.skip("no bash"), "--norc", "--noprofile", "-i")


def test_what_was_typed_to_a_chat_is_never_run_by_the_shell():
    with FaultServer(reply(["so far ", Stall()], end=None)) as server:
        with start_in_pty(command=shell(), env={**to(server), "PS1": "$ "}) as run:
            chat = Chat(run)
            chat.until("$")
            chat.type(f"{shlex.join(DARKAI)} chat\r")
            chat.until("darkai/")
            chat.type("hello\r")
            chat.until("so far")
            chat.type("touch one\r")
            chat.type("\x1a")
            chat.until("Stopped")
            chat.type("fg\r")
            chat.run.wait_until(lambda screen: screen.cursor.hidden)
            chat.type("\x03")
            chat.input("touch one")
            chat.type("\x03")
            chat.input()
            chat.type("again\r")
            chat.run.wait_until(lambda screen: sum("so far" in x for x in screen.all_lines()) == 2)
            chat.type("touch two\r")
            pid = run.process.pid
            os.kill(int(Path(f"/proc/{pid}/task/{pid}/children").read_text()), signal.SIGTERM)
            chat.until("`darkai chat -c` resumes it")
            chat.type("echo over\r")
            chat.run.wait_until(lambda screen: "over" in screen.all_lines())
            chat.type("exit\r")
            chat.run.finish()
    assert not Path("one").exists()
    assert not Path("two").exists()


def test_suspend_and_go_on():
    with start_in_pty(command=shell(), env={**DEMO, "PS1": "$ "}) as run:
        chat = Chat(run)
        chat.until("$")
        chat.type(f"{shlex.join(DARKAI)} chat\r")
        chat.run.wait_until(lambda screen: "demo/demo" in screen.display[-1])
        chat.type("half")
        chat.input("half")
        chat.type("\x1a")
        chat.until("Stopped")
        chat.type("stty -a | grep -o ' [-]*echo '; fg\r")
        chat.input("half")
        chat.run.wait_until(lambda screen: " echo" in screen.all_lines())
        chat.type(" done")
        chat.input("half done")
        chat.type("\x03")
        chat.input()
        chat.type("\x04")
        chat.gone("demo/demo")
        # what is typed before the shell is back is dropped on purpose
        chat.run.wait_until(lambda _: bytes(chat.run.terminal).endswith(b"$ "))
        chat.type("exit\r")
        assert chat.run.screen_result().code == 0
