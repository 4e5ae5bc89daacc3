"""The user's message: what was typed, what is piped in, and the files that go along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from darkai_cli import signals, stdio
from darkai_cli.cli.options import typed
from darkai_cli.errors import UsageError
from darkai_cli.messages import Message

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.http.connection import ConnectionConfig

WAITING = "note: waiting for stdin; `--no-stdin` or `< /dev/null` goes on without it"


def question(
    words: Sequence[str], files: Sequence[str], config: Config, *, no_stdin: bool, quiet: bool
) -> Message:
    """The message. Raises ``UsageError`` and ``InputError`` for what makes none."""
    from darkai_cli.conversation.prompt import compose

    if words and "-" not in words and not " ".join(words).strip():
        raise UsageError("the prompt is empty", hint='darkai ask "tell me a joke"')
    on_wait = (lambda: stdio.print_err(WAITING)) if (words or files) and not quiet else None
    if "-" in files:
        if no_stdin or "-" in words:
            raise UsageError(
                "`-f -` and `--no-stdin` exclude each other" if no_stdin else
                "stdin can stand in one place: as `-` in the prompt, or as `-f -`",
                hint="leave one of them out",
            )  # fmt: skip
        no_stdin = True
    piped = None
    if not no_stdin and stdio.has_input():
        signals.raise_pending()
        piped = stdio.read_input(on_wait)
    if not files:
        return Message("user", compose(words, piped))
    from darkai_cli.conversation import attachments

    attached = attachments.read(
        [typed(name, "the argument of `-f`") for name in files],
        stdin=lambda: _stdin(on_wait),
        link_to=lambda url: _link_to(url, config),
    )
    prompt = compose(words, piped) if words or (piped and piped.strip()) else ""
    return Message("user", attached.below(prompt), attached.images)


def _stdin(on_wait: Callable[[], None] | None) -> bytes:
    signals.raise_pending()
    return stdio.read_input_bytes(on_wait)


def _link_to(url: str, config: Config) -> ConnectionConfig:
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers import connect

    timers = Timeouts(connect=config.connect_timeout, first_token=60.0).with_timeout(config.timeout)
    return connect.connection_for(url, config, stdio.environ(), timers)
