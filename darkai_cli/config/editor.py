"""Starts the user's editor, on a file or on a text, and filters the environment of child programs.

The editor is ``editor`` of the configuration, then ``$VISUAL``, ``$EDITOR``, ``vi``; it may be a
command with options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli import stdio
from darkai_cli.config import schema
from darkai_cli.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_SECRET_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


def environment_for_children(environ: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """Return the environment that a program started by darkai gets: without API keys.

    ``keys`` names the variables of keys. Also left out are ``DARKAI_..._KEY`` and the like, and
    a proxy's URL that has a password. Names are compared exactly and not by a pattern: a
    ``key_command`` may need the token of a password manager.
    """
    hidden = set(keys)
    settings = {key.variable for key in schema.KEYS.values()}
    return {
        name: value
        for name, value in environ.items()
        if name not in hidden
        and not (name == "DARKAI_PROXY" and "@" in value)
        and not (
            name.startswith("DARKAI_") and name.endswith(_SECRET_ENDINGS) and name not in settings
        )
    }


def edit_file(
    file: Path, editor: str | None, environ: Mapping[str, str], child: Mapping[str, str]
) -> None:
    """Open a file in the editor and wait until the editor ends.

    ``editor`` is the configured one, ``child`` the environment that it gets. Raises ``ConfigError``
    if it cannot be started or its exit code is not 0.
    """
    import shlex
    import subprocess

    variable = next((name for name in ("VISUAL", "EDITOR") if environ.get(name)), None)
    source = "`editor` in the config" if editor else f"`${variable}`" if variable else "`vi`"
    hint = "Choose an editor, for example: `darkai config set editor nano`"
    try:
        command = shlex.split(editor or (environ[variable] if variable else "vi"))
        code = subprocess.run([*command, str(file)], check=False, env=child).returncode
    except (OSError, ValueError, IndexError) as exc:
        raise ConfigError(f"Can't start the editor from {source}: {exc}", hint=hint) from exc
    if code:
        raise ConfigError(f"The editor failed with exit code {code}", hint=hint)


def edit_text(text: str, editor: str | None, child: Mapping[str, str]) -> str:
    """Return the text as the user left it in the editor, without the final newline.

    ``editor`` and ``child`` are as for ``edit_file``. Raises ``ConfigError`` if the editor fails,
    ``InputError`` if the text cannot be written to a file or the result is not UTF-8.
    """
    import tempfile
    from pathlib import Path

    try:
        # The folder is readable by the user alone.
        with tempfile.TemporaryDirectory(prefix="darkai-") as folder:
            file = Path(folder, "prompt.md")
            file.write_text(text, encoding="utf-8", errors="replace", newline="")
            edit_file(file, editor, stdio.environ(), child)
            data = file.read_bytes()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"Can't pass the text to the editor: {reason}") from exc
    return stdio.decode(data, "what the editor left").replace("\r\n", "\n").removesuffix("\n")
