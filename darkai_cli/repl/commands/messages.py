"""Commands that ask again, continue a reply, or change a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.repl.commands.command import Action, ContinueReply, Prefill, Regenerate, command
from darkai_cli.repl.pastes import as_input

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession


@command("retry", summary="Send the last prompt again", arguments="[MODEL]", completes="model")
def retry(session: ChatSession, argument: str) -> Action:
    """The new reply is added beside the old one; `/tree` shows both. With a MODEL, the prompt goes
    to that model once.
    """
    session.branches.prompt()
    return Regenerate(argument or None)


@command("continue", summary="Continue a reply that was cut off")
def continue_reply(session: ChatSession, argument: str) -> Action:  # noqa: ARG001 -- a command's form
    """Works for a reply that was stopped or cut off. The longer reply is added beside it."""
    reject_argument(argument, "/continue")
    return ContinueReply()


@command(
    "edit", summary="Edit an earlier prompt, in a new branch", arguments="[N]", completes="turn"
)
def edit(session: ChatSession, argument: str) -> Action:
    """Puts prompt N, or the last one, back into the input with its attachments. What you then send
    starts a new branch; `/redo` goes back without sending. Later, `/tree` and `/goto` lead to the
    old branch. In an empty conversation `/edit` opens your editor, as Ctrl-X Ctrl-E does in the
    input.
    """
    number = turn_number(argument, "/edit")
    if number is None and not session.branches.prompts():
        return Prefill(as_input(_write_in_editor(session)))
    prompt = session.branches.prompt(number)
    session.go_to(prompt.parent)
    session.screen.dim("Your next prompt starts a new branch; `/redo` goes back.")
    return Prefill(as_input(session.restore_prompt(prompt.id)))


@command("think", summary="Show the reasoning behind a reply", arguments="[N]", completes="turn")
def think(session: ChatSession, argument: str) -> None:
    """Reasoning is shown dim while it streams, and folded away when the reply begins."""
    entry = session.branches.reply(turn_number(argument, "/think"))
    reasoning = entry.answer.reasoning if entry.answer is not None else ""
    if not reasoning:
        raise NotFoundError("This reply has no reasoning", hint=None)
    for line in reasoning.rstrip("\n").split("\n"):
        session.screen.dim(line)


def _write_in_editor(session: ChatSession) -> str:
    """Return a prompt that the user writes in the editor."""
    from darkai_cli.config import editor

    with session.with_echo():
        return editor.edit_text("", session.config.editor, session.child_environment())


def turn_number(argument: str, name: str) -> int | None:
    """Return the number of a turn, None without an argument. Raises ``UsageError``."""
    if not argument:
        return None
    if argument.isascii() and argument.isdigit() and len(argument) < 10:
        return int(argument)
    raise UsageError(
        f"`{name}` takes the number of a turn, not `{argument[:60]}`", hint=f"`{name} 2`"
    )


def reject_argument(argument: str, name: str) -> None:
    """Raise ``UsageError`` for an argument that a command does not take."""
    if argument:
        raise UsageError(f"`{name}` takes no argument", hint=f"`{name}` alone")
