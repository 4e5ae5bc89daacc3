"""Start a chat and run its loop: read a line, carry it out, until the user leaves.

A line is a command (``/model``), a shell command (``!ls``), or a prompt; ``//`` and ``!!`` send a
text that begins with the sign. Errors are shown and the prompt comes back, with the text that was
not sent. SIGTERM and SIGHUP end the chat with everything saved. If stdin is a pipe, its text
becomes the context of the first message, and the keyboard is read from the terminal itself.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TextIO

from darkai_cli import signals, stdio
from darkai_cli.errors import DarkAIError, InputError, RefusedError
from darkai_cli.repl import transcript, turn, typeahead
from darkai_cli.repl.commands import registry
from darkai_cli.repl.commands.command import Action, Prefill, Quit, Regenerate, Send
from darkai_cli.repl.pastes import as_input
from darkai_cli.repl.screen import ChatScreen
from darkai_cli.repl.session import ChatSession
from darkai_cli.repl.title import TitleGenerator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from darkai_cli.repl.commands.command import ContinueReply
    from darkai_cli.repl.session import Reader
    from darkai_cli.repl.turn import TurnResult


def chat(
    flags: Mapping[str, Any],
    *,
    words: Sequence[str],
    files: Sequence[str],
    options: Mapping[str, Any],
    resume: bool,
    conversation: str | None,
    save: bool,
    allow_fallback: bool,
    quiet: bool,
    verbose: bool,
    log: Callable[[str], None] | None,
) -> int:
    """Run a chat and return the exit code.

    ``words`` are the first prompt, ``files`` its attachments. With ``resume`` the chat continues
    the conversation whose id begins with ``conversation``, or the latest one.
    """
    piped = stdio.read_input(_warn_waiting) if stdio.has_input() else None
    source = stdio.reopen_tty()
    terminal = typeahead.QuietTerminal(source.fileno())
    try:
        # From now on what is typed belongs to the input.
        terminal.begin()
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
        if resume:
            session.reopen(conversation)
        session.attach(files, piped)
        reader = _make_reader(session, source, terminal)
        return run(session, reader, " ".join(words) if words else None)
    finally:
        terminal.end()


def _warn_waiting() -> None:
    stdio.print_err("note: Waiting for stdin; `< /dev/null` starts without it")


def _make_reader(session: ChatSession, source: TextIO, terminal: typeahead.QuietTerminal) -> Reader:
    if session.screen.plain:
        from darkai_cli.repl.plain_input import PlainReader

        return PlainReader(session.screen, source, terminal)
    from darkai_cli.repl.input import PromptReader

    return PromptReader(session, source, terminal)


def run(session: ChatSession, reader: Reader, first_prompt: str | None = None) -> int:
    """Read and carry out lines until the user leaves; return the exit code."""
    signals.ignore_repeats()
    session.reader = reader
    titles = TitleGenerator(session)
    try:
        if session.conversation is not None:
            transcript.show_conversation(session)
        if first_prompt is None:
            prefill: str | None = as_input(session.unanswered_prompt())
        else:
            prefill = _carry_out(session, titles, Send(first_prompt))
        while prefill is not None:
            try:
                line = reader.read(prefill)
            except EOFError:
                break
            prefill = _carry_out(session, titles, line)
    finally:
        titles.stop()
        _leave(session, reader)
    return 0


def _carry_out(session: ChatSession, titles: TitleGenerator, line: str | Send) -> str | None:
    """Carry out a line and show its errors; return the text for the next input, None to leave."""
    try:
        return _run_line(session, titles, line)
    except DarkAIError as error:
        session.screen.error(error)
    except KeyboardInterrupt:
        session.screen.dim("Stopped.")
    except OSError as exc:
        # If it is the terminal that is gone, this write fails too.
        name = f" (`{exc.filename}`)" if exc.filename else ""
        session.screen.error(InputError(f"{(exc.strerror or str(exc)).lower()}{name}"))
    except Exception as exc:
        if session.log is not None:
            raise
        bug = DarkAIError(
            f"Internal error: {type(exc).__name__}: {exc}",
            hint="The chat continues; if it happens again, run `darkai chat -c --debug`",
        )
        session.screen.error(bug)
    finally:
        signals.clear_interrupt()
    return ""


def _run_line(session: ChatSession, titles: TitleGenerator, line: str | Send) -> str | None:
    action = _run_command(session, line) if isinstance(line, str) else line
    while action is not None and not isinstance(action, Prefill):
        if isinstance(action, Quit):
            return None
        titles.stop()
        action = _show_outcome(session, _run_turn(session, action))
        titles.start()
    return action.text if action is not None else ""


def _run_command(session: ChatSession, line: str) -> Action:
    """Carry out a slash command or a shell command, or return the prompt to send."""
    text = line.strip()
    if not text:
        return None
    if text.startswith(("//", "!!")):
        return Send(line.replace(text[0], "", 1))
    if text.startswith("/"):
        name, argument = [*text[1:].split(maxsplit=1), "", ""][:2]
        if text[1:2].isspace():
            name, argument = "", text[1:].strip()
        try:
            command = registry.find(name)
        except DarkAIError as error:
            session.screen.error(error)
            # The line may have been meant as a prompt.
            return Prefill(line)
        return command.run(session, argument)
    if text.startswith("!"):
        from darkai_cli.repl import shell

        shell.run(session, text[1:].strip())
        return None
    return Send(line)


def _run_turn(session: ChatSession, action: Send | Regenerate | ContinueReply) -> TurnResult:
    if isinstance(action, Send):
        return turn.send(session, action.text)
    if isinstance(action, Regenerate):
        return turn.regenerate(session, action.model)
    return turn.continue_reply(session)


def _show_outcome(session: ChatSession, result: TurnResult) -> Prefill:
    """Show how a turn ended; return the text to offer again."""
    error, reply = result.outcome.error, result.reply
    if isinstance(error, DarkAIError):
        if isinstance(error, RefusedError) and reply is None:
            error.hint = (
                f"{error.hint}; `/new` starts another conversation, `/context` shows this one"
            )
        session.screen.error(error)
    elif error is not None and not isinstance(error, KeyboardInterrupt):
        raise error
    elif reply is None:
        session.screen.dim("Stopped before the reply began.")
    elif result.outcome.state in turn.CUT_STATES:
        ending = "Stopped." if error is not None else "The reply was cut off."
        session.screen.dim(f"{ending} {turn.CONTINUE_HINT}.")
    if reply is not None:
        transcript.show_summary(session, reply, result.sent)
    return Prefill(as_input(result.unsent))


def _leave(session: ChatSession, reader: Reader) -> None:
    """Save everything, restore the terminal and say how to resume the conversation."""
    try:
        session.close()
    finally:
        # The terminal may be gone.
        with contextlib.suppress(OSError, ValueError):
            reader.close()
            if session.saved and session.conversation is not None and len(session.branches):
                short = session.conversation[:12]
                session.screen.dim(f"Saved as {short}; `darkai chat -c` resumes it.")
