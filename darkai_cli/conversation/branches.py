"""A conversation in memory: a tree of messages, of which one branch is active.

This is the chat session's copy; the history holds the other. No message is ever removed or
changed: undo, edit and fork only make another message the active one, and the next prompt starts a
new branch there. A *turn* is a prompt with its reply, counted from 1 along the active branch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.events import Usage
from darkai_cli.messages import Message
from darkai_cli.text import plural


class ReplyInfo(NamedTuple):
    """How a reply came about. ``state``: as in the history. Times in seconds."""

    provider: str
    model: str
    state: str
    usage: Usage | None = None
    first_text: float | None = None
    duration: float | None = None
    reasoning: str = ""
    error: str = ""


class MessageEntry(NamedTuple):
    """A message in the tree. ``answer``: for a reply, how it came about, in the turn ``turn``."""

    id: str
    parent: str | None
    message: Message
    answer: ReplyInfo | None = None
    turn: str | None = None


class Branches:
    """The tree. ``active``: the id of the last message of the active branch, None before any."""

    def __init__(self, entries: Iterable[MessageEntry] = (), active: str | None = None) -> None:
        self._entries: dict[str, MessageEntry] = {entry.id: entry for entry in entries}
        self.active = active
        self._undone: list[str] = []

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, identifier: str) -> MessageEntry:
        """Return the message with that id. Raises ``KeyError``."""
        return self._entries[identifier]

    def entries(self) -> list[MessageEntry]:
        """Return all messages, the oldest first."""
        return list(self._entries.values())

    def branch(self, leaf: str | None = None) -> list[MessageEntry]:
        """Return the messages from the first one to ``leaf``, or to the active one."""
        entries: list[MessageEntry] = []
        identifier = leaf or self.active
        while identifier is not None:
            entry = self._entries[identifier]
            entries.append(entry)
            identifier = entry.parent
        return entries[::-1]

    def messages(self) -> tuple[Message, ...]:
        """Return the active branch as it is sent, without empty replies.

        Tool calls that got no result are left out: services refuse a conversation with one in it.
        """
        branch = [entry.message for entry in self.branch()]
        call_ids = {message.call_id for message in branch if message.role == "tool"}
        messages = []
        for message in branch:
            calls = tuple(call for call in message.calls if call.id in call_ids)
            if message.role != "assistant" or message.content or calls:
                unchanged = calls == message.calls
                messages.append(message if unchanged else message._replace(calls=calls))
        return tuple(messages)

    def prompts(self) -> list[MessageEntry]:
        """Return the user's messages on the active branch."""
        return [entry for entry in self.branch() if entry.message.role == "user"]

    def replies(self) -> list[MessageEntry]:
        """Return the replies on the active branch."""
        return [entry for entry in self.branch() if entry.message.role == "assistant"]

    def add(self, entry: MessageEntry) -> None:
        """Add a message, which then ends the active branch. Raises ``KeyError`` for its parent."""
        if entry.parent is not None and entry.parent not in self._entries:
            raise KeyError(entry.parent)
        self._entries[entry.id] = entry
        self.active = entry.id
        self._undone.clear()

    def move(self, identifier: str | None) -> None:
        """Make the branch that ends with a message the active one. Raises ``KeyError``."""
        if identifier is not None and identifier not in self._entries:
            raise KeyError(identifier)
        self.active = identifier

    def step(self, identifier: str | None) -> None:
        """Make the branch that ends with a message the active one, so that ``redo`` can go back."""
        before = self.active
        self.move(identifier)
        if before is not None and before != identifier:
            self._undone.append(before)

    def undo(self, count: int = 1) -> list[MessageEntry]:
        """Step back before the last ``count`` prompts, and return those, the oldest first.

        Raises ``NotFoundError`` if there are fewer.
        """
        prompts = self.prompts()
        if count < 1:
            raise UsageError("The number of turns must be 1 or more", hint="`/undo 2`")
        if not prompts:
            raise NotFoundError("Nothing to undo", hint=None)
        if count > len(prompts):
            raise NotFoundError(f"There {_are(prompts, 'only ')}", hint=f"`/undo {len(prompts)}`")
        undone = prompts[-count:]
        self.step(undone[0].parent)
        return undone

    def redo(self) -> MessageEntry:
        """Take the last step back, and return the message that is active again.

        Raises ``NotFoundError`` if there was no step, or a message was added since.
        """
        if not self._undone:
            raise NotFoundError("Nothing to redo", hint="`/tree` shows all branches")
        self.active = self._undone.pop()
        return self._entries[self.active]

    def prompt(self, number: int | None = None) -> MessageEntry:
        """Return the prompt of a turn, counted from 1; None for the last one.

        Raises ``NotFoundError``.
        """
        prompts = self.prompts()
        if not prompts:
            raise NotFoundError("No prompt has been sent yet", hint=None)
        if number is None:
            return prompts[-1]
        if not 1 <= number <= len(prompts):
            raise NotFoundError(f"No turn {number}", hint=f"There {_are(prompts)}")
        return prompts[number - 1]

    def reply(self, number: int | None = None) -> MessageEntry:
        """Return the reply of a turn, counted from 1; None for the last one.

        Raises ``NotFoundError``.
        """
        if number is None:
            replies = self.replies()
            if not replies:
                raise NotFoundError("No reply yet", hint=None)
            return replies[-1]
        prompt = self.prompt(number)
        for entry in self.branch():
            if entry.parent == prompt.id and entry.message.role == "assistant":
                return entry
        raise NotFoundError(f"Turn {number} has no reply", hint=None)

    def fork(self, number: int | None = None) -> None:
        """Start a new branch after turn ``number``; None for the one before the last.

        After turn 0 is at the beginning. Raises ``NotFoundError``.
        """
        if number is None:
            self.step(self.prompt().parent)
        else:
            self.step(self.reply(number).id if number else None)

    def leaves(self) -> list[MessageEntry]:
        """Return the last messages of all branches, the oldest first."""
        parents = {entry.parent for entry in self._entries.values()}
        return [entry for entry in self._entries.values() if entry.id not in parents]

    def active_number(self) -> tuple[int, int]:
        """Return which branch is active, counted from 1, and how many there are.

        Of several branches below the active message the first one counts.
        """
        leaves = self.leaves()
        if not leaves:
            return 1, 1
        for number, leaf in enumerate(leaves, 1):
            if self.active is None or self.active in self._ids(leaf):
                return number, len(leaves)
        return len(leaves), len(leaves)

    def find(self, name: str) -> MessageEntry:
        """Return the end of the branch with that number, or the message whose id begins so.

        Raises ``NotFoundError``.
        """
        leaves = self.leaves()
        if name.isascii() and name.isdigit() and 1 <= int(name[:9]) <= len(leaves):
            return leaves[int(name) - 1]
        prefix = name.lower()
        if prefix in self._entries:
            return self._entries[prefix]
        matches = [entry for key, entry in self._entries.items() if key.startswith(prefix)]
        if prefix and len(matches) == 1:
            return matches[0]
        reason = "Several messages begin with" if prefix and matches else "No branch or message"
        raise NotFoundError(f"{reason} `{name}`", hint="`/tree` lists them")

    def _ids(self, leaf: MessageEntry) -> set[str]:
        return {entry.id for entry in self.branch(leaf.id)}


def _are(prompts: list[MessageEntry], only: str = "") -> str:
    """Return ``is only 1 turn``, ``are 2 turns`` and so on."""
    return f"{'is' if len(prompts) == 1 else 'are'} {only}{plural(len(prompts), 'turn')}"
