"""Import a ChatGPT export: ``conversations.json``, with the pictures that lie beside it.

The format as observed: a list of conversations whose ``mapping`` is a tree of nodes. A part of a
message points at a file by its id (``file-service://file-ab12``), the message's metadata has the
file's name, and where the whole export was unpacked a file whose name begins with that id has the
content. A picture of the user's is imported; for any other file a line in the text names it, as in
``[file: notes.pdf]``. No name in the JSON is ever used as a path. Ids are derived from ChatGPT's
own, so that importing an export again adds only what is new.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from darkai_cli.history.ids import derived_id
from darkai_cli.history.importers.draft import (
    DraftMessage,
    ImportedConversation,
    ImportReport,
    read_bounded,
    turn_for,
)
from darkai_cli.history.store import StoredTurn
from darkai_cli.messages import MAX_IMAGE, ROLES, Image, sniff_image_type
from darkai_cli.text import one_line

Progress = Callable[[int, int], None]
_MAX_MS = 1 << 47
_FILE_ID = re.compile(r"file[-_][A-Za-z0-9]+")
_NAME_LENGTH = 200


def read(
    records: list[Any], folder: Path, report: ImportReport, progress: Progress
) -> Iterator[ImportedConversation]:
    """Yield the conversations of an export. ``folder``: where its files are."""
    files = _ChatGptFiles(folder)
    for number, record in enumerate(records, 1):
        try:
            conversation = _ChatGptConversation(record, files, report).read()
        except (KeyError, TypeError, ValueError, AttributeError):
            report.skip("malformed conversation")
        else:
            yield conversation
        progress(number, len(records))


class _ChatGptConversation:
    """One conversation of ChatGPT's export."""

    def __init__(self, source: dict[str, Any], files: _ChatGptFiles, report: ImportReport) -> None:
        self._source = source
        self._files = files
        self._report = report
        self._name = str(source.get("conversation_id") or source["id"])
        self._created = _milliseconds(source.get("create_time"), 0)
        self._messages: list[DraftMessage] = []
        self._turns: list[StoredTurn] = []
        self._visited: dict[str, tuple[str | None, str | None]] = {}
        """The ids of message and prompt that the children of each node are below."""

    def read(self) -> ImportedConversation:
        mapping = self._source["mapping"]
        roots = [key for key, node in mapping.items() if node.get("parent") not in mapping]
        waiting: list[tuple[str, str | None, str | None]] = [
            (key, None, None) for key in reversed(roots)
        ]
        while waiting:
            key, parent, prompt = waiting.pop()
            if key in self._visited:  # A node can be a child twice.
                continue
            self._visited[key] = self._node(key, mapping[key].get("message"), parent, prompt)
            children = [child for child in mapping[key].get("children") or () if child in mapping]
            waiting += [(child, *self._visited[key]) for child in reversed(children)]
        active, _ = self._visited.get(str(self._source.get("current_node")), (None, None))
        return ImportedConversation(
            derived_id(self._created, "chatgpt", self._name),
            str(self._source.get("title") or ""),
            self._created,
            _milliseconds(self._source.get("update_time"), self._created),
            active or (self._messages[-1].id if self._messages else None),
            "chatgpt",
            self._messages,
            self._turns,
        )

    def _node(
        self, key: str, message: dict[str, Any] | None, parent: str | None, prompt: str | None
    ) -> tuple[str | None, str | None]:
        """Return the ids of the message and the prompt that the children of this node are below."""
        text, images = self._content(message) if message else ("", ())
        if not message or not (text or images):
            return parent, prompt
        role = message["author"]["role"]
        created = _milliseconds(message.get("create_time"), self._created)
        made = DraftMessage(
            derived_id(created, "chatgpt", self._name, key), parent, role, text, "", "[]", created,
            images,
        )  # fmt: skip
        self._messages.append(made)
        if role == "assistant":
            self._turns.append(
                turn_for(
                    derived_id(created, "chatgpt", self._name, key, "turn"),
                    made,
                    prompt=prompt,
                    provider="chatgpt",
                    model=str((message.get("metadata") or {}).get("model_slug") or ""),
                    state=_state(message),
                )
            )
        return made.id, made.id if role == "user" else prompt

    def _content(self, message: dict[str, Any]) -> tuple[str, tuple[Image, ...]]:
        """Return text and images of a message; none, and counted, if it was not shown."""
        role = (message.get("author") or {}).get("role")
        content = message.get("content") or {}
        kind = str(content.get("content_type"))
        hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
        parts = content.get("parts") or ([content["text"]] if content.get("text") else [])
        lines, images, missing = self._files.of(message, parts)
        if role not in ROLES:
            self._report.skip("message with an unknown role")
        elif hidden or (role == "system" and not lines):
            self._report.skip("hidden message")
        elif kind not in ("text", "multimodal_text", "code", "execution_output"):
            self._report.skip(f"message of type `{kind}`"[:80])
        else:
            if missing:
                self._report.skip("image or file, named in the text", missing)
            if not lines and not images:
                self._report.skip("empty message")
            return "\n".join(lines), tuple(images)
        return "", ()


def _state(message: dict[str, Any]) -> str:
    ended = (message.get("metadata") or {}).get("finish_details") or {}
    if ended.get("type") == "max_tokens":
        return "truncated"
    if ended.get("type") == "interrupted" or message.get("status") == "in_progress":
        return "interrupted"
    return "complete"


def _milliseconds(seconds: object, default: int) -> int:
    """Return ChatGPT's seconds since 1970 as milliseconds."""
    if not isinstance(seconds, int | float) or not 0 < seconds < _MAX_MS / 1000:
        return default
    return int(seconds * 1000)


class _ChatGptFiles:
    """The files of one export. ``folder``: where its ``conversations.json`` is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, message: dict[str, Any], parts: list[Any]) -> tuple[list[str], list[Image], int]:
        """Return the lines of a message's text, its images, and how many files have only a line."""
        lines: list[str] = []
        images: list[Image] = []
        missing = 0
        role = (message.get("author") or {}).get("role")
        for kind, identifier, name in _parts(message, parts):
            if kind == "text":
                lines.append(name)
                continue
            image = self._image(identifier, name) if role == "user" else None
            if image is not None:
                images.append(image)
            else:
                missing += 1
                lines.append(_placeholder(kind, name))
        return lines, images, missing

    def _image(self, identifier: str, name: str) -> Image | None:
        path = self._paths.get(identifier)
        data = read_bounded(path) if path is not None else None
        if path is None or data is None:
            return None
        media_type = sniff_image_type(data) if len(data) <= MAX_IMAGE else None
        return Image(media_type, data, name or path.name) if media_type else None

    @cached_property
    def _paths(self) -> dict[str, Path]:
        """The files of the export by their ids: in its folder, and in the folders in that."""
        paths: dict[str, Path] = {}
        for pattern in ("file[-_]*", "*/file[-_]*"):
            for path in sorted(self._folder.glob(pattern)):
                match = _FILE_ID.match(path.name)
                if match and path.is_file() and not path.is_symlink():
                    paths.setdefault(match[0], path)
        return paths


def _placeholder(kind: str, name: str) -> str:
    """Return the line that stands for a file, like ``[image: photo.png]``."""
    short = one_line(name)[:_NAME_LENGTH]
    return f"[{kind}: {short}]" if short else f"[{kind}]"


def _parts(message: dict[str, Any], parts: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the parts of a message: the kind, a file's id, and the name or the text."""
    names = dict(_attachments(message))
    referenced = set()
    for part in parts:
        if isinstance(part, str):
            if part:
                yield "text", "", part
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            yield "text", "", part["text"]  # the words of a recording
        else:
            pointer = str(part.get("asset_pointer")) if isinstance(part, dict) else ""
            kind = str(part.get("content_type")) if isinstance(part, dict) else ""
            identifier = next(reversed(_FILE_ID.findall(pointer)), "")
            referenced.add(identifier)
            yield _kind(kind), identifier, names.get(identifier, ("", ""))[1]
    for identifier, (kind, name) in names.items():
        if identifier not in referenced:
            yield kind, identifier, name


def _attachments(message: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the id of each file in the metadata, with its kind and name."""
    given = (message.get("metadata") or {}).get("attachments")
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict):
            media_type = str(item.get("mime_type") or item.get("mimeType") or "")
            yield str(item.get("id")), (_kind(media_type), str(item.get("name") or ""))


def _kind(media_type: str) -> str:
    return next(
        (kind for kind in ("image", "audio", "video") if media_type.startswith(kind)), "file"
    )
