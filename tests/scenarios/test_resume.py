"""A resumed reply, where the whole of it is wanted: ``-x``, ``--output``; and a private data folder."""

from __future__ import annotations

import os
from pathlib import Path

from support.scenario import run_darkai
from support.server import FaultServer, Reset, reply


def test_resume_sees_the_whole_reply() -> None:
    cut = reply(["Look:\n```py\na = 1\n", Reset()], end=None)[:3]
    rest = reply(["b = 2\n```\nDone.\n"])
    for args, wanted in (
        (["-x"], b"a = 1\nb = 2\n"),
        ([], b"b = 2\n```\nDone.\n"),
    ):
        with FaultServer(cut, rest) as server:
            env = {"DARKAI_URL": server.url}
            assert run_darkai("ask", "x", env=env).code == 14
            result = run_darkai("ask", "--resume", *args, env=env)
        assert (result.code, result.stdout) == (0, wanted), result
    with FaultServer(cut, rest) as server:
        env = {"DARKAI_URL": server.url}
        assert run_darkai("ask", "x", env=env).code == 14
        assert run_darkai("ask", "--resume", "--output", "whole.md", env=env).code == 0
    assert Path("whole.md").read_text() == "Look:\n```py\na = 1\nb = 2\n```\nDone.\n"


def test_the_data_folder_is_private() -> None:
    assert run_darkai("ask", "-p", "demo", "echo hi").code == 0
    assert Path(os.environ["DARKAI_HOME"]).stat().st_mode & 0o777 == 0o700


def test_a_newer_history_is_told_and_left_alone() -> None:
    import sqlite3

    run_darkai("ask", "-p", "demo", "echo hi")
    database = Path(os.environ["DARKAI_HOME"], "history.db")
    with sqlite3.connect(database) as conn:
        conn.execute("PRAGMA user_version = 99")
    conn.close()
    result = run_darkai("ask", "-p", "demo", "echo again")
    assert (result.code, result.stdout) == (0, b"again\n")
    assert "newer darkai" in result.stderr
