"""A text in the user's own editor, and back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from darkai_cli import stdio
from darkai_cli.config import editor as editing
from darkai_cli.errors import InputError


def edit(text: str, editor: str | None, child: Mapping[str, str]) -> str:
    """The text as it was left in the editor, without the line end that editors add.

    ``editor``: the configured one. ``child``: its environment. Raises ``ConfigError`` if the editor
    fails, ``InputError`` if there is no room for the text or what came back is none.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="darkai-") as folder:  # for the user alone
            file = Path(folder, "prompt.md")
            file.write_text(text, encoding="utf-8", errors="replace", newline="")
            editing.run(file, editor, stdio.environ(), child)
            left = file.read_bytes()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"the text cannot be given to the editor: {reason}") from exc
    return stdio.decode(left, "what the editor left").replace("\r\n", "\n").removesuffix("\n")
