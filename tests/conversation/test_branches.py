"""The tree of a conversation in memory: no message is ever lost, whatever is undone or forked."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from darkai_cli.conversation.branches import Branches, MessageEntry, ReplyInfo
from darkai_cli.errors import NotFoundError, UsageError
from darkai_cli.messages import Message


def conversation(*texts: str) -> Branches:
    """A conversation without branches: prompts and replies in turn."""
    tree = Branches()
    for number, text in enumerate(texts):
        reply = number % 2 == 1
        message = Message("assistant" if reply else "user", text)
        answer = ReplyInfo("demo", "demo", "complete") if reply else None
        tree.add(MessageEntry(f"id{number}", tree.active, message, answer))
    return tree


def texts(tree: Branches) -> list[str]:
    return [entry.message.content for entry in tree.branch()]


def test_undo_and_redo():
    tree = conversation("a", "A", "b", "B", "c", "C")
    assert [entry.message.content for entry in tree.undo(2)] == ["b", "c"]
    assert texts(tree) == ["a", "A"]
    assert tree.redo().message.content == "C"
    assert texts(tree) == ["a", "A", "b", "B", "c", "C"]
    with pytest.raises(NotFoundError, match="Nothing to redo"):
        tree.redo()


def test_a_new_message_forgets_what_could_be_redone():
    tree = conversation("a", "A")
    tree.undo()
    tree.add(MessageEntry("new", tree.active, Message("user", "x")))
    with pytest.raises(NotFoundError):
        tree.redo()
    assert len(tree) == 3
    assert [leaf.message.content for leaf in tree.leaves()] == ["A", "x"]


@pytest.mark.parametrize(("count", "error"), [(0, UsageError), (3, NotFoundError)])
def test_undoing_too_much(count: int, error: type[Exception]):
    tree = conversation("a", "A", "b", "B")
    with pytest.raises(error):
        tree.undo(count)
    assert texts(tree) == ["a", "A", "b", "B"]


def test_a_fork_goes_on_after_a_turn_and_goto_comes_back():
    tree = conversation("a", "A", "b", "B", "c", "C")
    tree.fork(1)
    assert texts(tree) == ["a", "A"]
    tree.add(MessageEntry("x", tree.active, Message("user", "x")))
    assert tree.active_number() == (2, 2)
    tree.move(tree.find("1").id)
    assert texts(tree)[-1] == "C"
    assert tree.active_number() == (1, 2)
    with pytest.raises(NotFoundError, match="No turn 9"):
        tree.fork(9)


@pytest.mark.parametrize("step", [lambda tree: tree.fork(1), lambda tree: tree.fork(), lambda tree: tree.fork(0),
                                  lambda tree: tree.step("id1")])  # fmt: skip
def test_every_step_back_can_be_taken_back(step):
    tree = conversation("a", "A", "b", "B", "c", "C")
    step(tree)
    assert tree.active != "id5"
    tree.redo()
    assert tree.active == "id5"


def test_turns_are_counted_from_one():
    tree = conversation("a", "A", "b")
    assert tree.prompt(1).message.content == "a"
    assert tree.prompt().message.content == "b"
    assert tree.reply(1).message.content == "A"
    assert tree.reply().message.content == "A"
    with pytest.raises(NotFoundError, match="Turn 2 has no reply"):
        tree.reply(2)


def test_empty_replies_are_not_sent():
    tree = conversation("a", "", "b")
    assert [message.content for message in tree.messages()] == ["a", "b"]


class Machine(RuleBasedStateMachine):
    """Any sequence of commands: every message stays, and the active branch is a path of the tree."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = Branches()
        self.made: dict[str, str | None] = {}

    @rule(role=st.sampled_from(["user", "assistant"]))
    def say(self, role):
        name = f"m{len(self.made)}"
        self.made[name] = self.tree.active
        self.tree.add(MessageEntry(name, self.tree.active, Message(role, name)))

    @precondition(lambda self: self.tree.prompts())
    @rule(data=st.data())
    def undo(self, data):
        before = self.tree.active
        self.tree.undo(data.draw(st.integers(1, len(self.tree.prompts()))))
        if data.draw(st.booleans()):
            self.tree.redo()
            assert self.tree.active == before

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def goto(self, data):
        self.tree.move(self.tree.find(data.draw(st.sampled_from(sorted(self.made)))).id)

    @rule(number=st.none() | st.integers(-1, 4))
    def fork(self, number):
        try:
            self.tree.fork(number)
        except NotFoundError:
            return

    @invariant()
    def nothing_is_lost(self):
        assert {entry.id: entry.parent for entry in self.tree.entries()} == self.made

    @invariant()
    def the_branch_is_a_path(self):
        branch = self.tree.branch()
        assert [entry.parent for entry in branch] == [None, *(entry.id for entry in branch)][
            : len(branch)
        ]
        number, count = self.tree.active_number()
        assert 1 <= number <= count == max(1, len(self.tree.leaves()))


TestMachine = Machine.TestCase
