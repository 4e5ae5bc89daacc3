"""What is played for the snapshot, and what is written down of it.

A play is a question, or several, to a server that does what a script says. There are three kinds:
``fault: NAME`` is a row of the fault tables in ``tests/support``, ``case: NAME`` answers with the body
of ``tests/contract/cases/DIALECT/NAME.json``, and ``question: NAME`` is about the request.

No module of darkai's but ``__main__`` is named here or in ``forking.py``: what is seen is what a user
sees, ``darkai ask --json``, ``darkai history show --json``, and what the server received. Words for
people are left out, and so are ids, times and ports.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from contract.snapshot.forking import Forking
from support import darkai_faults, openai, openai_faults, server
from support.dialect_faults import rows
from support.faults import Row
from support.isolation import clean_environment
from support.openai import configure
from support.server import Close, FaultServer, Pause, Request, Reset, Script, Stall, json_page, page
from support.speakers import ANTHROPIC, GEMINI, OLLAMA, RESPONSES, Speaker

HERE = Path(__file__).parent
SPEAKERS = {say.kind: say for say in (ANTHROPIC, GEMINI, OLLAMA, RESPONSES)}
KINDS = ("darkai", "openai", *sorted(SPEAKERS))

KEY = "key-of-the-snapshot-0123456789"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080000000"
    "03a7e9b550000000a49444154789c6360000000020001e527de160000000049454e44ae426082"
)
LONGEST = 200
"""Characters of a text that are written down whole."""

VARIABLE = {"host", "content-length"}
"""Headers whose value is another each time."""
IDENTITY = {"record", "id", "conversation", "parent", "created", "updated", "started"}
TURN = ("state", "reason", "error_kind", "system", "options")
TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens")
ERROR = ("kind", "exit_code", "retryable", "status")


class Play(NamedTuple):
    """Questions to a server. ``asks``: the arguments of each, ``model``: None if none is chosen."""

    scripts: Sequence[Script]
    asks: Sequence[Sequence[str]]
    key: str = ""
    model: str | None = "m"


# --- what is played -------------------------------------------------------------------------------


def reply(kind: str, *chunks: Any, end: str | None = "stop") -> Script:
    """A good reply of a dialect, with the given end."""
    if kind == "openai":
        return openai.reply(chunks, reason=end, done=end is not None)
    if kind == "darkai":
        return server.reply(chunks, end="stream-end" if end else None)
    return SPEAKERS[kind].reply(chunks, end)


def plays(kind: str) -> dict[str, Play]:
    """All plays of a dialect by their names."""
    return {
        **{f"case: {name}": play for name, play in cases(kind)},
        **{f"fault: {name}": of_row(row) for name, row in table(kind).items()},
        **{f"question: {name}": play for name, play in questions(kind).items()},
    }


def table(kind: str) -> dict[str, Row]:
    """The rows of the fault table of a dialect."""
    if kind == "openai":
        return openai_faults.ROWS
    if kind == "darkai":
        return darkai_faults.ROWS
    return {**rows(SPEAKERS[kind]), **more_rows(SPEAKERS[kind])}


def more_rows(say: Speaker) -> dict[str, Row]:
    """Rows that the common table lacks."""
    length = say.reply(["Hello"], "length")
    return {
        "key": Row([say.refusal("key")], 4),
        "length, as the user wished": Row([length], 0, args=("-o", "max_tokens=5")),
        "empty once": Row([say.reply(end=None), say.reply(["fine"])], 0),
        "reset after the end mark": Row([[*say.reply(["fine"])[:-1], Reset()]], 0),
        "stall after the end mark": Row([[*say.reply(["fine"])[:-1], Stall()]], 0),
    }


def of_row(row: Row) -> Play:
    """A row of a fault table as a play."""
    return Play(row.scripts, [("hi", "--retries", "1", *row.args)])


def cases(kind: str) -> Iterable[tuple[str, Play]]:
    """The replies in the wire cases of a dialect. Good ones are saved; of failures the rows tell."""
    for path in sorted((HERE.parent / "cases" / kind).glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        if "response" not in case:
            continue
        response = case["response"]
        headers = dict(response.get("headers", {"content-type": "text/event-stream"}))
        label = headers.pop("content-type", "text/html")
        body = response["body"].encode("utf-8", "surrogatepass")
        script = page(response.get("status", 200), body, label, headers)
        key = case.get("settings", {}).get("key", "")
        args = ("hi", "--retries", "0", *(("--no-save",) if "error" in case else ()))
        yield path.stem, Play([script], [args], key)


def questions(kind: str) -> dict[str, Play]:
    """Questions of every sort, each with a good answer."""
    fine = reply(kind, "fine")
    options = [
        word for name in ("temperature=0.5", "max_tokens=5", "seed=7") for word in ("-o", name)
    ]
    every = {
        "plain": Play([fine], [("hi",)]),
        "key": Play([fine], [("hi",)], KEY),
        "system": Play([fine], [("hi", "-s", "Be brief.")]),
        "options": Play([fine], [("hi", *options)]),
        "unknown option": Play([fine], [("hi", "-o", "nonsense=1")]),
        "text file": Play([fine], [("hi", "-f", "note.txt")]),
        "image": Play([fine], [("hi", "-f", "pixel.png")]),
        "model": Play([fine], [("hi", "-m", "gpt-4o")]),
        "continue": Play([fine], [("hi",), ("and?", "--continue")]),
        "resume": Play([reply(kind, "Half", Close(), end=None), reply(kind, " whole")], [("hi",), ("--resume",)]),
        "not saved": Play([fine], [("hi", "--no-save")]),
        "stop by a fault, then another question": Play(
            [json_page(500, {}), fine], [("hi", "--retries", "0"), ("and?", "--continue")]
        ),
    }  # fmt: skip
    if kind != "darkai":
        models = {"data": [{"id": "own-model"}], "models": [{"name": "models/own-model"}]}
        if kind == "ollama":
            models = {"models": [{"name": "own-model"}]}
        every["no model"] = Play([json_page(200, models), fine], [("hi",)], model=None)
    return every


# --- playing --------------------------------------------------------------------------------------


def perform(forking: Forking, kind: str, play: Play, folder: Path) -> dict[str, Any]:
    """Play on a machine in the folder where nobody has ever used darkai; what is written down."""
    environ = machine(folder)
    work = folder / "work"
    gate = Event()
    scripts = [
        [Pause(gate) if isinstance(step, Pause) else step for step in script]
        for script in play.scripts
    ]
    gated = any(isinstance(step, Pause) for script in scripts for step in script)
    runs = []
    with FaultServer(*scripts) as service:
        environ |= settings(kind, play, folder, service)
        for args in play.asks:
            run = forking.start(["ask", "--json", *args], environ, work)
            if gated:
                service.wait_requests()
                if not starts_with_gate(play.scripts):
                    run.wait_for(b'"text-chunk"')
                gate.set()
            runs.append(run.finish())
        service.close()
        saved = b""
        if any("--no-save" not in args for args in play.asks):
            _, saved, _ = forking.run("history", "show", "--json", environ=environ, folder=work)
        written = {
            "code": [code for code, _, _ in runs],
            "events": [event for _, output, _ in runs for event in events(output)],
            "connections": service.connections,
            "requests": [request_of(request) for request in service.requests],
            "saved": turns(saved),
        }
        text = json.dumps(written).replace(service.address, "ADDRESS")
    result: dict[str, Any] = json.loads(text)
    return result


def starts_with_gate(scripts: Sequence[Script]) -> bool:
    """Whether the server waits before it has said a word."""
    return any(isinstance(step, Pause) for step in scripts[0][:2])


def machine(folder: Path) -> dict[str, str]:
    """The environment of a fresh machine in the folder, with two files to send along."""
    for name in ("home", "work", "run", "darkai"):
        (folder / name).mkdir(parents=True, mode=0o700)
    (folder / "work" / "note.txt").write_text("a note\n")
    (folder / "work" / "pixel.png").write_bytes(PIXEL)
    return clean_environment(folder, os.environ)


def settings(kind: str, play: Play, folder: Path, service: FaultServer) -> dict[str, str]:
    """Make the server the one that is asked; the variables that it takes."""
    if kind == "darkai":
        return {"DARKAI_URL": service.url}
    under = SPEAKERS[kind].under if kind in SPEAKERS else "/v1"
    key = 'key_env = "WORK_KEY"\n' if play.key else ""
    configure(folder, f"http://{service.address}{under}", key, kind)
    if play.model is None:
        path = folder / "darkai" / "config.toml"
        path.write_text(path.read_text().replace('model = "m"\n', ""))
    return {"WORK_KEY": play.key} if play.key else {}


# --- what is written down -------------------------------------------------------------------------


def events(output: bytes) -> list[Any]:
    """The events on stdout; texts that follow each other are one."""
    collapsed: list[Any] = []
    for line in filter(None, output.decode().split("\n")):
        event = json.loads(line)
        name, data = event["event"], event["data"]
        if name in ("text-chunk", "reasoning-chunk"):
            if collapsed and collapsed[-1][0] == name:
                collapsed[-1][1] += data["text"]
            else:
                collapsed.append([name, data["text"]])
        elif name == "stream-start":
            collapsed.append(
                [name, data["provider"], data["model"], data["conversation"] is not None]
            )
        elif name == "notice":
            collapsed.append([name, data["level"]])
        elif name == "error":
            collapsed.append([name, {field: data[field] for field in ERROR}])
        elif name == "stream-end":
            collapsed.append([name, data["reason"]])
        else:
            collapsed.append([name, data])
    return [[short(value) for value in event] for event in collapsed]


def short(value: Any) -> Any:
    """The value; for a long text its beginning, its length and a fingerprint."""
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    mark = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{value[:40]}... ({len(value)} characters, {mark})"


def request_of(request: Request) -> dict[str, Any]:
    """A request as the server received it."""
    headers = {
        name: "VARIABLE" if name in VARIABLE else re.sub(r"\bdarkai(-cli)?/\S+", "darkai/VERSION", value)
        for name, value in request.headers.items()
    }  # fmt: skip
    body = request.json() if request.body else None
    return {"method": request.method, "target": request.target, "headers": headers, "body": body}


def turns(output: bytes) -> list[Any]:
    """The turns of the conversation that ``history show`` lists, in order."""
    result = []
    for line in filter(None, output.decode().split("\n")):
        conversation = json.loads(line)
        if "turns" not in conversation:  # an error: nothing is saved
            continue
        messages = {message["id"]: message for message in conversation["messages"]}
        for turn in conversation["turns"]:
            written = {name: turn[name] for name in TURN}
            written["tokens"] = [turn[name] for name in TOKENS]
            written["resumes"] = turn["resumes"] is not None
            written["prompt"] = plain(messages.get(turn["prompt"]))
            written["reply"] = plain(messages.get(turn["reply"]))
            if written["tokens"] == [None] * len(TOKENS):
                del written["tokens"]
            result.append({name: value for name, value in written.items() if value})
    return result


def plain(message: Mapping[str, Any] | None) -> dict[str, Any]:
    """A saved message without its identity."""
    if message is None:
        return {}
    return {
        name: short(value)
        for name, value in message.items()
        if name not in IDENTITY and name != "role" and value
    }


# --- the data files -------------------------------------------------------------------------------

USUAL = "question: plain"
"""The play whose request stands for all that are the same."""


def path_of(kind: str) -> Path:
    """Where the snapshot of a dialect is."""
    return HERE / f"{kind}.json"


def load(kind: str) -> dict[str, Any]:
    """The snapshot of a dialect: what was written down of each play."""
    data = json.loads(path_of(kind).read_text("utf-8"))
    usual = data[USUAL]["requests"][0]
    for written in data.values():
        written["requests"] = [
            usual if request == "usual" else request for request in written["requests"]
        ]
    result: dict[str, Any] = data
    return result


def save(kind: str, data: Mapping[str, Any]) -> None:
    """Write the snapshot of a dialect."""
    usual = data[USUAL]["requests"][0]
    blocks = [
        f"{json.dumps(name)}: {block(written, None if name == USUAL else usual)}"
        for name, written in sorted(data.items())
    ]
    path_of(kind).write_text("{\n" + ",\n".join(blocks) + "\n}\n", "utf-8")


def block(written: Mapping[str, Any], usual: Any = None) -> str:
    """What was written down of a play, with one event, request or turn on a line."""
    lines = []
    requests = ["usual" if request == usual else request for request in written["requests"]]
    for name, value in {**written, "requests": requests}.items():
        if name in ("code", "connections") or not value:
            lines.append(f" {json.dumps(name)}: {json.dumps(value)}")
        else:
            rows = ",\n  ".join(json.dumps(row, sort_keys=True) for row in value)
            lines.append(f" {json.dumps(name)}: [\n  {rows}\n ]")
    return "{\n" + ",\n".join(lines) + "\n}"
