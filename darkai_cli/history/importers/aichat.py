"""aichat's sessions, read into drafts: one YAML file is one conversation.

The form is that of aichat's own source: ``model``, ``temperature`` and ``messages``, a list of
``role`` and ``content``; before them ``compressed_messages``, what a summary has replaced. It has
no times and no ids, so the file's time stands for all of them, and ids are made of the session's
name, the position and the text: a session that has grown since adds what is new. PyYAML is an
extra; it is told not to guess types, so that a message ``yes`` or ``12:30`` stays what it is.
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
from darkai_cli.messages import MAX_IMAGE, ROLES, Image, image_type, images_of

Progress = Callable[[int, int], None]


def read(path: Path, tally: ImportReport, progress: Progress) -> Iterator[ImportedConversation]:
    """The conversation of a session. Raises ``InputError``."""
    session = _load(path)
    said = [*(session.get("compressed_messages") or ()), *(session.get("messages") or ())]
    draft = _draft(path, session, said, tally)
    if draft is not None:
        yield draft
    progress(1, 1)


def _load(path: Path) -> dict[str, Any]:
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError as exc:
        raise InputError(
            f"`{path}` looks like a session of aichat, and reading it needs PyYAML",
            hint='`pip install "darkai-cli[import]"`',
        ) from exc
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        session = yaml.load(path.read_bytes(), loader)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise InputError(f"`{path}` is not valid YAML") from exc
    lists = ("messages", "compressed_messages")
    if (
        not isinstance(session, dict)
        or not isinstance(session.get("messages"), list)
        or not all(isinstance(session.get(name) or [], list) for name in lists)
    ):
        raise InputError(f"`{path}` is no session of aichat")
    return session


def _draft(
    path: Path, session: dict[str, Any], said: list[Any], tally: ImportReport
) -> ImportedConversation | None:
    when = path.stat().st_mtime_ns // 1_000_000
    options = _options(session)
    messages: list[DraftMessage] = []
    turns: list[StoredTurn] = []
    system = prompt = None
    position = 0  # of a text; it takes the place of the time, which nobody wrote down
    for one in said:
        role, text, images, lines = _message(one, tally)
        if role == "system":  # sent with the turns after it, said by nobody
            system = text
        if role == "system" or not (text or images or lines):
            continue
        # a message with a text is called what it was when images were not yet taken
        unsaid = () if text else (str(len(messages)),)
        origin = ("aichat", path.stem, role, text, *unsaid)
        above = messages[-1].id if messages else None
        shown = "\n".join([text, *lines]).removeprefix("\n")
        made = DraftMessage(
            derived_id(position, *origin), above, role, shown, "", "[]", when, images
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


def _message(one: Any, tally: ImportReport) -> tuple[str, str, tuple[Image, ...], list[str]]:
    """Role, text and images of a message, and a line for each part that cannot be had.

    All are empty, and counted, if there is nothing to be taken.
    """
    role = one.get("role") if isinstance(one, dict) else None
    if role not in ROLES:
        tally.skip("message that cannot be understood")
        return "", "", (), []
    content = one.get("content")
    if isinstance(content, str):
        return role, content, (), []
    if isinstance(content, dict):  # tool calls, with what was said beside them
        tally.skip("part of the kind `tool_calls`")
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
            tally.skip(f"part of the kind `{kind}`"[:80])
            lines += [_line(part)] if kind == "image_url" else []
    return role, "\n".join(texts), tuple(images), lines


def _image(part: dict[str, Any]) -> Image | None:
    """An image that is in the session itself."""
    try:
        found = images_of([part])
    except InputError:
        return None
    media_type = image_type(found[0].data) if found else None
    if media_type is None or len(found[0].data) > MAX_IMAGE:
        return None
    return found[0]._replace(media_type=media_type)


def _line(part: dict[str, Any]) -> str:
    """What stands for an image that is elsewhere: its address, if it has one."""
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, dict) else given
    found = url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
    return f"[image: {found}]" if found else "[image]"


def _options(session: dict[str, Any]) -> str:
    found = {}
    for name in ("temperature", "top_p"):
        try:
            value = float(session[name])
        except (KeyError, TypeError, ValueError):
            continue
        if math.isfinite(value):
            found[name] = value
    return dumps(found)
