"""The demo service: a DarkAI server inside the process, bytes in and paced bytes out.

Not a transport and not a provider: it takes the body of the request that the DarkAI dialect makes
and gives the bytes that a DarkAI server would stream, each with the pause before it. Whoever calls
it waits, wraps it as a transport, and decodes it as if it had come over a network. It sends
``begin-stream``, a ``text-chunk`` a word, ``stream-end``; a request that it cannot read gets the
server's ``error`` event.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from darkai_cli.providers.demo import answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORD = re.compile(r"\s{0,80}\S{1,200}|\s{1,80}")  # bounded: a word of a megabyte is many chunks
_ROLE = re.compile(r"(?:System|User|Assistant|Tool): ")
_LONGEST_ECHO_OF_QUERY = 500  # characters of the prompt that `begin-stream` repeats


def respond(
    body: bytes,
    headers: Mapping[str, str],  # noqa: ARG001 -- a request has them; no answer depends on them
    *,
    delay: float = 0.0,
) -> Iterator[tuple[float, bytes]]:
    """The reply to the HTTP request ``body``: pairs of seconds to wait and bytes to send then.

    ``delay`` is the pause before each word. Pieces are made as they are taken.
    """
    try:
        query = json.loads(body)["query"]
        if not isinstance(query, str):
            raise TypeError  # noqa: TRY301 -- one answer for all that is no request
    except (ValueError, TypeError, KeyError, RecursionError):
        detail = "the request has no text in `query`"
        yield 0.0, b"event: error\n" + _message("error", {"detail": detail})
        return
    yield 0.0, _message("begin-stream", {"query": query[:_LONGEST_ECHO_OF_QUERY]})
    pieces = continued(query)
    if pieces is None:
        prompt = last_user_message(query)
        pieces = answers.reply(prompt, query if prompt is not query else "")
    for piece in iter((answers.CANNOT,)) if pieces is None else pieces:
        for word in _WORD.finditer(piece):
            yield delay, _message("text-chunk", {"text": word[0]})
    yield 0.0, _message("stream-end", {})


def last_user_message(query: str) -> str:
    """What the user said last, in a ``query`` as the DarkAI dialect writes it.

    A single message stands there as it is. A conversation is one ``Role: content`` after the other
    and ends in ``Assistant:``; the format does not mark where a message ends, so a line of the
    user's that starts with ``User: `` passes for a message.
    """
    if not query.endswith("\nAssistant:") or not _ROLE.match(query):
        return query
    talk = "\n" + query.removesuffix("\nAssistant:")
    _, mark, last = talk.rpartition("\nUser: ")
    return last if mark else query


def continued(query: str) -> Iterator[str] | None:
    """The rest of a reply that was cut, if ``query`` ends in the beginning of one of demo's own.

    None if it does not: demo goes on with nobody else's words.
    """
    talk, mark, partial = query.rpartition("\nAssistant: ")
    before, spoken, prompt = f"\n{talk}".rpartition("\nUser: ")
    if not mark or not spoken or not _ROLE.match(talk):
        return None
    pieces = answers.reply(prompt, f"{talk}\nAssistant:" if before else "")
    pieces = iter((answers.CANNOT,)) if pieces is None else pieces
    said = ""
    for piece in pieces:
        said += piece
        if len(said) >= len(partial):
            break
    if not said.startswith(partial):
        return None
    return chain((said[len(partial) :],), pieces)


def _message(event: str, data: dict[str, Any]) -> bytes:
    line = json.dumps({"event": event, "data": data}, separators=(",", ":"))
    return f"data: {line}\n\n".encode("ascii")
