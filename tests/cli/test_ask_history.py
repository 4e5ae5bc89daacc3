"""What ``darkai ask`` leaves in the history, whatever happens to it: real processes, then the store."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event
from typing import NamedTuple

import pytest
from support.scenario import DARKAI, Result, environment, run_darkai, run_in_pty, start_darkai
from support.server import (
    FaultServer,
    Pause,
    Reset,
    Stall,
    closed_port,
    page,
    reply,
)

from darkai_cli.config import paths
from darkai_cli.history import ids, schema, tree, turns
from darkai_cli.history.journal import Journal
from darkai_cli.history.schema import VERSION
from darkai_cli.history.store import Store, StoredTurn

ALLOWANCE = 0.5
"""Seconds that a busy machine may keep the journal's thread from running, beyond its 250 ms."""

RESUME = "To continue it: `darkai ask --resume --conversation "


class Saved(NamedTuple):
    """A turn as it is stored."""

    turn: StoredTurn
    prompt: str
    reply: str
    prompt_parent: str | None

    @property
    def state(self) -> str:
        return self.turn.state


@pytest.fixture
def database() -> Path:
    """Where the history would be; neither the file nor its folder is there."""
    return paths.history_file()


def stored() -> list[Saved]:
    """All turns, the oldest first, after a start that looked after the dead; the store is sound."""
    with Store(paths.history_file()) as store:
        assert store.check() == []
        assert store.warnings == ()
        result = []
        for (conversation,) in store.rows("SELECT id FROM conversation"):
            nodes = {node.id: node for node in tree.nodes(store, conversation)}
            for turn in store.turns(conversation):
                prompt = nodes[turn.prompt or ""]
                assert nodes[turn.reply].parent == prompt.id
                result.append(Saved(turn, prompt.text, nodes[turn.reply].text, prompt.parent))
    return sorted(result, key=lambda saved: saved.turn.id)


def only_turn() -> Saved:
    (result,) = stored()
    return result


def run_ask(server: FaultServer, *args: str, **kwargs: object) -> Result:
    return run_darkai("ask", *args, env={"DARKAI_URL": server.url}, **kwargs)


def save(prompt: str, answer: str = "an answer", state: str = "complete", **more: object) -> str:
    """A turn in a conversation of its own, without a process; the conversation's id."""
    journal = Journal(paths.history_file())
    names = journal.begin(prompt, **{"provider": "darkai", "model": "gpt-4o", **more})
    journal.text(answer)
    journal.end(state)
    journal.close()
    return names.conversation


# --- how a turn ends ------------------------------------------------------------------------------


def test_a_whole_reply() -> None:
    with FaultServer(reply(["Hel", "lo"])) as server:
        result = run_ask(
            server, "-m", "gpt-4o", "-o", "temperature=0.2", "-s", "Brief", "say", "it"
        )
    assert (result.code, result.stdout, result.stderr) == (0, b"Hello\n", "")
    turn, prompt, answer, parent = only_turn()
    assert (prompt, answer, parent) == ("say it", "Hello", None)
    assert (turn.state, turn.reason, turn.error) == ("complete", "stop", None)
    assert (turn.provider, turn.model, turn.system) == ("darkai", "gpt-4o", "Brief")
    assert json.loads(turn.options) == {"temperature": 0.2}
    assert 0 <= turn.first_text_ms <= turn.duration_ms
    assert list(turns.pending_folder(paths.history_file()).glob("*")) == []


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_reply_is_interrupted_and_can_be_resumed(signum: int, code: int) -> None:
    with FaultServer(reply(["so ", "far", Stall()])) as server:
        with start_darkai("ask", "x", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"so far")
            run.signal(signum)
            result = run.finish()
    assert (result.code, result.stdout) == (code, b"so far\n")
    assert result.stderr.startswith(f"note: Stopped. The reply so far is saved. {RESUME}")
    turn, prompt, answer, _ = only_turn()
    assert (turn.state, turn.reason, turn.error) == ("interrupted", None, None)
    assert (prompt, answer) == ("x", "so far")


def test_a_stop_before_the_first_word_keeps_the_prompt() -> None:
    with FaultServer([Stall()]) as server:
        with start_darkai("ask", "x", env={"DARKAI_URL": server.url}) as run:
            server.wait_requests()
            run.signal(signal.SIGINT)
            result = run.finish()
    assert (result.code, result.stderr) == (130, "")
    saved = only_turn()
    assert (saved.state, saved.prompt, saved.reply) == ("interrupted", "x", "")
    assert saved.turn.first_text_ms is None


def test_two_signals_at_once_are_one_stop() -> None:
    with FaultServer(reply(["so far", Stall()])) as server:
        with start_darkai("ask", "x", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"so far")
            run.signal(signal.SIGTERM)
            run.signal(signal.SIGHUP)
            result = run.finish()
    assert result.code in (129, 143)
    assert "Traceback" not in result.stderr
    saved = only_turn()
    assert (saved.state, saved.reply) == ("interrupted", "so far")


def test_a_reader_that_leaves_interrupts_the_reply() -> None:
    lines = [f"line {number}\n" for number in range(20_000)]
    with FaultServer(reply(lines)) as server:
        result = run_ask(server, "x", redirect="| head -n1")
    assert (result.stdout, result.stderr) == (b"line 0\n", "")
    saved = only_turn()
    assert (saved.state, saved.turn.error) == ("interrupted", None)
    assert saved.reply.startswith("line 0\n")
    assert "".join(lines).startswith(saved.reply)
    assert len(saved.reply) < len("".join(lines))


def test_a_lost_connection_truncates_the_reply() -> None:
    with FaultServer(reply(["half a ", "word", Reset()])) as server:
        result = run_ask(server, "x")
    assert (result.code, result.stdout) == (14, b"half a word\n")
    assert result.stderr.splitlines()[-1].startswith(f"hint: {RESUME}")
    turn, _, answer, _ = only_turn()
    assert (turn.state, turn.reason, turn.error_kind) == ("truncated", None, "incomplete")
    assert result.stderr.startswith(f"error: {turn.error}")
    assert answer == "half a word"


def test_a_reply_that_never_came_failed_with_the_service_s_words() -> None:
    with FaultServer(page(500, "boom")) as server:
        result = run_ask(server, "--retries", "0", "the prompt")
    turn, prompt, answer, _ = only_turn()
    assert result.code == 9
    assert (turn.state, turn.reason, turn.error_kind) == ("failed", None, "service")
    assert result.stderr.startswith(f"error: {turn.error}\n")
    assert (prompt, answer) == ("the prompt", "")
    assert "--resume" not in result.stderr


def test_nobody_there_to_answer() -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/"
        result = run_darkai("ask", "-p", "darkai", "x", env={"DARKAI_URL": url})
    saved = only_turn()
    assert result.code == 7
    assert (saved.state, saved.turn.error_kind, saved.prompt) == ("failed", "network", "x")


def test_the_one_who_answered_is_stored() -> None:
    result = run_darkai("ask", "tell me a joke")
    saved = only_turn()
    assert result.code == 0
    assert (saved.state, saved.turn.provider, saved.turn.model) == ("complete", "demo", "demo")
    assert saved.reply.strip() == result.text.strip()


def test_events_name_where_they_are_saved() -> None:
    with FaultServer(reply(["a"])) as server:
        output = run_ask(server, "--json", "x")
        hidden = run_ask(server, "--json", "--no-save", "y")
    turn = only_turn().turn
    start = json.loads(output.stdout.splitlines()[0])
    assert start["event"] == "stream-start"
    assert start["data"]["conversation"] == turn.conversation
    assert start["data"]["turn"] == turn.id
    start = json.loads(hidden.stdout.splitlines()[0])
    assert (start["data"]["conversation"], start["data"]["turn"]) == (None, None)


def test_quiet_says_nothing_but_errors() -> None:
    with FaultServer(reply(["so far", Stall()])) as server:
        with start_darkai("ask", "-q", "x", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"so far")
            run.signal(signal.SIGINT)
            assert run.finish().stderr == ""


def test_a_wrong_model_saves_nothing_and_leaves_no_file_behind(database: Path) -> None:
    Path("answer.md").write_text("precious")
    result = run_darkai("ask", "-m", "gpt-40", "--output", "answer.md", "x")
    assert result.code == 5
    assert [path.name for path in Path().iterdir()] == ["answer.md"]
    assert Path("answer.md").read_text() == "precious"
    assert not database.exists()


def test_an_output_that_cannot_be_put_in_place_does_not_cost_the_history() -> None:
    gate = Event()
    with FaultServer(reply(["half, ", Pause(gate), "whole"])) as server:
        env = {"DARKAI_URL": server.url}
        Path("folder").mkdir()
        with start_darkai("ask", "--output", "folder/answer.md", "x", env=env) as run:
            server.wait_requests()
            Path("folder/answer.md").mkdir()
            gate.set()
            result = run.finish()
    assert result.code == 11, result
    saved = only_turn()
    assert (saved.state, saved.reply) == ("complete", "half, whole")


# --- a conversation goes on -----------------------------------------------------------------------


def test_a_conversation_is_sent_whole_and_grows() -> None:
    with FaultServer(reply(["one."]), reply(["two."]), reply(["three."])) as server:
        run_ask(server, "first")
        second = run_ask(server, "-c", "second")
        third = run_ask(server, "-q", "-c", "third")
        queries = [request.json()["query"] for request in server.requests]
    assert queries == [
        "first",
        "User: first\nAssistant: one.\nUser: second\nAssistant:",
        "User: first\nAssistant: one.\nUser: second\nAssistant: two.\nUser: third\nAssistant:",
    ]
    assert second.stderr == f"Continuing {stored()[0].turn.conversation[:7]} `first`, just now\n"
    assert (third.code, third.stderr) == (0, "")
    item, two, three = stored()
    assert item.turn.conversation == two.turn.conversation == three.turn.conversation
    assert (item.prompt_parent, two.prompt_parent, three.prompt_parent) == (
        None,
        item.turn.reply,
        two.turn.reply,
    )


def test_a_terminal_gets_the_line_dim() -> None:
    save("evil \x1b[31m title")
    with FaultServer(reply(["ok"])) as server:
        output = run_in_pty("ask", "-c", "x", env={"DARKAI_URL": server.url})
    assert re.search(rb"\x1b\[2mContinuing \w{7} `evil [^\x1b]*`, just now\x1b\[0m", output.raw)


def test_a_conversation_by_the_beginning_of_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    for when, prompt in ((1_700_000_000_000, "old"), (1_800_000_000_000, "new")):
        with monkeypatch.context() as patch:
            patch.setattr(ids, "now_ms", lambda when=when: when)
            save(prompt)
    old, new = (saved.turn.conversation for saved in stored())
    with FaultServer(reply(["ok"])) as server:
        url = server.url
        result = run_darkai("ask", "--conversation", old[:6].upper(), "x", env={"DARKAI_URL": url})
        several = run_darkai("ask", "--conversation", "0", "x", env={"DARKAI_URL": url})
        unknown = run_darkai("ask", "--conversation", "zzzz", "x", env={"DARKAI_URL": url})
        queries = [request.json()["query"] for request in server.requests]
    assert (result.code, several.code, unknown.code) == (0, 5, 5)
    assert queries == ["User: old\nAssistant: an answer\nUser: x\nAssistant:"]
    assert "`0`" in several.stderr
    assert old[:7] in several.stderr
    assert new[:7] in several.stderr
    assert "`zzzz`" in unknown.stderr
    assert len(stored()) == 3


@pytest.mark.parametrize("args", [["-c", "x"], ["--conversation", "01", "x"], ["--resume"]])
def test_nothing_to_go_on_with(args: list[str], database: Path) -> None:
    result = run_darkai("ask", *args)
    assert (result.code, result.stdout) == (5, b"")
    assert result.stderr.startswith("error: No conversation has been saved yet\nhint: `darkai ask ")
    assert not database.exists()


def test_a_conversation_keeps_its_model_and_system_prompt() -> None:
    with FaultServer(reply(["ok"])) as server:
        run_ask(server, "-m", "gpt-4o", "-s", "Brief", "one")
        run_ask(server, "-c", "two")
        run_ask(server, "-c", "-m", "gpt-3.5-turbo", "-s", "Long", "three")
        run_ask(server, "-c", "four")
        sent = [request.json() for request in server.requests]
    assert [body["model"] for body in sent] == ["gpt-4o", "gpt-4o"] + ["gpt-3.5-turbo"] * 2
    systems = [body["query"].partition("\n")[0] for body in sent]
    assert systems == ["System: Brief", "System: Brief", "System: Long", "System: Long"]
    assert [saved.turn.system for saved in stored()] == ["Brief", "Brief", "Long", "Long"]


def test_what_demo_answered_is_asked_of_the_service() -> None:
    save("joke", provider="demo", model="demo")
    with FaultServer(reply(["ok"])) as server:
        result = run_ask(server, "-c", "another")
        assert server.requests[0].json()["model"] == "llama-3-70b"
    assert result.code == 0


def test_a_failed_turn_does_not_stop_a_conversation() -> None:
    with FaultServer(reply(["one."]), page(500), reply(["three."])) as server:
        run_ask(server, "first")
        run_ask(server, "-c", "--retries", "0", "second")
        resumed = run_ask(server, "--resume")
        third = run_ask(server, "-c", "third")
        query = server.requests[-1].json()["query"]
    assert resumed.code == 5
    assert "failed before it began" in resumed.stderr
    assert third.code == 0
    assert query == "User: first\nAssistant: one.\nUser: second\nUser: third\nAssistant:"


# --- a cut reply goes on --------------------------------------------------------------------------


def test_a_cut_reply_is_continued_beside_the_old_one() -> None:
    scripts = (reply(["Hello ", "wo", Reset()]), reply(["rl", Reset()]), reply(["d", "!"]))
    with FaultServer(*scripts) as server:
        assert run_ask(server, "-s", "Brief", "q").code == 14
        second = run_ask(server, "--resume")
        third = run_ask(server, "--resume")
        queries = [request.json()["query"] for request in server.requests]
    assert queries == [
        "System: Brief\nUser: q\nAssistant:",
        "System: Brief\nUser: q\nAssistant: Hello wo",
        "System: Brief\nUser: q\nAssistant: Hello worl",
    ]
    assert (second.code, second.stdout) == (14, b"rl\n")
    assert (third.code, third.stdout) == (0, b"d!\n")
    assert re.fullmatch(r"Continuing \w{7} `q`, just now\n", third.stderr)
    item, two, three = stored()
    assert [saved.reply for saved in (item, two, three)] == [
        "Hello wo",
        "Hello worl",
        "Hello world!",
    ]
    assert [saved.state for saved in (item, two, three)] == ["truncated", "truncated", "complete"]
    assert item.turn.prompt == two.turn.prompt == three.turn.prompt
    assert [saved.turn.resumes for saved in (item, two, three)] == [None, item.turn.id, two.turn.id]
    with Store(paths.history_file()) as store:
        active = tree.branch(store, item.turn.conversation)
    assert [node.text for node in active] == ["q", "Hello world!"]


def test_a_resumed_reply_that_fails_keeps_what_there_was_and_can_be_tried_again() -> None:
    save("q", "Hello wo", "interrupted")
    with FaultServer(page(500), reply(["rld"])) as server:
        assert run_ask(server, "--resume", "--retries", "0").code == 9
        again = run_ask(server, "--resume")
    assert (again.code, again.stdout) == (0, b"rld\n")
    old, new, last = stored()
    assert (last.state, last.reply) == ("complete", "Hello world")
    assert (old.state, old.reply) == ("interrupted", "Hello wo")
    assert (new.state, new.reply, new.turn.first_text_ms) == ("failed", "Hello wo", None)


def test_a_whole_reply_is_not_resumed() -> None:
    save("q")
    result = run_darkai("ask", "--resume")
    assert result.code == 5
    assert result.stderr == (
        "error: The last reply is already complete\nhint: `darkai history` lists the saved conversations\n"
    )
    assert run_darkai("ask", "--resume", "and on").code == 2
    without_prompt = run_darkai("ask", "-c")
    assert (without_prompt.code, without_prompt.stdout) == (2, b"")
    assert without_prompt.stderr.startswith("error: No prompt given\n")


def test_what_can_be_resumed_is_named_where_the_last_reply_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_for = (
        ("older", "truncated"),
        ("newer", "interrupted"),
        ("bad", "failed"),
        ("q", "complete"),
    )
    for number, (prompt, state) in enumerate(asked_for):
        with monkeypatch.context() as patch:
            patch.setattr(ids, "now_ms", lambda number=number: 1_700_000_000_000 + number * 10**8)
            save(prompt, "so far", state)
    newer = stored()[1].turn.conversation
    result = run_darkai("ask", "--resume")
    assert result.code == 5
    hint = re.search(r"in `newer`: `darkai (ask --resume --conversation (\w+))`", result.stderr)
    assert hint, result
    assert newer.startswith(hint[2])
    with FaultServer(reply([", and on"])) as server:
        assert run_darkai(*hint[1].split(), env={"DARKAI_URL": server.url}).code == 0


def test_demo_goes_on_with_nobody_elses_words() -> None:
    save("tell me a joke", "Hello", "interrupted", model="llama-3-70b")
    refused = run_darkai("ask", "--resume", "-p", "demo")
    assert (refused.code, refused.stdout) == (2, b"")
    assert refused.stderr == (
        "error: `demo` can't continue a reply of `darkai/llama-3-70b`: it isn't a language model\n"
        "hint: Leave out `-p demo`, or choose a model with `-m PROVIDER/MODEL`\n"
    )
    assert [saved.state for saved in stored()] == ["interrupted"]
    fallen_back = run_darkai("ask", "--resume")  # the default service cannot be reached
    assert (fallen_back.code, fallen_back.stdout) == (7, b"")


def test_demo_goes_on_with_its_own_words() -> None:
    whole = run_darkai("ask", "-p", "demo", "--no-save", "long 60").text
    save("long 60", whole[:100], "interrupted", provider="demo", model="demo")
    result = run_darkai("ask", "--resume", "-p", "demo")
    assert (result.code, result.text) == (0, whole[100:])
    assert stored()[-1].reply.strip() == whole.strip()


def test_a_reply_that_is_still_coming_is_not_resumed() -> None:
    with FaultServer(reply(["so far", Stall()])) as server:
        with start_darkai("ask", "x", env={"DARKAI_URL": server.url}) as run:
            run.wait_for(b"so far")
            wait_for_turns(1)
            result = run_darkai("ask", "--resume")
            run.signal(signal.SIGINT)
            run.finish()
    assert result.code == 5
    assert "still writing the last reply" in result.stderr
    assert only_turn().state == "interrupted"


# --- what must not be kept ------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["flag", "environment", "config"])
def test_what_is_not_saved_is_nowhere_on_the_disk(switch: str, database: Path) -> None:
    home = Path(os.environ["DARKAI_HOME"])
    home.mkdir(parents=True)
    if switch == "config":
        (home / "config.toml").write_text("save = false\n")
    env = {"DARKAI_SAVE": "false"} if switch == "environment" else {}
    args = ["--no-save"] if switch == "flag" else []
    with FaultServer(reply(["REPLY-", "SECRET"]), reply(["REPLY-SECRET", Reset()])) as server:
        env["DARKAI_URL"] = server.url
        whole = run_darkai("ask", *args, "PROMPT-SECRET", env=env)
        cut = run_darkai("ask", *args, "-s", "SYSTEM-SECRET", "PROMPT-SECRET", env=env)
    assert (whole.code, cut.code) == (0, 14)
    assert "--resume" not in cut.stderr
    assert not database.exists()
    assert not [path for path in home.rglob("*") if path.is_file() and has_secret(path)]


def test_an_unsaved_word_in_a_saved_conversation(database: Path) -> None:
    save("q")
    with FaultServer(reply(["REPLY-SECRET"])) as server:
        assert run_ask(server, "-c", "--no-save", "PROMPT-SECRET").code == 0
        assert server.requests[0].json()["query"].startswith("User: q\nAssistant: an answer\n")
    assert only_turn().prompt == "q"
    assert not [path for path in database.parent.rglob("*") if path.is_file() and has_secret(path)]


def has_secret(path: Path) -> bool:
    return b"SECRET" in path.read_bytes()


# --- kill -9 --------------------------------------------------------------------------------------


class Paced(list):
    """A script whose steps come some milliseconds apart, until ``hurry`` is set."""

    def __init__(self, steps: list[object], every: float) -> None:
        super().__init__(steps)
        self.hurry = Event()
        self._every = every

    def __iter__(self) -> Iterator[object]:
        for step in super().__iter__():
            self.hurry.wait(self._every)
            yield step


class Killed(NamedTuple):
    """What a run had shown by when (the monotonic clock), and when it was killed, if it was."""

    prompt: str
    output: list[tuple[float, int]]
    at: float | None

    def output_before(self, moment: float) -> int:
        """How many characters had been shown by then."""
        return max((total for when, total in self.output if when <= moment), default=0)


def killed_after(size: int, prompt: str, env: dict[str, str]) -> Killed:
    """Run ``ask`` and kill it when it has shown so much."""
    output: list[tuple[float, int]] = []
    total, at = 0, None
    with subprocess.Popen(
        [*DARKAI, "ask", prompt],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        while data := os.read(process.stdout.fileno(), 65536):
            total += len(data)
            output.append((time.monotonic(), total))
            if total >= size and at is None:
                process.kill()
                at = time.monotonic()
    return Killed(prompt, output, at)


def kill_at_random(
    seed: int, count: int, at_once: int, allowance: float, *, database: Path | None = None
) -> None:
    """Kill so many replies; all that is stored is true, and all that had to be stored is there.

    ``database``: another process holds it meanwhile.
    """
    chance = random.Random(seed)
    pieces = [f"piece {number:05d} of the reply, " for number in range(500)]
    text = "".join(pieces)
    script = Paced(reply(pieces), 0.003)
    with (
        FaultServer(script) as server,
        ThreadPoolExecutor(at_once) as threads,
        ExitStack() as stack,
    ):
        if database is not None:
            Store(database).close()
            stack.enter_context(locked(database))
        env = environment({"DARKAI_URL": server.url})
        runs = [
            threads.submit(killed_after, chance.randint(1, len(text) + 500), f"question {n}", env)
            for n in range(count)
        ]
        outcomes = [run.result() for run in runs]
        script.hurry.set()
    turns_by_prompt = {saved.prompt: saved for saved in stored()}
    for outcome in outcomes:
        saved = turns_by_prompt.get(outcome.prompt)
        due = outcome.output_before((outcome.at or time.monotonic()) - 0.25 - allowance)
        if saved is None:
            assert not due, outcome
            continue
        assert saved.state == "complete" if outcome.at is None else saved.state in STATES
        assert text.startswith(saved.reply)
        assert len(saved.reply) >= min(due, len(text)), outcome
    assert list(turns.pending_folder(paths.history_file()).glob("*")) == []


STATES = ("complete", "interrupted")


@pytest.mark.parametrize("locked_out", [False, True])
def test_kill_9_at_random_moments(locked_out: bool, database: Path) -> None:
    kill_at_random(1, 4, 4, ALLOWANCE, database=database if locked_out else None)


@pytest.mark.soak
@pytest.mark.parametrize("locked_out", [False, True])
def test_kill_9_at_100_random_moments(locked_out: bool, database: Path) -> None:
    kill_at_random(2, 100, 2, 0, database=database if locked_out else None)


def wait_for_turns(number: int) -> None:
    """Until so many turns are committed."""
    address = f"file:{paths.history_file()}?mode=ro"
    for _ in range(2000):
        try:
            with closing(sqlite3.connect(address, uri=True)) as conn:
                if conn.execute("SELECT count(*) FROM turn").fetchone()[0] >= number:
                    return
        except sqlite3.OperationalError:
            pass  # no file or no table yet
        Event().wait(0.01)
    raise AssertionError("nothing was saved")


def test_the_prompt_is_safe_before_the_answer_begins() -> None:
    with FaultServer([Stall()]) as server:
        with start_darkai("ask", "an hour's work", env={"DARKAI_URL": server.url}) as run:
            server.wait_requests()
            wait_for_turns(1)
            run.signal(signal.SIGKILL)
            assert run.finish().code == 137
    saved = only_turn()
    assert (saved.state, saved.prompt, saved.reply) == ("interrupted", "an hour's work", "")


# --- many at once ---------------------------------------------------------------------------------


def at_once(count: int) -> list[str]:
    """So many runs at the same time, all of which succeed; what they asked."""
    with FaultServer(reply(["an answer"])) as server:
        env = {"DARKAI_URL": server.url}
        runs = [
            start_darkai("ask", f"question {number}", env=env, timeout=100)
            for number in range(count)
        ]
        results = [run.finish() for run in runs]
        for run in runs:
            run.__exit__()
    assert [(result.code, result.stdout) for result in results] == [(0, b"an answer\n")] * count
    assert {result.stderr for result in results} == {""}
    return [f"question {number}" for number in range(count)]


def all_stored(questions: list[str]) -> None:
    result = stored()
    assert sorted(saved.prompt for saved in result) == sorted(questions)
    assert {(saved.state, saved.reply) for saved in result} == {("complete", "an answer")}
    assert list(turns.pending_folder(paths.history_file()).glob("*")) == []


@pytest.mark.parametrize("count", [8, pytest.param(32, marks=pytest.mark.soak)])
def test_first_runs_at_once(count: int) -> None:
    all_stored(at_once(count))


@pytest.mark.parametrize("count", [8, pytest.param(32, marks=pytest.mark.soak)])
def test_runs_at_once_on_an_old_schema(count: int, database: Path) -> None:
    make_first_version(database)
    questions = at_once(count)
    with Store(database) as store:
        assert store.row("PRAGMA user_version")[0] == VERSION
        old = store.row("SELECT id FROM conversation WHERE title = 'an old one'")[0]
        assert [node.text for node in tree.nodes(store, old)] == ["from before"]
        store.remove([old])
    all_stored(questions)
    copies = [path.name for path in database.parent.glob("history.db.before-*")]
    assert copies == [f"history.db.before-v{VERSION}"]


def make_first_version(path: Path) -> None:
    """A database as the first schema had it, with a message in it."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        for statement in schema.STEPS[0]:
            conn.execute(statement)
        conn.execute("PRAGMA user_version = 1")
        conn.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        name = ids.new_id(1)
        conn.execute(
            "INSERT INTO conversation (id, title, created, updated) VALUES (?, 'an old one', 1, 1)",
            (name,),
        )
        conn.execute(
            "INSERT INTO message (n, id, conversation, role, text, created)"
            " VALUES (1, ?, ?, 'user', 'from before', 1)",
            (name, name),
        )


# --- a history that cannot be written -------------------------------------------------------------


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program writes, and does not come to an end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield
        conn.execute("ROLLBACK")


def test_a_writer_that_holds_the_lock_holds_nobody_up(database: Path) -> None:
    save("before")
    with FaultServer(reply(["an answer"])) as server:
        with locked(database):
            with start_darkai("ask", "x", env={"DARKAI_URL": server.url}) as run:
                run.wait_for(b"an answer")
                output = time.monotonic()
                result = run.finish()
                took = time.monotonic() - output
            with Store(database) as store:
                assert [matches.title for matches in store.conversations()] == ["before"]
            assert (result.code, result.stderr) == (0, "")
            assert took < 2 + 4 * ALLOWANCE  # the bound is 2 s; the rest is a busy machine's
        run_ask(server, "-c", "y")  # the next start merges what was put aside, before it looks
        query = server.requests[-1].json()["query"]
    assert query == "User: x\nAssistant: an answer\nUser: y\nAssistant:"
    assert [(saved.prompt, saved.state) for saved in stored()] == [
        ("before", "complete"),
        ("x", "complete"),
        ("y", "complete"),
    ]
    assert list(turns.pending_folder(database).glob("*")) == []


WITH_LIMIT = (
    "import os,resource,sys\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE,(int(sys.argv[1]),)*2)\n"
    "os.execv(sys.argv[2],sys.argv[2:])\n"
)
"""Run by a bare interpreter: no file may grow beyond so many bytes, as on a full disk."""

WITHOUT_OVERRIDE = (
    "import ctypes,os,sys\n"
    "os.getuid() or ctypes.CDLL(None).prctl(24,1,0,0,0)\n"
    "os.execv(sys.argv[1],sys.argv[1:])\n"
)
"""Run by a bare interpreter: give up root's right to write where nobody may (CAP_DAC_OVERRIDE)."""


def bare(code: str, *args: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *args, *DARKAI]


@pytest.mark.parametrize("limit", [0, 40_000])
@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk(limit: int, existing: bool, database: Path) -> None:
    if existing:
        save("before")
    with FaultServer(reply(["the ", "answer"])) as server:
        result = run_ask(server, "x", command=bare(WITH_LIMIT, str(limit)))
    assert result.stdout == b"the answer\n"
    assert "Traceback" not in result.stderr
    matches = [saved.prompt for saved in stored() if saved.prompt != "before"]
    if result.code == 13:
        assert result.stderr.startswith("error: The reply was NOT saved. ")
        assert str(database) in result.stderr
        assert matches == []
    else:  # there was room to put it aside
        assert (result.code, matches) == (0, ["x"])
        assert result.stderr == "" or "The turn is saved in" in result.stderr
    assert limit or result.code == 13


def test_a_full_disk_and_a_cut_reply(database: Path) -> None:
    with FaultServer(reply(["the ans", Reset()])) as server:
        result = run_ask(server, "x", command=bare(WITH_LIMIT, "0"))
    assert (result.code, result.stdout) == (14, b"the ans\n")
    assert "warning: The reply was NOT saved. " in result.stderr
    assert "disk full" in result.stderr
    assert "--resume" not in result.stderr
    assert stored() == []


@pytest.mark.parametrize("existing", [False, True])
def test_a_read_only_folder(existing: bool, database: Path) -> None:
    folders = [turns.pending_folder(database), database.parent]
    folders[0].mkdir(parents=True)
    if existing:
        save("before")
    for folder in folders:
        folder.chmod(0o500)
    try:
        with FaultServer(reply(["the answer"])) as server:
            result = run_ask(server, "x", command=bare(WITHOUT_OVERRIDE))
            again = run_ask(server, "-c", "y", command=bare(WITHOUT_OVERRIDE))
    finally:
        for folder in folders[::-1]:
            folder.chmod(0o700)
    assert (result.code, result.stdout) == (13, b"the answer\n")
    folder = database.parent
    assert result.stderr == (
        "error: The reply was NOT saved. Can't write the history: no permission to write to"
        f" the folder `{folder}`\nhint: `chmod u+w {folder}` allows it if you own the folder; or use"
        " another folder with `DARKAI_HOME=FOLDER`\n"
    )
    assert again.code == (13 if existing else 5)
    assert again.stdout == (b"the answer\n" if existing else b"")
    assert [saved.prompt for saved in stored()] == ["before"] * existing


@pytest.mark.parametrize("damage", ["garbage", 100, 50_000])
def test_a_damaged_history_is_moved_aside(damage: object, database: Path) -> None:
    save("before")
    whole = database.read_bytes()
    spoiled = b"garbage " * 5000 if damage == "garbage" else whole[: int(damage)]
    database.write_bytes(spoiled)
    with FaultServer(reply(["the answer"])) as server:
        result = run_ask(server, "x")
    assert (result.code, result.stdout) == (0, b"the answer\n")
    message = re.match(
        r"warning: The history is damaged; it is now `([^`]*)`. To recover it: `", result.stderr
    )
    assert message, result
    assert Path(message[1]).read_bytes() == spoiled
    assert only_turn().prompt == "x"


def test_a_history_that_may_not_be_written_can_be_read(database: Path) -> None:
    save("before")
    database.chmod(0o400)
    with FaultServer(reply(["the answer"])) as server:
        result = run_ask(server, "x", command=bare(WITHOUT_OVERRIDE))
    assert (result.code, result.stdout) == (0, b"the answer\n")
    assert f"no permission to write to the file `{database}`. The turn is saved in" in result.stderr
    listed = run_darkai("history", command=bare(WITHOUT_OVERRIDE))
    renamed = run_darkai("history", "rename", "0", "x", command=bare(WITHOUT_OVERRIDE))
    assert (listed.code, listed.text.split("\t")[1]) == (0, "before")
    assert (renamed.code, renamed.stdout) == (13, b"")
    assert f"no permission to write to the file `{database}`" in renamed.stderr
    database.chmod(0o600)
    for suffix in ("-shm", "-wal"):
        database.with_name(f"history.db{suffix}").unlink(missing_ok=True)
    assert [saved.prompt for saved in stored()] == ["before", "x"]


def test_a_damaged_history_is_left_by_who_must_read_it(database: Path) -> None:
    database.parent.mkdir(parents=True)
    database.write_bytes(b"garbage " * 5000)
    for args in (["-c", "x"], ["--resume"], ["--conversation", "0", "x"]):
        result = run_darkai("ask", *args)
        assert (result.code, result.stdout) == (13, b"")
        assert result.stderr == (
            f"error: The history is damaged (`{database}`)\nhint: `darkai history import {database}`"
            " moves it aside and recovers what it can\n"
        )
    assert [path.name for path in database.parent.iterdir()] == ["history.db"]


def test_a_database_of_another_program_is_left_alone_and_the_turn_is_kept(database: Path) -> None:
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("CREATE TABLE theirs (x)")
    before = database.read_bytes()
    with FaultServer(reply(["the answer"])) as server:
        result = run_ask(server, "x")
    assert (result.code, result.stdout) == (0, b"the answer\n")
    assert result.stderr.startswith(f"warning: `{database}` is a database of another program. ")
    assert database.read_bytes() == before
    database.unlink()
    assert only_turn().reply == "the answer"
