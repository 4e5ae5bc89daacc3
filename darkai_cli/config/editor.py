"""Run the user's editor, on a file or on a text.

The editor is the setting ``editor``, else ``$VISUAL``, else ``$EDITOR``, else ``vi``; a command
with options is fine. The caller chooses the environment that the editor gets.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(
    file: Path, editor: str | None, environ: Mapping[str, str], child: Mapping[str, str]
) -> None:
    """Open the file and wait for the editor's end.

    ``editor``: the configured one. ``child``: the editor's environment. Raises ``ConfigError`` if
    it cannot be started or ends with another code than 0.
    """
    import shlex
    import subprocess

    name = next((one for one in ("VISUAL", "EDITOR") if environ.get(one)), None)
    which = "`editor` in the config" if editor else f"`${name}`" if name else "`vi`"
    hint = "`darkai config set editor nano`, or another editor"
    try:
        command = shlex.split(editor or (environ[name] if name else "vi"))
        code = subprocess.run([*command, str(file)], check=False, env=child).returncode
    except (OSError, ValueError, IndexError) as exc:
        raise ConfigError(f"the editor from {which} cannot be started: {exc}", hint=hint) from exc
    if code:
        raise ConfigError(f"the editor ended with exit code {code}", hint=hint)


def edit_text(text: str, editor: str | None, child: Mapping[str, str]) -> str:
    """The text as it was left in the editor, without the line end that editors add.

    ``editor``: the configured one. ``child``: its environment. Raises ``ConfigError`` if the editor
    fails, ``InputError`` if there is no room for the text or what came back is none.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="darkai-") as folder:  # for the user alone
            file = Path(folder, "prompt.md")
            file.write_text(text, encoding="utf-8", errors="replace", newline="")
            run(file, editor, stdio.environ(), child)
            left = file.read_bytes()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"the text cannot be given to the editor: {reason}") from exc
    return stdio.decode(left, "what the editor left").replace("\r\n", "\n").removesuffix("\n")
