"""Start a chat session and run its loop: read a line, carry it out, until the user leaves.

A line is a command (``/model``), a text that begins with a slash (``//path``), a shell command
(``!ls``), or a prompt. Errors are shown and the prompt comes back, with the text that was not sent.
SIGTERM and SIGHUP end the session with everything saved. If stdin is a pipe, its text becomes the
context of the first message, and the keyboard is read from the terminal itself.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from darkai_cli import signals, stdio
from darkai_cli.errors import DarkAIError, InputError, RefusedError
from darkai_cli.repl import transcript, turn, typeahead
from darkai_cli.repl.commands import command as base
from darkai_cli.repl.commands import registry
from darkai_cli.repl.screen import ChatScreen
from darkai_cli.repl.session import ChatSession
from darkai_cli.repl.title import TitleGenerator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from darkai_cli.repl.session import Reader
    from darkai_cli.repl.turn import Turned


def chat(
    flags: Mapping[str, Any],
    *,
    words: Sequence[str],
    files: Sequence[str],
    options: Mapping[str, Any],
    reopen: tuple[str | None] | None,
    save: bool,
    allow_fallback: bool,
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
    terminal = typeahead.QuietTerminal(source.fileno())
    try:
        terminal.begin()  # what is typed from now on is for the input
        screen = ChatScreen(plain=stdio.is_dumb())
        session = ChatSession(
            flags,
            screen,
            options=options,
            save=save,
            allow_fallback=allow_fallback,
            quiet=quiet,
            log=log,
        )
        session.verbose = verbose
        screen.plain = screen.plain or session.config.plain
        for notice in () if quiet else session.config.notices:
            screen.line(f"warning: {notice}")
        if reopen is not None:
            session.reopen(reopen[0])
        session.attach(files, piped)
        reader = _reader(session, source, terminal)
        return run(session, reader, " ".join(words) if words else None)
    finally:
        terminal.end()


def _tell_wait() -> None:
    stdio.print_err("note: waiting for stdin; `< /dev/null` begins without it")


def _reader(session: ChatSession, source: TextIO, terminal: typeahead.QuietTerminal) -> Reader:
    if session.screen.plain:
        from darkai_cli.repl.plain_input import PlainReader

        return PlainReader(session.screen, source, terminal)
    from darkai_cli.repl.input import PromptReader

    return PromptReader(session, source, terminal)


def run(session: ChatSession, reader: Reader, first: str | None = None) -> int:
    """Read and do until the person leaves; the exit code. ``first``: a prompt to begin with."""
    signals.ignore_repeats()
    session.reader = reader
    titling = TitleGenerator(session)
    try:
        if session.conversation is not None:
            transcript.show_conversation(session)
        prefill: str | None = session.unanswered_prompt() if first is None else ""
        if first is not None:
            prompt = base.Send(first)
            prefill = _safely(session, titling, lambda: prompt)
        while prefill is not None:
            try:
                typed = reader.read(prefill)
            except EOFError:
                break
            prefill = _safely(session, titling, partial(_meant, session, typed))
    finally:
        titling.stop()
        _leave(session, reader)
    return 0


def _safely(
    session: ChatSession, titling: TitleGenerator, meant: Callable[[], base.Next]
) -> str | None:
    """Do what is meant; the text for the input afterwards, None to leave."""
    try:
        after = meant()
        while not isinstance(after, base.Prefill):
            if after is None:
                return ""
            if isinstance(after, base.Quit):
                return None
            titling.stop()
            after = _told(session, _turned(session, after))
            titling.start()
    except DarkAIError as error:
        session.screen.error(error)
    except KeyboardInterrupt:
        session.screen.dim("stopped")
    except OSError as exc:  # if it is the terminal that has gone, telling fails too
        name = f" (`{exc.filename}`)" if exc.filename else ""
        session.screen.error(InputError(f"{(exc.strerror or str(exc)).lower()}{name}"))
    except Exception as exc:
        if session.log is not None:
            raise
        bug = DarkAIError(
            f"a bug in darkai: {type(exc).__name__}: {exc}",
            hint="the session goes on; `darkai chat -c --debug` shows more if it happens again",
        )
        session.screen.error(bug)
    else:
        return after.text
    finally:
        signals.clear_interrupt()
    return ""


def _meant(session: ChatSession, typed: str) -> base.Next:
    """What a line asks for."""
    text = typed.strip()
    if not text:
        return None
    if text.startswith("//"):
        return base.Send(typed.lstrip()[1:])
    if text.startswith("/"):
        name, argument = [*text[1:].split(maxsplit=1), "", ""][:2]
        if text[1:2].isspace():
            name, argument = "", text[1:].strip()
        try:
            command = registry.find(name)
        except DarkAIError as error:
            session.screen.error(error)
            return base.Prefill(typed)  # it may have been a prompt
        return command.run(session, argument)
    if text.startswith("!"):
        from darkai_cli.repl import shell

        shell.run(session, text[1:].strip())
        return None
    return base.Send(typed)


def _turned(session: ChatSession, after: base.Send | base.Regenerate | base.Resume) -> Turned:
    if isinstance(after, base.Send):
        return turn.send(session, after.text)
    if isinstance(after, base.Regenerate):
        return turn.regenerate(session, after.model)
    return turn.resume(session)


def _told(session: ChatSession, turned: Turned) -> base.Prefill:
    """Say how a turn went; the text to offer again."""
    error, reply = turned.verdict.error, turned.reply
    if isinstance(error, DarkAIError):
        if isinstance(error, RefusedError) and reply is None:
            error.hint = f"{error.hint}; `/new` begins another conversation, `/context` shows this"
        session.screen.error(error)
    elif error is not None and not isinstance(error, KeyboardInterrupt):
        raise error
    elif reply is None:
        session.screen.dim("stopped before the answer began")
    elif turned.verdict.state in turn.CUT:
        told = "stopped" if error is not None else turned.verdict.state
        session.screen.dim(f"{told}; {turn.CONTINUES}")
    if reply is not None:
        transcript.below(session, reply, turned.sent)
    return base.Prefill(turned.back)


def _leave(session: ChatSession, reader: Reader) -> None:
    """Save, put the terminal right, say how to come back. The terminal may have gone."""
    try:
        session.close()
    finally:
        with contextlib.suppress(OSError, ValueError):
            reader.close()
            if session.saved and session.conversation is not None and len(session.branches):
                short = session.conversation[:12]
                session.screen.dim(
                    f"`darkai chat -c` goes on with this conversation; its id is {short}"
                )
