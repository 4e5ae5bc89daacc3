"""The user's editor on a file: which one it is, and what it may see of the environment.

Not what is in the file. ``editor`` of the config comes first, then ``$VISUAL``, then ``$EDITOR``,
then ``vi``; a command with options is fine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
