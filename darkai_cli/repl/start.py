"""How a session begins: the conversation to go on with, what is piped in, where the keyboard is.

With stdin piped in, its text becomes the context of the first message, and the keyboard is read
from the terminal itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from darkai_cli import stdio
from darkai_cli.repl import main, typeahead
from darkai_cli.repl.screen import Screen
from darkai_cli.repl.session import Session

if TYPE_CHECKING:
    from darkai_cli.repl.reading import Reader


def chat(
    flags: Mapping[str, Any],
    *,
    words: Sequence[str],
    files: Sequence[str],
    options: Mapping[str, Any],
    reopen: tuple[str | None] | None,
    save: bool,
    allowed: bool,
    quiet: bool,
    verbose: bool,
    log: Callable[[str], None] | None,
) -> int:
    """Begin a session and hold it; the exit code.

    ``words``: the first prompt. ``files``: what goes along with it. ``reopen``: the conversation to
    go on with, None in it for the latest.
    """
    piped = stdio.read_input(_tell_wait) if stdio.has_input() else None
    source = stdio.reopen_tty()
    hush = typeahead.QuietTerminal(source.fileno())
    try:
        hush.begin()  # what is typed from now on is for the input
        screen = Screen(plain=stdio.is_dumb())
        session = Session(
            flags, screen, options=options, save=save, allowed=allowed, quiet=quiet, log=log
        )
        session.verbose = verbose
        screen.plain = screen.plain or session.config.plain
        for notice in () if quiet else session.config.notices:
            screen.line(f"warning: {notice}")
        if reopen is not None:
            session.reopen(reopen[0])
        session.attach(files, piped)
        reader = _reader(session, source, hush)
        return main.run(session, reader, " ".join(words) if words else None)
    finally:
        hush.end()


def _tell_wait() -> None:
    stdio.print_err("note: waiting for stdin; `< /dev/null` begins without it")


def _reader(session: Session, source: TextIO, hush: typeahead.QuietTerminal) -> Reader:
    if session.screen.plain:
        from darkai_cli.repl.plain_input import PlainReader

        return PlainReader(session.screen, source, hush)
    from darkai_cli.repl.input import PromptReader

    return PromptReader(session, source, hush)
