"""One question on its way: to whom, into which sinks and the history; or shown instead of sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from darkai_cli import stdio
from darkai_cli.conversation import fallback
from darkai_cli.conversation.run_turn import run_turn
from darkai_cli.conversation.save import Place, TurnRecorder, journal
from darkai_cli.conversation.sinks import Aside, Output
from darkai_cli.messages import ChatRequest, Message
from darkai_cli.providers import connect, resolve

if TYPE_CHECKING:
    from darkai_cli.config import Config
    from darkai_cli.conversation.resume import Resumed
    from darkai_cli.output.format import OutputOptions


class Turn:
    """A question with everything that was decided about it.

    ``messages``: all that is sent. ``question``: the new one, None for a reply that is resumed.
    ``past``: the conversation that it continues.
    """

    def __init__(
        self,
        config: Config,
        messages: tuple[Message, ...],
        options: dict[str, Any],
        *,
        question: Message | None,
        past: Resumed | None,
    ) -> None:
        self._config = config
        self._messages = messages
        self._options = options
        self._in_force = dict(options)
        self._question = question
        self._past = past

    def run(
        self,
        wishes: OutputOptions,
        *,
        path: str | None,
        aside: Aside,
        save: bool,
        allowed: bool,
        log: Callable[[str], None] | None,
    ) -> int:
        """Ask, show, save. Raises what ended the reply, if it was not its own end."""
        out = Output(self._config, wishes, path, aside)
        saving = TurnRecorder(
            journal() if save and self._config.save else None,
            Place.of(self._past) if self._past is not None else Place(),
        )
        if self._past is not None:
            out.before = self._past.partial
        try:
            verdict = run_turn(
                lambda: self._events(out, saving, allowed=allowed, log=log),
                out,
                saving,
                self._in_force,
                quiet=aside.quiet,
            )
        except BrokenPipeError:
            return 0
        finally:
            saving.close(quiet=aside.quiet)
        if verdict.error is not None:
            raise verdict.error
        return 0

    def _events(
        self,
        out: Output,
        saving: TurnRecorder,
        *,
        allowed: bool,
        log: Callable[[str], None] | None,
    ) -> Any:
        target = resolve.resolve(self._config)
        system = self._messages[0].content if self._messages[0].role == "system" else None
        asked = self._question
        prompt, images = (asked.content, asked.images) if asked is not None else (None, ())
        self._in_force.update({**target.settings.options, **self._options})
        saving.begin(prompt, target, system, self._in_force, images=images)

        def sent() -> None:
            out.prepare()
            saving.sent()

        open_stream = fallback.opener(
            self._config,
            self._messages,
            self._options,
            stdio.environ(),
            log=log,
            on_sent=sent,
            on_open=out.wait,
            patience=out.patience,
        )
        return fallback.open_turn(
            self._config, self._messages, open_stream, allowed=allowed, ask=out.ask
        )

    def show(self) -> int:
        """Print what would be sent."""
        from darkai_cli.output.notices import tell
        from darkai_cli.output.sanitize import sanitize
        from darkai_cli.secrets import mask_headers, mask_known, mask_url

        target = resolve.resolve(self._config)
        provider = connect.client_for(target, self._config, stdio.environ())
        request = provider.request(ChatRequest(self._messages, target.model, self._options))
        if request.notice:
            tell("warning", request.notice)
        shown = {
            "provider": target.settings.name,
            "model": target.model,
            "method": request.method,
            "url": mask_url(request.url),
            "headers": mask_headers(request.headers),
            "body": json.loads(request.body),
        }
        text = mask_known(json.dumps(shown, indent=2, ensure_ascii=False))
        out = stdio.stdout()
        out.write((sanitize(text) if stdio.is_terminal(out) else text) + "\n")
        return 0
