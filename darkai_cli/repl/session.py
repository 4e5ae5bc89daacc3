"""A conversation that goes on: what is said, to whom, what came back. No typing, no loop.

Commands change it, the loop feeds it, the screen shows what it has to say. Each prompt is a turn
like any other (``turns``): journaled while it streams, judged when it has ended. The tree in memory
(``branches``) is what is sent; the history keeps the same tree on disk (``history``). All requests
go over the same connections, which ``prepare`` opens while somebody types.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from darkai_cli import stdio
from darkai_cli.config.load import load
from darkai_cli.conversation import attachments, context_window
from darkai_cli.conversation.attachments import Attachments
from darkai_cli.conversation.branches import Branches
from darkai_cli.conversation.save import open_journal
from darkai_cli.errors import DarkAIError, UsageError
from darkai_cli.http.connection import ConnectionPool
from darkai_cli.messages import ChatRequest, Image, Message
from darkai_cli.providers import connect, resolve
from darkai_cli.providers.base import Target
from darkai_cli.providers.settings import provider_names, settings_of
from darkai_cli.repl.session_history import SessionHistory

if TYPE_CHECKING:
    from darkai_cli.history.store import Store
    from darkai_cli.http.connection import ConnectionConfig
    from darkai_cli.providers.base import ModelInfo
    from darkai_cli.repl.screen import ChatScreen

OVERFLOWS = ("ask", "drop", "send")
"""What happens to what does not fit the window: a question, or it stays out, or all is sent."""


class Reader(Protocol):
    """How a person types."""

    def read(self, prefill: str) -> str:
        """The next line or lines. Raises ``EOFError`` to leave.

        ``prefill``: a text to begin with, which is sent only when the person sends it.
        """
        ...

    def confirm(self, question: str) -> bool:
        """Ask yes or no; no by default."""
        ...

    def with_echo(self) -> AbstractContextManager[None]:
        """The terminal as others expect it, who ask or read something themselves: with an echo."""
        ...

    def close(self) -> None:
        """Put the terminal right."""
        ...


class ChatSession:
    """One session. ``flags``: for the config. ``options``: those set for it, over the config's.

    ``allowed``: whether another provider may answer. ``log``: takes the lines of ``--debug``.
    ``quiet``: nothing is told but replies and errors.
    """

    def __init__(
        self,
        flags: Mapping[str, Any],
        screen: ChatScreen,
        *,
        options: Mapping[str, Any],
        save: bool,
        allow_fallback: bool = True,
        quiet: bool = False,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._flags = dict(flags)
        self.config = load(self._flags)
        self.screen = screen
        self.target = resolve.resolve(self.config)
        self.system = self.config.system
        self.options = dict(options)
        self.branches = Branches()
        self.conversation: str | None = None
        self.title = ""
        self.titled = False
        """Whether the title was chosen, and is not only how the first prompt begins."""
        self.pending = Attachments()
        self.unsent = ""
        """A prompt that got no answer, to be offered when the session begins."""
        self._unsent_images: tuple[Image, ...] = ()
        self.verbose = False
        self.overflow: str = self.config.overflow
        self.started = time.monotonic()
        self.reader: Reader | None = None
        self.allow_fallback = allow_fallback
        self.quiet = quiet
        self.log = log
        self.connections = ConnectionPool()
        self.history = SessionHistory(
            open_journal() if save and self.config.save else None,
            lambda warning: screen.line(f"warning: {warning}"),
        )
        self._again = Attachments()
        self._typed: dict[str, tuple[str, Attachments]] = {}
        self.context_window = context_window.ContextWindow()
        self._fit: tuple[object, context_window.Fit] | None = None

    @property
    def saved(self) -> bool:
        """Whether the conversation is kept in the history."""
        return self.history.journal is not None

    @property
    def name(self) -> str:
        """Who answers: ``provider/model``."""
        return f"{self.target.settings.name}/{self.target.model}"

    # --- who answers ---

    def use_model(self, model: str) -> None:
        """Have another model answer from now on. Raises ``NotFoundError`` and its kin."""
        flags = {**self._flags, "model": model, "provider": None}
        config = load(flags)
        first, slash, _ = model.partition("/")
        if not (slash and first in provider_names(config)) and model not in config.aliases:
            flags["provider"] = self.target.settings.name
            config = load(flags)
        self.target = resolve.resolve(config)
        self.config, self._flags = config, flags

    def target_for(self, model: str) -> Target:
        """Who answers by that name, for one turn."""
        before = self.config, self.target, self._flags
        try:
            self.use_model(model)
            return self.target
        finally:
            self.config, self.target, self._flags = before

    def all_options(self, target: Target | None = None) -> dict[str, Any]:
        """The options of the next request: the configuration's, and over them the session's."""
        return {**(target or self.target).settings.options, **self.options}

    def check_request(
        self, options: Mapping[str, Any] | None = None, images: tuple[Image, ...] = ()
    ) -> None:
        """Have the model's wire format look at what is to be sent with the next request.

        Raises ``UsageError`` for an option, ``InputError`` for images that it does not take.
        """
        settings, model = self.target
        chat = ChatRequest(
            (Message("user", "?", images),), model, self.options if options is None else options
        )
        connect.dialect_of(settings, model).request(chat, settings)

    def model_info(self, provider: str, model: str) -> ModelInfo | None:
        """What a service lists about a model, if it was kept."""
        try:
            return self.context_window.known(settings_of(self.config, provider), model)
        except DarkAIError:
            return None

    def prepare(self) -> None:
        """Connect ahead of the next request. Returns at once, raises nothing, sends nothing."""
        settings = self.target.settings
        if settings.type == "demo":
            return
        try:
            self.connections.prepare(self._connection_for(settings.url), settings.url)
        except DarkAIError:
            return  # the request will meet it again, and explain

    def _connection_for(self, url: str) -> ConnectionConfig:
        from darkai_cli.http.timeouts import Timeouts

        timers = Timeouts(connect=self.config.connect_timeout, first_token=60.0)
        timers = timers.with_timeout(self.config.timeout)
        hooks = connect.Hooks(pool=self.connections)
        return connect.connection_for(url, self.config, stdio.environ(), timers, hooks)

    def with_echo(self) -> AbstractContextManager[None]:
        """The terminal as others expect it, who read from it: with an echo."""
        return self.reader.with_echo() if self.reader is not None else nullcontext()

    # --- what is sent ---

    def messages(self, prompt: Message | None = None) -> tuple[Message, ...]:
        """All that is sent with the next request."""
        said = self.branches.messages()
        if prompt is not None:
            said = (*said, prompt)
        return (Message("system", self.system), *said) if self.system else said

    def compose(self, text: str) -> Message:
        """The next prompt: the text, and what is attached."""
        return Message("user", self.pending.append_to(text), self.pending.images)

    def attach(self, files: Sequence[str], piped: str | None = None) -> Attachments:
        """Have files, URLs and a pipe's text go along with the next prompt; what was added.

        What is attached already is read anew. Raises ``InputError`` and its kin.
        """
        found = attachments.read(
            files,
            stdin=(piped or "").encode,
            connection_for=self._connection_for,
        )
        if found.images:
            self.check_request(images=found.images)
        texts = found.texts
        if piped and "-" not in files:
            texts = (*texts, attachments.AttachedText("stdin", piped))
        added = Attachments(texts, found.images)
        self.add(added)
        return added

    def add(self, added: Attachments) -> None:
        """Have this go along with the next prompt, in place of what has the same name."""
        new = set(added.names) - {""}
        texts = (one for one in self.pending.texts if one.name not in new)
        images = (one for one in self.pending.images if one.name not in new)
        self.pending = Attachments((*texts, *added.texts), (*images, *added.images))

    def mark_attachments_sent(self, prompt: str, text: str) -> None:
        """What was attached went along with the message ``prompt``, of which ``text`` was typed."""
        if self.pending.texts or self.pending.images:
            self._typed[prompt] = (text, self.pending)
            self.pending = self._again = Attachments()

    def restore_prompt(self, prompt: str) -> str:
        """The text of a prompt, to be changed; what went along with it is attached again."""
        message = self.branches.entry(prompt).message
        text, attached = self._typed.get(prompt, (message.content, Attachments((), message.images)))
        self.add(attached)
        self._again = attached
        return text

    def discard_restored(self) -> None:
        """What a prompt that was to be changed has brought along is not attached any more."""
        again, self._again = self._again, Attachments()
        texts = tuple(one for one in self.pending.texts if one not in again.texts)
        images = tuple(one for one in self.pending.images if one not in again.images)
        self.pending = Attachments(texts, images)

    def unanswered_prompt(self) -> str:
        """The prompt that got no answer, or ""; its images are attached again."""
        self.add(Attachments((), self._unsent_images))
        return self.unsent

    # --- the window ---

    def fit(self) -> context_window.Fit:
        """How the next request fits the model's window, without what is being typed."""
        key = (
            self.branches, self.branches.active, self.system, self.target,
            self.context_window.factor(self.target), *self.options.items(),
        )  # fmt: skip
        if self._fit is None or self._fit[0] != key:
            found = self.context_window.fit(self.target, self.messages(), self.all_options())
            self._fit = key, found
        return self._fit[1]

    def choose_overflow(self, policy: str) -> None:
        """What happens to what does not fit. Raises ``UsageError``."""
        if policy not in OVERFLOWS:
            raise UsageError(
                f"`{policy[:60]}` is no way to deal with it", hint=f"{', '.join(OVERFLOWS)}"
            )
        self.overflow = policy

    # --- the history ---

    def reopen(self, typed: str | None) -> None:
        """Go on with a conversation of the history: the latest, or the one whose id begins so.

        Its branches, system prompt and model come back. Raises ``NotFoundError``.
        """
        from darkai_cli.config import paths
        from darkai_cli.conversation.resume import reopen

        found = reopen(paths.history_file(stdio.environ()), typed)
        self.branches, self.conversation = found.branches(), found.position.conversation
        self.title, self.titled, self.unsent = found.title, True, found.unsent
        self._unsent_images = found.unsent_images
        if found.model is not None:
            self._go_on_with(found.model)
        if self.config.origin("system").kind not in ("flag", "environment"):
            self.system = found.system or self.config.system
        for warning in found.warnings:
            self.screen.line(f"warning: {warning}")

    def _go_on_with(self, model: str) -> None:
        """Have the conversation's own model answer, if no other was chosen, and it still can.

        Not ``demo``, which may have stood in for another.
        """
        chosen = {self.config.origin(key).kind for key in ("model", "provider")}
        if chosen & {"flag", "environment"} or model == self.name or model.startswith("demo/"):
            return
        try:
            self.use_model(model)
        except DarkAIError as error:
            self.screen.line(f"note: {error.message}; `{self.name}` answers")

    def start_new(self) -> None:
        """Begin another conversation, with the same model, system prompt and options."""
        self.branches = Branches()
        self.conversation, self.title, self.titled, self.unsent = None, "", False, ""
        self._unsent_images = ()

    def go_to(self, identifier: str | None) -> None:
        """Make the branch that ends there the active one, in the history too."""
        self.branches.step(identifier)
        self.save_active_branch()

    def child_environment(self) -> dict[str, str]:
        """The environment for commands that the person runs: without keys."""
        from darkai_cli.config import editor

        return editor.environment_for_children(stdio.environ(), connect.key_variables(self.config))

    def store(self) -> Store:
        """The history, to read and to change. Raises ``UsageError`` where nothing is kept."""
        return self.history.store()

    def save_active_branch(self) -> None:
        """Tell the history which branch is active."""
        self.history.set_active(self.conversation, self.branches.active)

    def close(self) -> None:
        """The session is over: everything is on disk afterwards, every connection closed."""
        try:
            self.history.close()
        finally:
            self.connections.close()
