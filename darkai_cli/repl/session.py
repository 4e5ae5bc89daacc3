"""The state of a chat: model, options, tree of messages, attachments. No input and no loop.

Commands change it, and ``turn`` adds prompts and replies. The tree in memory (``branches``) is what
is sent; the history keeps the same tree on disk. All requests use the same pool of connections,
which ``prepare`` opens while the user types.
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

OVERFLOW_POLICIES = ("ask", "drop", "send")
"""What to do with messages that do not fit the context window: ask, leave them out, send them."""


class Reader(Protocol):
    """Reads what the user types. ``input`` and ``plain_input`` implement it."""

    def read(self, prefill: str) -> str:
        """Return the next message. Raises ``EOFError`` when the user leaves.

        ``prefill`` is offered in the input; only the user sends it.
        """
        ...

    def confirm(self, question: str) -> bool:
        """Ask yes or no; return True for yes. The default is no."""
        ...

    def with_echo(self) -> AbstractContextManager[None]:
        """Have the terminal echo inside the block, for others who read from it."""
        ...

    def close(self) -> None:
        """Restore the terminal."""
        ...


class ChatSession:
    """One chat.

    ``flags`` are the command line's settings, ``options`` its request options, which win over the
    configuration's. ``allow_fallback``: whether another provider may reply. ``quiet``: show only
    replies and errors. ``log``: takes the lines of ``--debug``.
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
        """Whether the title was chosen, by the user or a model."""
        self.pending = Attachments()
        self._unanswered = ""
        """A prompt of the resumed conversation that got no reply, and its images."""
        self._unanswered_images: tuple[Image, ...] = ()
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
        self._restored = Attachments()
        """The attachments that came back with an earlier prompt."""
        self._prompts: dict[str, tuple[str, Attachments]] = {}
        """What the user typed for a prompt, and its attachments, by the prompt's id."""
        self.context_window = context_window.ContextWindow()
        self._fit: tuple[object, context_window.Fit] | None = None

    @property
    def saved(self) -> bool:
        """Whether the conversation is saved in the history."""
        return self.history.journal is not None

    @property
    def name(self) -> str:
        """The current model as ``provider/model``."""
        return f"{self.target.settings.name}/{self.target.model}"

    # --- the model ---

    def use_model(self, model: str) -> None:
        """Switch to another model. Raises ``NotFoundError``."""
        flags = {**self._flags, "model": model, "provider": None}
        config = load(flags)
        first, slash, _ = model.partition("/")
        if not (slash and first in provider_names(config)) and model not in config.aliases:
            flags["provider"] = self.target.settings.name
            config = load(flags)
        self.target = resolve.resolve(config)
        self.config, self._flags = config, flags

    def target_for(self, model: str) -> Target:
        """Return the target of a model's name, for one turn. Raises ``NotFoundError``."""
        saved = self.config, self.target, self._flags
        try:
            self.use_model(model)
            return self.target
        finally:
            self.config, self.target, self._flags = saved

    def all_options(self, target: Target | None = None) -> dict[str, Any]:
        """Return the options of the next request: the configuration's, overridden by the chat's."""
        return {**(target or self.target).settings.options, **self.options}

    def check_request(
        self, options: Mapping[str, Any] | None = None, images: tuple[Image, ...] = ()
    ) -> None:
        """Check options and images against the model's wire format.

        Raises ``UsageError`` for an option, ``InputError`` for images that it does not accept.
        """
        settings, model = self.target
        chat = ChatRequest(
            (Message("user", "?", images),), model, self.options if options is None else options
        )
        connect.dialect_of(settings, model).request(chat, settings)

    def model_info(self, provider: str, model: str) -> ModelInfo | None:
        """Return what the service lists about a model, if that is cached."""
        try:
            return self.context_window.known(settings_of(self.config, provider), model)
        except DarkAIError:
            return None

    def prepare(self) -> None:
        """Open a connection for the next request. Sends nothing and raises nothing."""
        settings = self.target.settings
        if settings.type == "demo":
            return
        try:
            self.connections.prepare(self._connection_for(settings.url), settings.url)
        except DarkAIError:
            # The request will raise the error again.
            return

    def _connection_for(self, url: str) -> ConnectionConfig:
        from darkai_cli.http.timeouts import Timeouts

        timeouts = Timeouts(connect=self.config.connect_timeout, first_token=60.0)
        timeouts = timeouts.with_timeout(self.config.timeout)
        hooks = connect.Hooks(pool=self.connections)
        return connect.connection_for(url, self.config, stdio.environ(), timeouts, hooks)

    def with_echo(self) -> AbstractContextManager[None]:
        """Have the terminal echo inside the block, for others who read from it."""
        return self.reader.with_echo() if self.reader is not None else nullcontext()

    # --- what is sent ---

    def messages(self, prompt: Message | None = None) -> tuple[Message, ...]:
        """Return the messages of the next request."""
        messages = self.branches.messages()
        if prompt is not None:
            messages = (*messages, prompt)
        return (Message("system", self.system), *messages) if self.system else messages

    def compose(self, text: str) -> Message:
        """Return the next prompt: the text and the attachments."""
        return Message("user", self.pending.append_to(text), self.pending.images)

    def attach(self, files: Sequence[str], piped: str | None = None) -> Attachments:
        """Attach files, URLs and piped text to the next prompt; return what was added.

        A file that is attached already is read again. Raises ``InputError`` and network errors.
        """
        content = attachments.read(
            files,
            stdin=(piped or "").encode,
            connection_for=self._connection_for,
        )
        if content.images:
            self.check_request(images=content.images)
        texts = content.texts
        if piped and "-" not in files:
            texts = (*texts, attachments.AttachedText("stdin", piped))
        added = Attachments(texts, content.images)
        self.add(added)
        return added

    def add(self, added: Attachments) -> None:
        """Attach this to the next prompt, in place of attachments of the same names."""
        names = set(added.names) - {""}
        texts = (text for text in self.pending.texts if text.name not in names)
        images = (image for image in self.pending.images if image.name not in names)
        self.pending = Attachments((*texts, *added.texts), (*images, *added.images))

    def mark_attachments_sent(self, prompt: str, text: str) -> None:
        """Remember that the attachments were sent with ``prompt``, for which ``text`` was typed."""
        if self.pending.texts or self.pending.images:
            self._prompts[prompt] = (text, self.pending)
            self.pending = self._restored = Attachments()

    def restore_prompt(self, prompt: str) -> str:
        """Return what was typed for a prompt, and attach its attachments again."""
        message = self.branches.entry(prompt).message
        text, attached = self._prompts.get(
            prompt, (message.content, Attachments((), message.images))
        )
        self.add(attached)
        self._restored = attached
        return text

    def discard_restored(self) -> None:
        """Detach what ``restore_prompt`` attached."""
        restored, self._restored = self._restored, Attachments()
        texts = tuple(text for text in self.pending.texts if text not in restored.texts)
        images = tuple(image for image in self.pending.images if image not in restored.images)
        self.pending = Attachments(texts, images)

    def unanswered_prompt(self) -> str:
        """Return the prompt that got no reply, or "", and attach its images again."""
        self.add(Attachments((), self._unanswered_images))
        return self._unanswered

    # --- the context window ---

    def fit(self) -> context_window.Fit:
        """Return how the conversation fits the model's context window, without the next prompt."""
        key = (
            self.branches, self.branches.active, self.system, self.target,
            self.context_window.factor(self.target), *self.options.items(),
        )  # fmt: skip
        if self._fit is None or self._fit[0] != key:
            fit = self.context_window.fit(self.target, self.messages(), self.all_options())
            self._fit = key, fit
        return self._fit[1]

    def choose_overflow(self, policy: str) -> None:
        """Set what to do with messages that do not fit. Raises ``UsageError``."""
        if policy not in OVERFLOW_POLICIES:
            raise UsageError(
                f"Expected ask, drop or send, not `{policy[:60]}`", hint="`/context ask`"
            )
        self.overflow = policy

    # --- the history ---

    def reopen(self, prefix: str | None) -> None:
        """Continue the latest conversation, or the one whose id begins with ``prefix``.

        Restores its branches, system prompt and model. Raises ``NotFoundError``.
        """
        from darkai_cli.config import paths
        from darkai_cli.conversation.resume import reopen

        resumed = reopen(paths.history_file(stdio.environ()), prefix)
        self.branches, self.conversation = resumed.branches(), resumed.position.conversation
        self.title, self.titled, self._unanswered = resumed.title, True, resumed.unsent
        self._unanswered_images = resumed.unsent_images
        if resumed.model is not None:
            self._restore_model(resumed.model)
        if self.config.origin("system").kind not in ("flag", "environment"):
            self.system = resumed.system or self.config.system
        for warning in resumed.warnings:
            self.screen.line(f"warning: {warning}")

    def _restore_model(self, model: str) -> None:
        """Switch to the conversation's model, unless the user chose one for this chat.

        The demo is not restored: it may have stood in for another provider.
        """
        origins = {self.config.origin(key).kind for key in ("model", "provider")}
        if origins & {"flag", "environment"} or model == self.name or model.startswith("demo/"):
            return
        try:
            self.use_model(model)
        except DarkAIError as error:
            self.screen.line(f"note: {error.message}; using {self.name}")

    def start_new(self) -> None:
        """Start a new conversation; model, system prompt and options stay."""
        self.branches = Branches()
        self.conversation, self.title, self.titled, self._unanswered = None, "", False, ""
        self._unanswered_images = ()

    def go_to(self, identifier: str | None) -> None:
        """Make the branch that ends with this message the active one, in the history too."""
        self.branches.step(identifier)
        self.save_active_branch()

    def child_environment(self) -> dict[str, str]:
        """Return the environment for programs that the user runs: without API keys."""
        from darkai_cli.config import editor

        return editor.environment_for_children(stdio.environ(), connect.key_variables(self.config))

    def store(self) -> Store:
        """Return the history, opened. Raises ``UsageError`` if the chat is not saved."""
        return self.history.store()

    def save_active_branch(self) -> None:
        """Save which branch is active."""
        self.history.set_active(self.conversation, self.branches.active)

    def close(self) -> None:
        """Write everything to disk and close the connections."""
        try:
            self.history.close()
        finally:
            self.connections.close()
