"""Commands about the branches of the conversation. None of them removes a message."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from darkai_cli.conversation.branches import Branches, MessageEntry
from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.repl import transcript
from darkai_cli.repl.commands.command import command
from darkai_cli.repl.commands.messages import reject_argument, turn_number
from darkai_cli.text import one_line, plural

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession


@command("undo", summary="Undo the last N turns", arguments="[N]")
def undo(session: ChatSession, argument: str) -> None:
    """The messages stay in the tree, and `/redo` goes back to them. `/edit` undoes a turn and lets
    you change its prompt.
    """
    number = turn_number(argument, "/undo")
    undone = session.branches.undo(1 if number is None else number)
    session.save_active_branch()
    them = "it" if len(undone) == 1 else "them"
    session.screen.dim(f"Undid {plural(len(undone), 'turn')}; `/redo` restores {them}.")


@command("redo", summary="Undo the last change of branch")
def redo(session: ChatSession, argument: str) -> None:
    """Reverses `/undo`, `/edit`, `/fork` and `/goto` one by one, as long as you have not sent a
    prompt since.
    """
    reject_argument(argument, "/redo")
    entry = session.branches.redo()
    session.save_active_branch()
    session.discard_restored()
    session.screen.dim(f"Back at: {first_line(entry)}")


@command("fork", summary="Start a new branch after turn N", arguments="[N]", completes="turn")
def fork(session: ChatSession, argument: str) -> None:
    """Without a number, the branch starts before the last turn; `/fork 0` starts at the beginning.
    The old branch stays: go back to it with `/redo` or `/goto`.
    """
    leaf = session.branches.active
    old_branch = session.branches.active_number()[0]
    session.branches.fork(turn_number(argument, "/fork"))
    session.save_active_branch()
    turns = len(session.branches.prompts())
    start = f"after turn {turns}" if turns else "at the beginning"
    hint = f"; `/goto {old_branch}` goes back" if leaf is not None else ""
    session.screen.dim(f"Your next prompt starts a branch {start}{hint}.")


@command("tree", summary="Draw all branches")
def tree(session: ChatSession, argument: str) -> None:
    """Each branch ends with its number, for `/goto`. `*` marks the current branch."""
    reject_argument(argument, "/tree")
    branches = session.branches
    if not len(branches):
        raise NotFoundError("The conversation is empty", hint=None)
    active = {entry.id for entry in branches.branch()}
    leaves = {leaf.id: place for place, leaf in enumerate(branches.leaves(), 1)}
    for rails, entry in tree_rows(branches):
        mark = "*" if entry.id in active else " "
        author = "you" if entry.message.role == "user" else _author(entry)
        end = f"  [{leaves[entry.id]}]" if entry.id in leaves else ""
        room = max(10, session.screen.width - len(rails) - len(author) - len(end) - 6)
        session.screen.line(f"{mark} {rails}{author}: {first_line(entry, room)}{end}")


@command("goto", summary="Go to a branch or a message", arguments="BRANCH|ID", completes="branch")
def goto(session: ChatSession, argument: str) -> None:
    """Takes the number of a branch in `/tree`, or the beginning of a message's id."""
    if not argument:
        raise UsageError("`/goto` needs a branch", hint="`/tree` lists them")
    entry = session.branches.find(argument)
    session.go_to(entry.id)
    transcript.show_end(session)


@command("diff", summary="Compare two replies or branches", arguments="[A] [B]", completes="branch")
def diff(session: ChatSession, argument: str) -> None:
    """Takes numbers of branches in `/tree`. A single one is compared with the current branch.
    Without arguments, the last two replies to one prompt are compared.
    """
    branches = session.branches
    words = argument.split()
    if len(words) > 2:
        raise UsageError("`/diff` takes at most two branches", hint="`/diff 1 2`")
    if not words:
        before, after = _siblings(branches)
    else:
        before = branches.find(words[0])
        end = words[1] if len(words) == 2 else branches.active
        if end is None:
            raise NotFoundError("There is no current branch to compare with", hint="`/diff 1 2`")
        after = branches.find(end)
    diff_rows = difflib.unified_diff(
        _lines(branches, before, is_branch=bool(words)),
        _lines(branches, after, is_branch=bool(words)),
        _label(before), _label(after), lineterm="",
    )  # fmt: skip
    rows = list(diff_rows)
    if not rows:
        session.screen.dim("No differences.")
    for row in rows:
        session.screen.diff_row(row)


def tree_rows(branches: Branches) -> list[tuple[str, MessageEntry]]:
    """Return each message with the rails before it. A chain without branches is not indented."""
    children: dict[str | None, list[MessageEntry]] = {}
    for entry in branches.entries():
        children.setdefault(entry.parent, []).append(entry)
    rows: list[tuple[str, MessageEntry]] = []
    stack = _fan(children.get(None, []), "")
    while stack:
        entry, rails, below = stack.pop()
        rows.append((rails, entry))
        stack += _fan(children.get(entry.id, []), below)
    return rows


def _fan(siblings: list[MessageEntry], rails: str) -> list[tuple[MessageEntry, str, str]]:
    """Return siblings as stack entries, the first on top: entry, rails of its row, rails below."""
    if len(siblings) == 1:
        return [(siblings[0], rails, rails)]
    entries = [(entry, f"{rails}├─ ", f"{rails}│  ") for entry in siblings[:-1]]
    entries += [(entry, f"{rails}└─ ", f"{rails}   ") for entry in siblings[-1:]]
    return entries[::-1]


def _siblings(branches: Branches) -> tuple[MessageEntry, MessageEntry]:
    """Return the last two replies to the last prompt. Raises ``NotFoundError`` if there is one."""
    reply = branches.reply()
    siblings = [entry for entry in branches.entries() if entry.parent == reply.parent]
    if len(siblings) < 2:
        raise NotFoundError("There is only one reply to this prompt", hint="`/retry` adds another")
    others = [entry for entry in siblings if entry.id != reply.id]
    return others[-1], reply


def _lines(branches: Branches, end: MessageEntry, *, is_branch: bool) -> list[str]:
    entries = branches.branch(end.id) if is_branch else [end]
    lines: list[str] = []
    for entry in entries:
        if is_branch:
            lines.append(f"[{entry.message.role}]")
        lines += entry.message.content.split("\n")
    return lines


def _label(entry: MessageEntry) -> str:
    return f"{_author(entry)} {entry.id[:12]}"


def _author(entry: MessageEntry) -> str:
    if entry.answer is None:
        return entry.message.role
    cut = "" if entry.answer.state == "complete" else f" ({entry.answer.state})"
    return f"{entry.answer.model}{cut}"


def first_line(entry: MessageEntry, room: int = 60) -> str:
    """Return the beginning of a message in one line."""
    return one_line(entry.message.content, room)
