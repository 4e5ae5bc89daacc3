"""Tool calls that come in pieces, put together.

Not a judge of their arguments: a model may write what is no JSON, and whoever runs the tool tells
it so. The pieces of several calls may come in turn, by ``index``; but some services leave the index
out, give all calls the same one, repeat name and id in each piece, or send a call whole with an
object for its arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from darkai_cli.events import Notice, ToolCall
from darkai_cli.providers.dialect import dicts, parse, text_in, words

MAX_CALLS = 128
"""Of one reply; the pieces of further ones are dropped."""


class _Call:
    """One call, as far as it has come."""

    def __init__(self, identity: str, name: str) -> None:
        self.id = identity
        self.name = name
        self.pieces: list[str] = []


class Calls:
    """The calls of one reply."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._at: dict[object, _Call] = {}  # by the service's index
        self._given = False

    def add(self, delta: dict[str, Any]) -> None:
        """The pieces in one delta."""
        for piece in dicts(delta.get("tool_calls")):
            function = piece.get("function")
            self._piece(piece, function if isinstance(function, dict) else {})
        old = delta.get("function_call")
        if isinstance(old, dict):  # before there were tools: one call, without an id
            self._piece({"index": -1}, old)

    def _piece(self, piece: dict[str, Any], function: dict[str, Any]) -> None:
        identity, name = text_in(piece, "id"), text_in(function, "name")
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        elif not isinstance(arguments, str):
            arguments = ""
        if not (identity or name or arguments):
            return
        call = self._find(piece.get("index"), identity, name)
        if call is not None:
            call.id = call.id or identity
            call.name = call.name or name
            call.pieces.append(arguments)

    def _find(self, index: object, identity: str, name: str) -> _Call | None:
        """The call that a piece belongs to, perhaps a new one."""
        if isinstance(index, int):
            known = self._at.get(index)
            # the same index, but another call: all have index 0
            other = known is not None and identity and name and known.id not in ("", identity)
            if known is not None and not other:
                return known
        elif identity:
            for call in self._calls:
                if call.id == identity:
                    return call
        elif self._calls and not name:
            return self._calls[-1]
        if len(self._calls) >= MAX_CALLS:
            return None
        call = _Call(identity, name)
        self._calls.append(call)
        if isinstance(index, int):
            self._at[index] = call
        return call

    def whole(self, *, cut: bool) -> Iterator[ToolCall | Notice]:
        """The calls, once each. ``cut``: the reply was stopped, so the last may be no whole one."""
        if self._given:
            return
        self._given = True
        for number, call in enumerate(self._calls):
            arguments = "".join(call.pieces)
            if not arguments.strip():
                arguments = "{}"
            if not call.name or (cut and parse(arguments) is None):
                what = f"the call of the tool `{words(call.name, 60)}`" if call.name else "a call"
                yield Notice("warning", f"{what} was cut off, and is left out")
                continue
            yield ToolCall(call.id or f"call_{number}", call.name, arguments)
