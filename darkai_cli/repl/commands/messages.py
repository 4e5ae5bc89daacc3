"""Commands that ask: again, further, or differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.repl.commands.command import Action, ContinueReply, Prefill, Regenerate, command

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession


@command(
    "retry", topic="talk", summary="ask the last prompt again", arguments="[MODEL]",
    completes="model",
)  # fmt: skip
def retry(session: ChatSession, argument: str) -> Action:
    """The new reply stands beside the old one, which `/tree` still shows. With a model, that one
    answers this once.
    """
    session.branches.prompt()
    return Regenerate(argument or None)


@command("continue", topic="talk", summary="go on with a reply that was cut")
def go_on(session: ChatSession, argument: str) -> Action:  # noqa: ARG001 -- a command's form
    """For a reply that was stopped or cut. The longer one stands beside it."""
    reject_argument(argument, "/continue")
    return ContinueReply()


@command(
    "edit", topic="talk", summary="change an earlier prompt, in a new branch", arguments="[N]",
    completes="exchange",
)  # fmt: skip
def edit(session: ChatSession, argument: str) -> Action:
    """Puts prompt N (the last one if none is named) into the input, with what was attached to it.
    What you then send begins a new branch there; `/redo` goes back without sending, `/tree` and
    `/goto` lead to the old branch later. In the input Ctrl-X Ctrl-E opens your editor; `/edit` does
    so too where nothing has been asked yet.
    """
    wanted = turn_number(argument, "/edit")
    if wanted is None and not session.branches.prompts():
        return Prefill(_written(session))
    prompt = session.branches.prompt(wanted)
    session.go_to(prompt.parent)
    session.screen.dim("what you send now begins a new branch; `/redo` goes back")
    return Prefill(session.restore_prompt(prompt.id))


@command("think", topic="talk", summary="show the reasoning behind a reply", arguments="[N]",
         completes="exchange")  # fmt: skip
def think(session: ChatSession, argument: str) -> Action:
    """Models that reason show it dim while they do, and fold it away when the answer begins."""
    entry = session.branches.reply(turn_number(argument, "/think"))
    reasoning = entry.answer.reasoning if entry.answer is not None else ""
    if not reasoning:
        raise NotFoundError("that reply came without reasoning", hint=None)
    for line in reasoning.rstrip("\n").split("\n"):
        session.screen.dim(line)
    return None


def _written(session: ChatSession) -> str:
    """A first prompt, written in the editor."""
    from darkai_cli.config import editor

    with session.with_echo():
        return editor.edit_text("", session.config.editor, session.child_environment())


def turn_number(argument: str, name: str) -> int | None:
    """The number of an exchange, None for none. Raises ``UsageError``."""
    if not argument:
        return None
    if argument.isascii() and argument.isdigit() and len(argument) < 10:
        return int(argument)
    raise UsageError(
        f"`{name}` takes the number of an exchange, not `{argument[:60]}`", hint=f"`{name} 2`"
    )


def reject_argument(argument: str, name: str) -> None:
    """Raise ``UsageError`` for an argument that a command does not take."""
    if argument:
        raise UsageError(f"`{name}` takes no argument", hint=f"`{name}` alone")
