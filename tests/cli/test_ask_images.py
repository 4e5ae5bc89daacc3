"""A picture that was attached once: saved while it is under way, sent again, shown, carried away."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import openai
from support.scenario import Result, run_darkai, run_in_pty, start_darkai
from support.server import GUARD, FaultServer, Stall, json_page, reply

from darkai_cli.config import paths
from darkai_cli.history import tree
from darkai_cli.history.store import Store
from darkai_cli.messages import Image


def png(width: int = 2) -> bytes:
    """A PNG that a browser shows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = width.to_bytes(4) + width.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    rows = (b"\0" + b"\xc0\x20\x20" * width) * width
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


PNG = png()
DATA = Image("image/png", PNG).base64


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
def service(isolated: Path) -> Iterator[FaultServer]:
    """A service that takes images, as the provider ``work`` that the user chose."""
    with FaultServer(openai.reply(["a red ", "square"])) as server:
        openai.configure(isolated, openai.base(server))
        yield server


def sent(server: FaultServer, number: int = -1) -> list[dict]:
    """The messages of a request."""
    return server.requests[number].json()["messages"]


def picture() -> dict:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}


def ask(*args: str, **more: object) -> Result:
    result = run_darkai("ask", *args, **more)
    assert result.code == 0, result
    return result


def test_a_picture_goes_along_with_what_continues(service: FaultServer, photo: Path):
    ask("-f", str(photo), "what is this?")
    result = ask("-c", "which colour?")
    assert "`what is this?`" in result.stderr
    assert sent(service) == [
        {"role": "user", "content": [picture(), {"type": "text", "text": "what is this?"}]},
        {"role": "assistant", "content": "a red square"},
        {"role": "user", "content": "which colour?"},
    ]
    photo.unlink()  # the history has it, not only its name
    ask("-c", "and?")
    assert sent(service)[0]["content"][0] == picture()


def test_a_reply_that_was_cut_is_resumed_with_the_picture(isolated: Path, photo: Path):
    cut = openai.reply(["a red "], reason="length")
    with FaultServer(cut, openai.reply(["square"])) as server:
        openai.configure(isolated, openai.base(server))
        assert run_darkai("ask", "-f", str(photo), "what?").code == 14
        ask("--resume")
        assert sent(server)[0]["content"][0] == picture()
    with Store(paths.history_file()) as store:
        assert store.row("SELECT count(*) FROM attachment")[0] == 1


def test_a_picture_is_saved_while_the_request_is_under_way(isolated: Path, photo: Path):
    with FaultServer(openai.reply(["a red", Stall()])) as server:
        openai.configure(isolated, openai.base(server))
        with start_darkai("ask", "-f", str(photo), "what?") as run:
            run.wait_for(b"a red")
            deadline = time.monotonic() + GUARD
            with Store(paths.history_file()) as store:
                while not store.row("SELECT count(*) FROM attachment")[0]:
                    assert time.monotonic() < deadline
            run.signal(9)
            run.finish()
    with Store(paths.history_file()) as store:
        prompt, answer = tree.branch(store, store.latest())
        assert tree.images(store, prompt) == (Image("image/png", PNG, str(photo)),)
        assert answer.turn.state == "interrupted"


def test_a_prompt_without_words_is_called_like_its_file(service: FaultServer, photo: Path):
    notes = photo.with_name("notes.md")
    notes.write_text("# A head\n")
    for files in ((photo,), (notes, photo)):
        ask(*(part for file in files for part in ("-f", str(file))))
    titles = [
        json.loads(row)["title"]
        for row in run_darkai("history", "list", "--json").text.splitlines()
    ]
    assert titles == ["notes.md", "photo.png"]


def test_nothing_of_it_is_kept_where_nothing_is_saved(service: FaultServer, photo: Path):
    ask("--no-save", "-f", str(photo), "what?")
    assert sent(service)[0]["content"][0] == picture()
    assert not paths.history_file().exists()


# --- a service that takes none ---


def test_what_was_said_before_does_not_stop_a_service_without_images(
    service: FaultServer, photo: Path
):
    second = photo.with_name("second.png")
    second.write_bytes(png(3))
    ask("-f", str(photo), "-f", str(second), "what is this?")
    with FaultServer(reply(["blue"])) as other:
        env = {"DARKAI_URL": other.url}
        result = ask("-c", "-p", "darkai", "which colour?", env=env)
        message = "`darkai` doesn't accept images: left out 2 images of earlier messages"
        assert result.stderr.splitlines()[1:] == [f"warning: {message}"]
        query = other.requests[0].json()["query"]
        assert query == (
            "User: what is this?\nAssistant: a red square\nUser: which colour?\nAssistant:"
        )
        events = ask("-c", "-p", "darkai", "--json", "and?", env=env).text.splitlines()
        assert json.loads(events[0]) == {
            "event": "notice", "data": {"level": "warning", "text": message}
        }  # fmt: skip
        output = ask("-c", "-p", "darkai", "--dry-run", "and?", env=env)
        assert f"warning: {message}" in output.stderr
    ask("-c", "-p", "work", "again?")
    assert len(sent(service)[0]["content"]) == 3  # nothing was lost meanwhile


def test_it_is_told_once_where_the_request_is_sent_again(service: FaultServer, photo: Path):
    ask("-f", str(photo), "what?")
    with FaultServer(json_page(503, {}), reply(["blue"])) as other:
        result = ask("-c", "-p", "darkai", "and?", env={"DARKAI_URL": other.url})
    assert len(other.requests) == 2
    assert result.stderr.count("doesn't accept images: left out 1 image of earlier messages") == 1


def test_a_new_picture_is_refused_by_a_service_without_images(photo: Path):
    with FaultServer(reply(["no"])) as server:
        env = {"DARKAI_URL": server.url}
        result = run_darkai("ask", "-f", str(photo), "what?", env=env)
        assert (result.code, len(server.requests)) == (11, 0)
        assert result.stderr.startswith("error: `darkai` doesn't accept images\nhint: ")
        going_on = run_darkai("ask", "-c", "then without", env=env)  # the failed one is before it
        assert going_on.code == 0, going_on
        assert "left out 1 image of earlier messages" in going_on.stderr


# --- shown, and carried away ---


def test_history_names_it(service: FaultServer, photo: Path):
    ask("-f", str(photo), "what is this?")
    named = f"[image {photo}, {len(PNG)} bytes]"
    assert f"## You\n\n{named}\n\nwhat is this?\n" in run_darkai("history", "show").text
    (item,) = json.loads(run_darkai("history", "show", "--json").text)["messages"][0]["attachments"]
    assert item == {"name": str(photo), "media_type": "image/png", "size": len(PNG)}
    lines = run_in_pty("history", "show", rows=40, cols=300).lines
    at = lines.index(named)
    assert lines[at + 1 : at + 3] == ["", "what is this?"]
    tree_lines = run_in_pty("history", "tree", rows=40, cols=300).lines
    assert f"you: {named} what is this?" in "\n".join(tree_lines)
    counted = run_darkai("history", "stats").text.splitlines()
    assert f"attachments\t1\t{len(PNG)}" in counted


def test_an_evil_name_acts_on_no_terminal(service: FaultServer, photo: Path):
    ask("-f", str(photo), "what?")
    with Store(paths.history_file()) as store, store.writing() as conn:
        conn.execute("UPDATE attachment SET name = ?", ("a\x1b]0;evil\x07\n\x1b[2Jb\u202e.png",))
    for command in ("show", "tree"):
        output = run_in_pty("history", command)
        assert b"\x1b]0;evil" not in output.raw
        assert b"\x1b[2J" not in output.raw
        assert "\u202e" not in "\n".join(output.lines)


@pytest.mark.parametrize("fmt", ["json", "jsonl"])
def test_it_moves_to_another_machine(service: FaultServer, photo: Path, tmp_path: Path, fmt: str):
    ask("-f", str(photo), "what is this?")
    file = tmp_path / f"out.{fmt}"
    assert run_darkai("history", "export", "--output", str(file)).code == 0
    assert run_darkai("history", "rm", "--yes", "--older-than", "0s").code == 0
    assert run_darkai("history", "check").text == "ok\n"
    with Store(paths.history_file()) as store:
        assert store.rows("SELECT * FROM attachment") == []
    taken = run_darkai("history", "import", str(file))
    assert taken.text == "source\tdarkai\nconversations\t1\nmessages\t2\npresent\t0\n"
    ask("-c", "which colour?")
    assert sent(service)[0]["content"][0] == picture()
