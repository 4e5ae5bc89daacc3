"""The demo service: a DarkAI server inside the process.

It takes the body of a request of the DarkAI dialect and gives the bytes that a DarkAI server would
stream, each piece with the pause before it: ``begin-stream``, a ``text-chunk`` for each word,
``stream-end``. A request that it cannot read gets the server's ``error`` event.
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
    """Yield the reply to a request: pairs of seconds to wait and bytes to send after that.

    ``delay``: the pause before each word. Pieces are made as they are taken.
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
    """Return the user's last message in a ``query`` as the DarkAI dialect writes it.

    A single message is the query itself. A conversation is one ``Role: content`` after the other
    and ends in ``Assistant:``; the format does not mark where a message ends, so a line of the
    user's that starts with ``User: `` passes for a message.
    """
    if not query.endswith("\nAssistant:") or not _ROLE.match(query):
        return query
    talk = "\n" + query.removesuffix("\nAssistant:")
    _, mark, last = talk.rpartition("\nUser: ")
    return last if mark else query


def continued(query: str) -> Iterator[str] | None:
    """Return the rest of a reply of the demo that was cut off, if ``query`` ends with its start.

    None for any other query: the demo does not continue replies of models.
    """
    talk, assistant_mark, partial = query.rpartition("\nAssistant: ")
    earlier, user_mark, prompt = f"\n{talk}".rpartition("\nUser: ")
    if not assistant_mark or not user_mark or not _ROLE.match(talk):
        return None
    pieces = answers.reply(prompt, f"{talk}\nAssistant:" if earlier else "")
    pieces = iter((answers.CANNOT,)) if pieces is None else pieces
    text = ""
    for piece in pieces:
        text += piece
        if len(text) >= len(partial):
            break
    if not text.startswith(partial):
        return None
    return chain((text[len(partial) :],), pieces)


def _message(event: str, data: dict[str, Any]) -> bytes:
    line = json.dumps({"event": event, "data": data}, separators=(",", ":"))
    return f"data: {line}\n\n".encode("ascii")
