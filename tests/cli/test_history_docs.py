"""The commands of the pages about the history, each as it is written, in a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import openai
from support.scenario import environment
from support.server import FaultServer

from darkai_cli.config import paths
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store

DOCS = Path(__file__).resolve().parents[2] / "docs"
OTHERS = ("conversations.json", "logs.db", "rust.yaml", "damaged-")
"""Files of other programs, or of a bad day, that are not here."""


def commands(page: str, *sections: str) -> Iterator[str]:
    """The lines of the shell blocks in these sections of a page."""
    text = (DOCS / page).read_text("utf-8")
    for section in sections:
        _, _, rest = text.partition(f"\n## {section}\n")
        assert rest, f"{page} has no section `{section}`"
        body = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
        for block in re.findall(r"^```sh\n(.*?)^```", body, re.MULTILINE | re.DOTALL):
            yield from block.splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `darkai` is on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "darkai"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m darkai_cli "$@"\n')
    program.chmod(0o755)
    more = {"PATH": f"{folder}:{os.environ['PATH']}", "DARKAI_DEMO_DELAY": "0"}
    return environment(more)


def run(line: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    latest = ""
    if "01k4e7q" in line:
        with Store(paths.history_file()) as store:
            latest = store.short(store.latest() or "")
    return subprocess.run(
        line.replace("01k4e7q", latest),
        check=False, shell=True, env=env, text=True, capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def cut_the_latest() -> None:
    """What Ctrl-C would have done to the reply that has just been saved."""
    with Store(paths.history_file()) as store, store.writing() as conn:
        conn.execute(
            "UPDATE message SET text = substr(text, 1, 200) WHERE id = (SELECT active FROM"
            " conversation ORDER BY updated DESC LIMIT 1)"
        )
        conn.execute(
            "UPDATE turn SET state = 'interrupted' WHERE reply = (SELECT active FROM conversation"
            " ORDER BY updated DESC LIMIT 1)"
        )


@pytest.mark.parametrize(
    ("page", "sections"),
    [
        ("how-to/history.md", ["Continue a conversation", "Find a conversation", "Read it again"]),
        ("how-to/history.md", ["See the branches", "Export and import"]),
        ("tutorial.md", ["Continue a conversation"]),
    ],
)
def test_the_commands_work_as_they_are_written(
    page: str, sections: list[str], shell: dict[str, str]
):
    for line in commands(page, *sections):
        done = run(line, shell)
        assert done.returncode == 0, (line, done)
        assert "error" not in done.stderr
        if '"long ' in line:
            cut_the_latest()


def test_the_pictures_are_kept_as_the_page_says(
    shell: dict[str, str], isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(34_800))
    with FaultServer(openai.reply(["a square"])) as server:
        openai.configure(isolated, openai.base(server))
        for line in commands("how-to/history.md", "Keep images"):
            done = run(line, shell)
            assert done.returncode == 0, (line, done)
            if line.endswith("show"):
                assert "[image photo.png, 34 KiB]" in done.stdout
            elif line.endswith("stats"):
                assert "\nattachments\t1\t34808\n" in done.stdout
    assert "data:image/png;base64," in Path("picture.html").read_text()


def test_two_replies_differ_as_the_page_says(shell: dict[str, str]):
    done = {line: run(line, shell) for line in commands("how-to/history.md", "See the branches")}
    diff = done["darkai history diff 2 3"].stdout
    assert diff.startswith("--- 2\n+++ 3\n@@ ")


def test_the_pipes_do_nothing_where_there_is_nothing_to_do(shell: dict[str, str]):
    journal = Journal(paths.history_file())
    journal.begin("kept", provider="p", model="m")
    journal.end("complete")
    journal.close()
    for line in commands("how-to/history.md", "Use it in scripts"):
        program = re.search(r"^sqlite3|\| (jq|cut)", line)
        if program and not shutil.which((program[1] or "sqlite3").strip()):
            continue
        done = run(line, shell)
        assert done.returncode == 0, (line, done)
        assert "error" not in done.stderr
    with Store(paths.history_file()) as store:
        assert len(store.conversations()) == 1


def test_the_sections_that_are_not_run_name_files_that_are_not_there(shell: dict[str, str]):
    for line in commands(
        "how-to/history.md", "Import from other programs", "Recover a damaged history"
    ):
        assert any(name in line for name in OTHERS), line
        assert run(line, shell).returncode == 11
