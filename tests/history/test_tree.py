from __future__ import annotations

import pytest
from history.histories import drafts, fill
from hypothesis import given

from darkai_cli.errors import NotFoundError
from darkai_cli.history import tree
from darkai_cli.history.journal import Journal
from darkai_cli.history.store import Store
from darkai_cli.messages import Message


@pytest.fixture
def grown(database):
    """one - 1 - two - 2, and beside `two` the branch three - 3."""
    journal = Journal(database)

    def say(prompt, reply, state="complete", **where):
        names = journal.begin(prompt, provider="p", model="m", **where)
        if reply:
            journal.text(reply)
        journal.end(state)
        return names

    item = say("one", "1")
    two = say("two", "2", conversation=item.conversation, parent=item.reply)
    three = say("three", "3", conversation=item.conversation, parent=item.reply)
    journal.say = say
    with Store(database) as store:
        yield store, item, two, three, say
    journal.close()


def texts(nodes):
    return [node.text for node in nodes]


def test_the_active_branch_is_the_last_one(grown):
    store, item, two, _, _ = grown
    assert texts(tree.branch(store, item.conversation)) == ["one", "1", "three", "3"]
    assert texts(tree.branch(store, item.conversation, two.reply)) == ["one", "1", "two", "2"]
    assert texts(tree.branch(store, item.conversation, item.reply)) == ["one", "1"]


def test_moving_about_destroys_nothing(grown):
    store, item, two, _, _ = grown
    before = texts(tree.nodes(store, item.conversation))
    tree.switch(store, item.conversation, two.reply)
    assert texts(tree.branch(store, item.conversation)) == ["one", "1", "two", "2"]
    tree.switch(store, item.conversation, item.reply)
    assert texts(tree.branch(store, item.conversation)) == ["one", "1"]
    tree.switch(store, item.conversation, None)
    assert tree.branch(store, item.conversation) == []
    assert texts(tree.nodes(store, item.conversation)) == before
    assert store.check() == []


def test_a_message_of_another_conversation_is_refused(grown):
    store, item, _, _, say = grown
    other = say("other", "o")
    with pytest.raises(NotFoundError):
        tree.switch(store, item.conversation, other.reply)
    assert tree.branch(store, item.conversation, other.reply) == []


def test_what_is_sent_leaves_out_replies_without_text(grown):
    store, item, _, three, say = grown
    failed = say("four", "", "failed", conversation=item.conversation, parent=three.reply)
    say("five", "5", conversation=item.conversation, parent=failed.reply)
    sent = tree.messages(store, tree.branch(store, item.conversation))
    assert sent[-3:] == (
        Message("user", "four"),
        Message("user", "five"),
        Message("assistant", "5"),
    )


def test_the_tree_is_drawn(grown):
    store, item, _, three, say = grown
    again = say("four", "4", conversation=item.conversation, parent=three.reply)
    say(None, "4b", conversation=item.conversation, prompt_id=again.prompt)
    active = {node.id for node in tree.branch(store, item.conversation)}
    drawn = [
        line.rails + line.node.text + ("*" if line.active else "")
        for line in tree.draw(tree.nodes(store, item.conversation), active)
    ]
    assert drawn == [
        "one*",
        "1*",
        "├─ two",
        "│  2",
        "└─ three*",
        "   3*",
        "   four*",
        "   ├─ 4",
        "   └─ 4b*",
    ]


def test_several_roots_are_drawn_as_branches(grown):
    store, item, _, _, say = grown
    say("root", "r", conversation=item.conversation)
    drawn = [
        line.rails + line.node.text for line in tree.draw(tree.nodes(store, item.conversation))
    ]
    assert drawn[:2] == ["├─ one", "│  1"]
    assert drawn[-2:] == ["└─ root", "   r"]


def test_only_an_unfinished_reply_is_to_be_resumed(grown):
    store, item, _, three, say = grown
    assert store.last_unfinished(item.conversation) is None
    cut = say("five", "5", "truncated", conversation=item.conversation, parent=three.reply)
    assert store.last_unfinished(item.conversation).id == cut.turn


@given(drafts())
def test_parents_come_before_their_children_and_nothing_is_missing(tmp_path_factory, draft):
    with Store(tmp_path_factory.mktemp("tree") / "history.db") as store:
        fill(store, [draft])
        result = tree.nodes(store, draft.id)
        seen = {None}
        for node in result:
            assert node.parent in seen
            seen.add(node.id)
        assert sorted(node.id for node in result) == sorted(m.id for m in draft.messages)
        assert len(tree.draw(result)) == len(result)
        if draft.active:
            assert tree.branch(store, draft.id)[-1].id == draft.active
