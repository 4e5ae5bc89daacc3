"""What a request is made of: messages with their roles, and the request around them.

A message's content is text. Options are what the user passed with ``-o K=V`` or in the config; a
dialect decides which of its request's fields they become.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from darkai_cli.errors import InputError

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


class Message(NamedTuple):
    """One message of a conversation."""

    role: Role
    content: str


class ChatRequest(NamedTuple):
    """What is asked: the whole conversation, the model's own name, and the options."""

    messages: tuple[Message, ...]
    model: str
    options: Mapping[str, Any] = {}


def text_of(content: object) -> str:
    """The text of a message's content: a string, or the text in OpenAI's list of parts.

    Raises ``InputError`` for anything else.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "\n".join(part for part in parts if isinstance(part, str))
    raise InputError(f"message content must be text, not {type(content).__name__}")


def from_dicts(messages: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Messages as the Python API takes them, ``[{"role": ..., "content": ...}, ...]``.

    Raises ``InputError`` for an empty list, a missing key or an unknown role.
    """
    if not messages:
        raise InputError("there are no messages to send")
    made = []
    for number, message in enumerate(messages, 1):
        role = message.get("role")
        if role not in ROLES:
            raise InputError(
                f"message {number} has the role `{role}`",
                hint=f"roles are {', '.join(ROLES)}",
            )
        made.append(Message(cast("Role", role), text_of(message.get("content"))))
    return tuple(made)
