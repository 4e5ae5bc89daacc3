"""Terminals that are not UTF-8: a character that they lack is a question mark, not a crash."""

from __future__ import annotations

import io

import pytest
from support.isolation import write_config
from support.scenario import run_in_pty
from support.server import FaultServer, reply

from darkai_cli.events import ReasoningChunk, TextChunk
from darkai_cli.output.notices import ReasoningSink
from darkai_cli.output.raw import PlainSink

ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def test_raw_on_an_ascii_terminal() -> None:
    with FaultServer(reply(["h", "éllo", " \U0001f600"])) as server:
        output = run_in_pty("ask", "--raw", "hi", env={**ASCII, "DARKAI_URL": server.url})
    assert (output.code, output.raw) == (0, b"h?llo ?\r\n")


def test_models_on_an_ascii_terminal() -> None:
    write_config('[aliases]\n"modèle" = "demo/demo"\n')
    output = run_in_pty("models", env=ASCII)
    assert output.code == 0, output.raw
    assert b"demo/demo             mod?le\r\n" in output.raw


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_sinks_write_in_the_terminals_encoding(encoding: str) -> None:
    answer, aside = io.BytesIO(), io.BytesIO()
    plain = PlainSink(io.TextIOWrapper(answer, encoding=encoding))
    reasoning = ReasoningSink(io.TextIOWrapper(aside, encoding=encoding), shows_text=True)
    plain.feed(TextChunk("é\u4e2d"))
    reasoning.feed(ReasoningChunk("é\u4e2d"))
    plain.close()
    reasoning.close()
    wanted = "é\u4e2d\n".encode(encoding, "replace")
    assert (answer.getvalue(), aside.getvalue()) == (wanted, wanted)
