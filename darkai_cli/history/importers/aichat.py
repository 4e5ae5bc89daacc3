"""Import a session of aichat: a YAML file is a conversation.

The format is that of aichat's own source: ``model``, ``temperature`` and ``messages``, a list of
``role`` and ``content``; before them ``compressed_messages``, which a summary has replaced. There
are no times and no ids, so the file's time stands for all of them, and ids are made of the
session's name, the position and the text: importing a longer session adds what is new. PyYAML is an
extra; it is used without guessing types, so that a message ``yes`` or ``12:30`` stays a string.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from darkai_cli.errors import InputError
from darkai_cli.history.ids import derived_id
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    turn_for,
)
from darkai_cli.history.store import StoredTurn
from darkai_cli.history.turns import dumps, title_from
from darkai_cli.messages import MAX_IMAGE, ROLES, Image, images_of, sniff_image_type

Progress = Callable[[int, int], None]


def read(path: Path, report: ImportReport, progress: Progress) -> Iterator[ImportedConversation]:
    """Yield the conversation of a session. Raises ``InputError``."""
    session = _load(path)
    items = [*(session.get("compressed_messages") or ()), *(session.get("messages") or ())]
    conversation = _conversation(path, session, items, report)
    if conversation is not None:
        yield conversation
    progress(1, 1)


def _load(path: Path) -> dict[str, Any]:
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError as exc:
        raise InputError(
            f"`{path}` looks like an aichat session; importing it needs PyYAML",
            hint='`pip install "darkai-cli[import]"`',
        ) from exc
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        session = yaml.load(path.read_bytes(), loader)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise InputError(f"Invalid YAML: `{path}`") from exc
    lists = ("messages", "compressed_messages")
    if (
        not isinstance(session, dict)
        or not isinstance(session.get("messages"), list)
        or not all(isinstance(session.get(name) or [], list) for name in lists)
    ):
        raise InputError(f"Not an aichat session: `{path}`")
    return session


def _conversation(
    path: Path, session: dict[str, Any], items: list[Any], report: ImportReport
) -> ImportedConversation | None:
    when = path.stat().st_mtime_ns // 1_000_000
    options = _options(session)
    messages: list[DraftMessage] = []
    turns: list[StoredTurn] = []
    system = prompt = None
    position = 0  # of a text, in place of the time, which the file does not have
    for item in items:
        role, text, images, lines = _message(item, report)
        if role == "system":  # It belongs to the turns after it and is no message.
            system = text
        if role == "system" or not (text or images or lines):
            continue
        # Messages with text keep the ids that they had before images were imported.
        number = () if text else (str(len(messages)),)
        origin = ("aichat", path.stem, role, text, *number)
        above = messages[-1].id if messages else None
        content = "\n".join([text, *lines]).removeprefix("\n")
        made = DraftMessage(
            derived_id(position, *origin), above, role, content, "", "[]", when, images
        )
        messages.append(made)
        if role == "user":
            prompt = made.id
        elif role == "assistant":
            turn = turn_for(
                derived_id(position, *origin, "turn"), made,
                prompt=prompt, provider="aichat", model=str(session.get("model") or ""),
            )  # fmt: skip
            turns.append(turn._replace(system=system, options=options))
        position += bool(text)
    if not messages:
        return None
    identifier = derived_id(0, "aichat", path.stem)
    title = title_from(path.stem)
    return ImportedConversation(
        identifier, title, when, when, messages[-1].id, "aichat", messages, turns
    )


def _message(item: Any, report: ImportReport) -> tuple[str, str, tuple[Image, ...], list[str]]:
    """Return role, text and images of a message, and a line for each image that is elsewhere.

    All are empty, and counted, if the message makes no sense.
    """
    role = item.get("role") if isinstance(item, dict) else None
    if role not in ROLES:
        report.skip("malformed message")
        return "", "", (), []
    content = item.get("content")
    if isinstance(content, str):
        return role, content, (), []
    if isinstance(content, dict):  # tool calls, with text beside them
        report.skip("part of type `tool_calls`")
        content = [{"type": "text", "text": content.get("text")}]
    texts: list[str] = []
    images: list[Image] = []
    lines: list[str] = []
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url" and (image := _image(part)):
            images.append(image)
        elif kind != "text":
            report.skip(f"part of type `{kind}`"[:80])
            lines += [_line(part)] if kind == "image_url" else []
    return role, "\n".join(texts), tuple(images), lines


def _image(part: dict[str, Any]) -> Image | None:
    """Return an image whose data is in the session, or None."""
    try:
        images = images_of([part])
    except InputError:
        return None
    media_type = sniff_image_type(images[0].data) if images else None
    if media_type is None or len(images[0].data) > MAX_IMAGE:
        return None
    return images[0]._replace(media_type=media_type)


def _line(part: dict[str, Any]) -> str:
    """Return the line that stands for an image elsewhere, with its address if it has one."""
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, dict) else given
    is_web = isinstance(url, str) and url.startswith(("https://", "http://"))
    return f"[image: {url}]" if is_web else "[image]"


def _options(session: dict[str, Any]) -> str:
    options = {}
    for name in ("temperature", "top_p"):
        try:
            value = float(session[name])
        except (KeyError, TypeError, ValueError):
            continue
        if math.isfinite(value):
            options[name] = value
    return dumps(options)
