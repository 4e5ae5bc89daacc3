"""The pictures and files of ChatGPT's export: beside ``conversations.json``, or only named in it.

Facts as observed: a part of a message points at a file by its id (``file-service://file-ab12``),
the message's metadata has its name, and where the whole export was unpacked a file whose name
begins with that id has the content. A picture of the user's is taken. Of all else a line in the
text says what was there, as ``[file: notes.pdf]``. No name in the JSON is ever used as a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from darkai_cli.history.importers.draft import bytes_of
from darkai_cli.messages import MAX_IMAGE, Image, image_type
from darkai_cli.text import one_line

_ID = re.compile(r"file[-_][A-Za-z0-9]+")
_NAME_LENGTH = 200


class ChatGptFiles:
    """The files of one export. ``folder``: where its ``conversations.json`` is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, message: dict[str, Any], parts: list[Any]) -> tuple[list[str], list[Image], int]:
        """The lines of a message's text, its images, and how many files only a line is left of."""
        lines: list[str] = []
        images: list[Image] = []
        missing = 0
        role = (message.get("author") or {}).get("role")
        for kind, identifier, name in _said(message, parts):
            if kind == "text":
                lines.append(name)
                continue
            image = self._image(identifier, name) if role == "user" else None
            if image is not None:
                images.append(image)
            else:
                missing += 1
                lines.append(named(kind, name))
        return lines, images, missing

    def _image(self, identifier: str, name: str) -> Image | None:
        path = self._paths.get(identifier)
        data = bytes_of(path) if path is not None else None
        if path is None or data is None:
            return None
        media_type = image_type(data) if len(data) <= MAX_IMAGE else None
        return Image(media_type, data, name or path.name) if media_type else None

    @cached_property
    def _paths(self) -> dict[str, Path]:
        """The files of the export by their ids: in its folder, and in the folders in that."""
        found: dict[str, Path] = {}
        for pattern in ("file[-_]*", "*/file[-_]*"):
            for path in sorted(self._folder.glob(pattern)):
                match = _ID.match(path.name)
                if match and path.is_file() and not path.is_symlink():
                    found.setdefault(match[0], path)
        return found


def named(kind: str, name: str) -> str:
    """The line that stands for a file: ``[image: photo.png]``."""
    short = one_line(name)[:_NAME_LENGTH]
    return f"[{kind}: {short}]" if short else f"[{kind}]"


def _said(message: dict[str, Any], parts: list[Any]) -> Iterator[tuple[str, str, str]]:
    """What a message is made of, in order: its kind, a file's id, and the name or the text."""
    names = dict(_attachments(message))
    pointed = set()
    for part in parts:
        if isinstance(part, str):
            if part:
                yield "text", "", part
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            yield "text", "", part["text"]  # what was heard
        else:
            pointer = str(part.get("asset_pointer")) if isinstance(part, dict) else ""
            kind = str(part.get("content_type")) if isinstance(part, dict) else ""
            identifier = next(reversed(_ID.findall(pointer)), "")
            pointed.add(identifier)
            yield _kind(kind), identifier, names.get(identifier, ("", ""))[1]
    for identifier, (kind, name) in names.items():
        if identifier not in pointed:
            yield kind, identifier, name


def _attachments(message: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """What the metadata say of the files: the id of each, its kind and name."""
    given = (message.get("metadata") or {}).get("attachments")
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict):
            media_type = str(one.get("mime_type") or one.get("mimeType") or "")
            yield str(one.get("id")), (_kind(media_type), str(one.get("name") or ""))


def _kind(what: str) -> str:
    return next((kind for kind in ("image", "audio", "video") if what.startswith(kind)), "file")
