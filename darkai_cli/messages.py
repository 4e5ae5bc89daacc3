"""What a request consists of: messages with their roles, options and tools.

A message has text, images and, if it is a model's, tool calls. Options are what the user passed
with ``-o K=V`` or in the config; a dialect maps them to the fields of its requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from darkai_cli.errors import InputError

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


class Image(NamedTuple):
    """An image of a message. ``media_type`` is ``image/png`` or the like."""

    media_type: str
    data: bytes
    name: str = ""

    @property
    def base64(self) -> str:
        """The data as services take it."""
        from base64 import b64encode

        return b64encode(self.data).decode("ascii")


class Call(NamedTuple):
    """A tool call of a model. ``arguments`` is the complete JSON text."""

    id: str
    name: str
    arguments: str


class Message(NamedTuple):
    """One message of a conversation.

    ``images`` stand before the text. ``calls``: the tool calls of an assistant. A message with the
    role ``tool`` holds the output of the call ``call_id`` of the tool ``name``.
    """

    role: Role
    content: str
    images: tuple[Image, ...] = ()
    calls: tuple[Call, ...] = ()
    call_id: str = ""
    name: str = ""


class ToolSpec(NamedTuple):
    """A tool that the model may call. ``parameters``: the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class ChatRequest(NamedTuple):
    """A request to a model: the conversation, the model's name, the options, the tools."""

    messages: tuple[Message, ...]
    model: str
    options: Mapping[str, Any] = {}
    tools: tuple[ToolSpec, ...] = ()


MAX_IMAGE = 16 * 1024 * 1024
"""The most bytes of one image."""

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)


def sniff_image_type(data: bytes) -> str | None:
    """Return the media type of an image, by its first bytes; None if models don't take it."""
    for mark, offset, media_type in _IMAGES:
        if data.startswith(mark, offset):
            return media_type
    return None


def images_of(content: object) -> tuple[Image, ...]:
    """Return the images in OpenAI's list of parts, which must be ``data:`` URLs.

    Raises ``InputError`` for any other URL: darkai fetches no images by itself.
    """
    if not isinstance(content, Sequence) or isinstance(content, str):
        return ()
    images = []
    for part in content:
        image_url = part.get("image_url") if isinstance(part, Mapping) else None
        url = image_url.get("url") if isinstance(image_url, Mapping) else image_url
        if isinstance(url, str):
            images.append(_image_at(url))
    return tuple(images)


def _image_at(url: str) -> Image:
    from base64 import b64decode

    head, comma, data = url.partition(",")
    scheme, _, media_type = head.partition(":")
    media_type, _, encoding = media_type.partition(";")
    if scheme != "data" or not comma or encoding != "base64":
        raise InputError(
            "An image in a message must be a base64 `data:` URL",
            hint="data:image/png;base64,...",
        )
    try:
        return Image(media_type, b64decode(data, validate=True))
    except ValueError as exc:
        raise InputError("An image in a message is not valid base64") from exc


def calls_of(message: Mapping[str, Any]) -> tuple[Call, ...]:
    """Return the tool calls of a message in OpenAI's form. Raises ``InputError`` for bad ones."""
    calls = []
    for call in message.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            parsed = Call(_text(call, "id"), _text(function, "name"), _text(function, "arguments"))
            if parsed.id and parsed.name:
                calls.append(parsed)
                continue
        raise InputError("A tool call needs an `id`, and a `function` with `name` and `arguments`")
    return tuple(calls)


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or OpenAI's list of parts.

    Raises ``InputError`` for anything else.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "\n".join(part for part in parts if isinstance(part, str))
    raise InputError(f"Message content must be text, not {type(content).__name__}")


def from_dicts(messages: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Return messages from the form that the Python API takes: ``[{"role": ..., ...}, ...]``.

    Raises ``InputError`` for an empty list, a missing key or an unknown role.
    """
    if not messages:
        raise InputError("No messages to send")
    result = []
    for number, message in enumerate(messages, 1):
        role = message.get("role")
        if role not in ROLES:
            raise InputError(
                f"Message {number} has the unknown role `{role}`",
                hint=f"Roles are {', '.join(ROLES)}",
            )
        content = message.get("content")
        result.append(
            Message(
                cast("Role", role),
                text_of(content),
                images_of(content),
                calls_of(message),
                _text(message, "tool_call_id"),
                _text(message, "name"),
            )
        )
    return tuple(result)


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    return value if isinstance(value, str) else ""
