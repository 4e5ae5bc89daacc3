"""A conversation in memory: a tree of messages, and the branch of it that is active.

The chat session's own copy; the history keeps the other. Nothing here removes or changes a message:
undo, edit and fork only move the mark of what is active, and the next prompt grows a new branch
from there. An *exchange* is a prompt and what answered it; people count them from 1 along the
active branch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.events import Usage
from darkai_cli.messages import Message
from darkai_cli.text import plural


class Answer(NamedTuple):
    """How a reply came about. ``state``: as in the history. Times in seconds."""

    provider: str
    model: str
    state: str
    usage: Usage | None = None
    first_text: float | None = None
    duration: float | None = None
    reasoning: str = ""
    error: str = ""


class Entry(NamedTuple):
    """A message in the tree. ``answer``: for a reply, how it came about, in the turn ``turn``."""

    id: str
    parent: str | None
    message: Message
    answer: Answer | None = None
    turn: str | None = None


class Branches:
    """The tree. ``active``: the id of the last message of the active branch, None before any."""

    def __init__(self, entries: Iterable[Entry] = (), active: str | None = None) -> None:
        self._entries: dict[str, Entry] = {entry.id: entry for entry in entries}
        self.active = active
        self._undone: list[str] = []

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, identifier: str) -> Entry:
        """The message with that id."""
        return self._entries[identifier]

    def entries(self) -> list[Entry]:
        """All messages, in the order in which they were said."""
        return list(self._entries.values())

    def branch(self, leaf: str | None = None) -> list[Entry]:
        """The messages from the first one to ``leaf``, or to the active one."""
        found: list[Entry] = []
        here = leaf or self.active
        while here is not None:
            entry = self._entries[here]
            found.append(entry)
            here = entry.parent
        return found[::-1]

    def messages(self) -> tuple[Message, ...]:
        """The active branch as it is sent; replies in which nothing came are left out.

        So are tool calls that got no answer: services refuse a conversation with one in it.
        """
        said = [entry.message for entry in self.branch()]
        answered = {message.call_id for message in said if message.role == "tool"}
        sent = []
        for message in said:
            kept = tuple(call for call in message.calls if call.id in answered)
            if message.role != "assistant" or message.content or kept:
                sent.append(message if kept == message.calls else message._replace(calls=kept))
        return tuple(sent)

    def prompts(self) -> list[Entry]:
        """The user's messages on the active branch."""
        return [entry for entry in self.branch() if entry.message.role == "user"]

    def replies(self) -> list[Entry]:
        """The replies on the active branch."""
        return [entry for entry in self.branch() if entry.message.role == "assistant"]

    def add(self, entry: Entry) -> None:
        """Grow the tree; the new message ends the active branch."""
        if entry.parent is not None and entry.parent not in self._entries:
            raise KeyError(entry.parent)
        self._entries[entry.id] = entry
        self.active = entry.id
        self._undone.clear()

    def move(self, identifier: str | None) -> None:
        """Make the branch that ends there the active one."""
        if identifier is not None and identifier not in self._entries:
            raise KeyError(identifier)
        self.active = identifier

    def step(self, identifier: str | None) -> None:
        """The same, for ``redo`` to take back."""
        before = self.active
        self.move(identifier)
        if before is not None and before != identifier:
            self._undone.append(before)

    def undo(self, count: int = 1) -> list[Entry]:
        """Step back before the last ``count`` prompts; those, the first one first.

        Raises ``NotFoundError`` if there are not so many.
        """
        prompts = self.prompts()
        if count < 1:
            raise UsageError("a number of exchanges is 1 or more", hint="`/undo 2`")
        if not prompts:
            raise NotFoundError("there is nothing to undo", hint=None)
        if count > len(prompts):
            raise NotFoundError(
                f"there are only {_exchanges(len(prompts))}", hint=f"`/undo {len(prompts)}`"
            )
        taken = prompts[-count:]
        self.step(taken[0].parent)
        return taken

    def redo(self) -> Entry:
        """Take the last step back; the message that is active again.

        Raises ``NotFoundError`` if there was none, or something was said since.
        """
        if not self._undone:
            raise NotFoundError("there is nothing to redo", hint="`/tree` shows all branches")
        self.active = self._undone.pop()
        return self._entries[self.active]

    def prompt(self, number: int | None = None) -> Entry:
        """The prompt of an exchange, counted from 1; None for the last one.

        Raises ``NotFoundError``.
        """
        prompts = self.prompts()
        if not prompts:
            raise NotFoundError("nothing has been asked yet", hint=None)
        if number is None:
            return prompts[-1]
        if not 1 <= number <= len(prompts):
            raise NotFoundError(
                f"there is no exchange {number}", hint=f"there are {_exchanges(len(prompts))}"
            )
        return prompts[number - 1]

    def reply(self, number: int | None = None) -> Entry:
        """The reply of an exchange, counted from 1; None for the last one.

        Raises ``NotFoundError``.
        """
        if number is None:
            replies = self.replies()
            if not replies:
                raise NotFoundError("there is no reply yet", hint=None)
            return replies[-1]
        prompt = self.prompt(number)
        for entry in self.branch():
            if entry.parent == prompt.id and entry.message.role == "assistant":
                return entry
        raise NotFoundError(f"exchange {number} has no reply", hint=None)

    def fork(self, number: int | None = None) -> None:
        """Go on after exchange ``number`` (None: after the one before the last), in a new branch.

        After exchange 0 is at the beginning. Raises ``NotFoundError``.
        """
        if number is None:
            self.step(self.prompt().parent)
        else:
            self.step(self.reply(number).id if number else None)

    def leaves(self) -> list[Entry]:
        """The ends of the branches, the oldest first."""
        parents = {entry.parent for entry in self._entries.values()}
        return [entry for entry in self._entries.values() if entry.id not in parents]

    def place(self) -> tuple[int, int]:
        """Which branch is active, counted from 1, and how many there are.

        Where the active message has gone on in several ways, the first of them counts.
        """
        leaves = self.leaves()
        if not leaves:
            return 1, 1
        for number, leaf in enumerate(leaves, 1):
            if self.active is None or any(one.id == self.active for one in self.branch(leaf.id)):
                return number, len(leaves)
        return len(leaves), len(leaves)

    def find(self, typed: str) -> Entry:
        """The end of the branch with that number, or the message whose id begins so.

        Raises ``NotFoundError``.
        """
        leaves = self.leaves()
        if typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= len(leaves):
            return leaves[int(typed) - 1]
        wanted = typed.lower()
        if wanted in self._entries:
            return self._entries[wanted]
        found = [entry for name, entry in self._entries.items() if name.startswith(wanted)]
        if wanted and len(found) == 1:
            return found[0]
        which = "several messages begin" if wanted and found else "there is no branch or message"
        raise NotFoundError(f"{which} `{typed}`", hint="`/tree` shows them")


def _exchanges(count: int) -> str:
    return plural(count, "exchange")
