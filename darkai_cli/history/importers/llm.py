"""What went along with llm's prompts, as far as it is images and can be had.

llm keeps the bytes of what was piped in. Of a file it keeps the path, and a SHA-256 of the content
as the id: the file is taken only while it has that content, so that no database can name a file
which it does not know already. A URL is not fetched. What is left out is counted.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection
from pathlib import Path

from darkai_cli.history.importers.draft import ImportReport, bytes_of
from darkai_cli.messages import Image, image_type


class LlmImages:
    """The images of one database. ``tables``: the names of those that it has."""

    def __init__(
        self, conn: sqlite3.Connection, tables: Collection[str], tally: ImportReport
    ) -> None:
        self._conn = conn
        self._tables = tables
        self._tally = tally
        self._seen: set[str] = set()

    def of_response(self, response: str) -> tuple[Image, ...]:
        """What went along with a prompt of the old schema."""
        return self._of("prompt_attachments", "response_id", response)

    def of_part(self, part: int) -> tuple[Image, ...]:
        """What a part of a message of the new schema holds."""
        return self._of("part_attachments", "part_id", part)

    def tell_rest(self) -> None:
        """Count those that no message led to, such as the results of tools."""
        if "attachments" in self._tables:
            found = {str(one) for (one,) in self._conn.execute("SELECT id FROM attachments")}
            if found - self._seen:
                self._tally.skip("attachment", len(found - self._seen))

    def _of(self, table: str, column: str, name: str | int) -> tuple[Image, ...]:
        if not {table, "attachments"} <= set(self._tables):
            return ()
        rows = self._conn.execute(
            f"SELECT a.* FROM {table} p JOIN attachments a ON a.id = p.attachment_id"  # noqa: S608
            f' WHERE p.{column} = ? ORDER BY p."order"',
            (name,),
        ).fetchall()
        found = []
        for row in rows:
            self._seen.add(str(row["id"]))
            image = _image(row)
            if isinstance(image, Image):
                found.append(image)
            else:
                self._tally.skip(image)
        return tuple(found)


def _image(row: sqlite3.Row) -> Image | str:
    """The image, or why it is left out."""
    path = Path(str(row["path"] or ""))
    data = row["content"]
    if not data:
        if row["url"]:
            return "attachment of which only the URL is kept"
        data = _content(path, str(row["id"]))
        if data is None:
            return "attachment whose file is gone or changed"
    media_type = image_type(data) if isinstance(data, bytes) else None
    return Image(media_type, data, path.name) if media_type else "attachment that is no image"


def _content(path: Path, digest: str) -> bytes | None:
    """What is in the file, if it is what was attached."""
    if not path.is_absolute() or not path.is_file():
        return None
    data = bytes_of(path)
    return data if data is not None and hashlib.sha256(data).hexdigest() == digest else None
