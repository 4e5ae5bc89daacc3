"""Any sequence of turns and commands: no text is lost, and disk and memory agree.

The service replies, fails before its first word, is cut off in mid-reply, or is stopped by Ctrl-C.
Between the turns come commands that move along the branches. After each step, what ``darkai chat
-c`` would reopen is what the session has.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.sessions import Paper, Service, lost, new_session, shape, thought

from darkai_cli.config import paths
from darkai_cli.conversation.resume import reopen
from darkai_cli.errors import DarkAIError
from darkai_cli.events import StreamEnd
from darkai_cli.repl import turn
from darkai_cli.repl.commands import registry
from darkai_cli.repl.session import ChatSession

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda text: text.strip() and not text.endswith("\n")
)
PIECES = st.lists(TEXTS | TEXTS.map(thought), max_size=3)
ENDS = st.sampled_from(["complete", "lost", "stopped", "length", "filtered"])
SCRIPTS = st.tuples(PIECES, ENDS)


def script(pieces: Sequence, end: str) -> list:
    """Return the script of a reply with these pieces and this end."""
    endings = {
        "complete": [],
        "lost": [lost()],
        "stopped": [KeyboardInterrupt()],
        "length": [StreamEnd("length")],
        "filtered": [StreamEnd("filtered")],
    }
    return [*pieces, *endings[end]]


class Machine(RuleBasedStateMachine):
    """``messages``: every message that ever was in the tree. ``sent``: all prompts."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.folder = tempfile.TemporaryDirectory()
        self.patch.setenv("DARKAI_HOME", self.folder.name)
        self.patch.setenv("DARKAI_URL", "http://localhost:9/chat")
        self.service = Service(["fine"]).install(self.patch)
        self.session: ChatSession = new_session(Paper())
        self.messages: dict[str, str] = {}
        self.sent: set[str] = set()

    def teardown(self) -> None:
        self.session.close()
        self.patch.undo()
        self.folder.cleanup()

    @initialize(text=TEXTS)
    def first(self, text):
        self.send(text, ([], "complete"))

    @rule(text=TEXTS, played=SCRIPTS)
    def send(self, text, played):
        self.service.scripts = [script(*played)]
        before = self.session.branches.active
        result = turn.send(self.session, text)
        self.sent.add(text)
        if result.reply is None:
            assert result.unsent == text
            assert self.session.branches.active == before
        else:
            prompt = self.session.branches.entry(result.reply.parent)
            assert (prompt.message.content, prompt.parent) == (text, before)

    @precondition(lambda self: self.session.branches.prompts())
    @rule(played=SCRIPTS)
    def retry(self, played):
        self.service.scripts = [script(*played)]
        before = self.session.branches.active
        if turn.regenerate(self.session).reply is None:
            assert self.session.branches.active == before

    @rule(played=SCRIPTS)
    def resume(self, played):
        self.service.scripts = [script(*played)]
        before = self.session.branches.active
        try:
            result = turn.continue_reply(self.session)
        except DarkAIError:
            result = None
        if result is None or result.reply is None:
            assert self.session.branches.active == before

    @rule(
        name=st.sampled_from(["undo", "redo", "fork", "edit", "goto", "title"]),
        number=st.integers(0, 4),
        with_number=st.booleans(),
    )
    def command(self, name, number, with_number):
        try:
            registry.find(name).run(self.session, str(number) if with_number else "")
        except DarkAIError:
            return

    @rule()
    def leave_and_come_back(self):
        conversation, name = self.session.conversation, self.session.name
        self.session.close()
        self.session = new_session(Paper())
        self.session.reopen(conversation)
        assert self.session.name == name

    @rule(text=TEXTS)
    def begin_anew(self, text):
        registry.find("new").run(self.session, "")
        self.send(text, (["first"], "complete"))

    @invariant()
    def disk_and_memory_agree(self):
        if self.session.conversation is None:
            return
        resumed = reopen(paths.history_file(), self.session.conversation)
        assert shape(resumed.branches()) == shape(self.session.branches)
        if len(self.session.branches):
            assert resumed.title == self.session.title

    @invariant()
    def nothing_is_lost(self):
        for entry in self.session.branches.entries():
            text = entry.message.content
            assert self.messages.setdefault(entry.id, text) == text
        if not Path(paths.history_file()).exists():
            return
        with self.session.store() as store:
            rows = dict(store.rows("SELECT id, text FROM message"))
        assert self.messages.items() <= rows.items()
        assert self.sent <= set(rows.values())


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
