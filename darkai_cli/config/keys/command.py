"""Runs a provider's ``key_command``: the key is the first line that it prints.

It runs without a shell and without input, in an environment without keys, within a time limit, and
its output is bounded. The key is cached for some minutes, because a chat needs it at every turn,
and not for longer, because some commands print tokens that expire.
"""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING

from darkai_cli.config.editor import environment_for_children
from darkai_cli.errors import AuthError, ConfigError
from darkai_cli.secrets import mask_known, remember
from darkai_cli.text import file_size

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping

LIMIT = 30.0
"""Seconds that a command may take."""
CACHE_SECONDS = 300.0
"""Seconds for which a key is cached."""
_LARGEST = 64 * 1024
_LONGEST_QUOTE = 200

_cache: dict[tuple[str, str], tuple[float, str]] = {}


def output(name: str, command: str, environ: Mapping[str, str], hidden: Iterable[str] = ()) -> str:
    """Return the first line that the ``key_command`` of the provider ``name`` prints.

    ``hidden``: variables that the command does not get. Raises ``ConfigError`` if it cannot be run,
    ``AuthError`` if it fails or prints nothing.
    """
    when, line = _cache.get((name, command), (0.0, ""))
    if line and time.monotonic() - when < CACHE_SECONDS:
        return line
    line = _first_line(name, command, environment_for_children(environ, hidden))
    _cache[name, command] = (time.monotonic(), line)
    return line


def _first_line(name: str, command: str, environ: Mapping[str, str]) -> str:
    what = f"The `key_command` of `{name}`"
    process = _start(name, command, environ)
    out, err = _Reader(process.stdout, process), _Reader(process.stderr, process)
    deadline = time.monotonic() + LIMIT
    try:
        out.join(deadline)
        status = _wait(process, deadline)
        err.join(min(deadline, time.monotonic() + 1.0))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    lines = out.text().splitlines()
    key = lines[0].strip() if lines else ""
    remember(key)  # so that no error shows it
    if status is None:
        raise AuthError(
            f"{what} did not finish within {LIMIT:g} s",
            hint="Run it in a terminal to see what it waits for",
        )
    if out.overflowed:
        raise AuthError(f"{what} printed more than {file_size(_LARGEST)}", hint=_hint(name))
    if status:
        ending = f"signal {-status}" if status < 0 else f"exit status {status}"
        complaint = mask_known((err.text().strip().splitlines() or [""])[-1].strip())
        more = f": {complaint[:_LONGEST_QUOTE]}" if complaint else ""
        raise AuthError(f"{what} failed with {ending}{more}", hint=_hint(name))
    if not key:
        raise AuthError(f"{what} printed no key", hint=_hint(name))
    return key


def _hint(name: str) -> str:
    return f"Run it yourself: `darkai config get providers.{name}.key_command` prints it"


def _start(name: str, command: str, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    import shlex
    import subprocess

    what = f"The `key_command` of `{name}`"
    hint = f'For example: `darkai config set providers.{name}.key_command "pass show {name}"`'
    try:
        words = shlex.split(command)
    except ValueError as exc:
        raise ConfigError(f"{what} is not a valid command: {str(exc).lower()}", hint=hint) from None
    if not words:
        raise ConfigError(f"{what} is empty", hint=hint)
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,  # darkai's own stdin may be a prompt
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
        )
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise ConfigError(
            f"{what} can't be started: {reason.lower()}",
            hint="It runs without a shell: its first word must be a program in PATH",
        ) from exc


def _wait(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """Return the exit status; None if the command took too long."""
    import subprocess

    try:
        return process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None


class _Reader:
    """Reads a pipe in a thread, up to a bound, beyond which the command is killed."""

    def __init__(self, pipe: IO[bytes] | None, process: subprocess.Popen[bytes]) -> None:
        import threading

        assert pipe is not None
        self.overflowed = False
        self._pipe = pipe
        self._process = process
        self._data = bytearray()
        self._thread = threading.Thread(target=self._run, name="key_command", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from darkai_cli import signals

        signals.block_in_thread()
        with self._pipe as pipe:
            while piece := pipe.read1(4096):  # type: ignore[attr-defined]
                self._data += piece
                if len(self._data) > _LARGEST:
                    self.overflowed = True
                    self._process.kill()
                    return

    def join(self, deadline: float) -> None:
        """Wait for a line or the pipe's end; a child of the command may keep the pipe open."""
        while self._thread.is_alive() and b"\n" not in self._data and time.monotonic() < deadline:
            self._thread.join(0.05)

    def text(self) -> str:
        """Return the output so far."""
        return bytes(self._data).decode("utf-8", "replace")
