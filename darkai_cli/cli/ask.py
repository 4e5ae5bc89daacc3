"""``darkai ask``: one prompt, one reply."""

from typing import Any

import typer

from darkai_cli import streams
from darkai_cli.cli import options as opt
from darkai_cli.errors import UsageError
from darkai_cli.messages import ChatRequest, Message

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

WAITING = "note: waiting for stdin; `--no-stdin` or `< /dev/null` goes on without it"


@app.command(help="Ask one thing, get one streamed reply. A pipe's text follows the prompt.")
def ask(
    prompt: opt.Prompt = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    system: opt.System = None,
    option: opt.Options = None,
    raw: opt.Raw = False,
    json: opt.Json = False,
    extract: opt.Extract = False,
    output: opt.Output = None,
    no_stream: opt.NoStream = False,
    plain: opt.Plain = False,
    reasoning: opt.Reasoning = None,
    proxy: opt.Proxy = None,
    timeout: opt.Timeout = None,
    retries: opt.Retries = None,
    no_fallback: opt.NoFallback = False,
    no_stdin: opt.NoStdin = False,
    record: opt.Record = None,
    dry_run: opt.DryRun = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> int:
    """Ask one thing."""
    from darkai_cli.cli.output import Aside
    from darkai_cli.config.load import load
    from darkai_cli.sinks.choose import Wishes, choose

    wishes = Wishes(json=json, raw=raw, extract=extract, no_stream=no_stream)
    choose(wishes, terminal=False)  # wishes that exclude each other are told before stdin is read
    flags = {
        "model": model,
        "provider": provider,
        "system": system,
        "proxy": proxy,
        "timeout": timeout,
        "retries": retries,
        "plain": plain or None,
        "reasoning": reasoning,
    }
    config = load({key: value for key, value in flags.items() if value is not None})
    for notice in () if quiet else config.notices:
        streams.tell(f"warning: {notice}")
    request_options = {**config.options, **opt.parse_options(option or ())}
    messages = _messages(config.system, list(prompt or ()), no_stdin=no_stdin, quiet=quiet)
    if dry_run:
        return _show_request(config, messages, request_options)
    return _converse(
        config,
        messages,
        request_options,
        wishes,
        path=output,
        aside=Aside(quiet=quiet, verbose=verbose, record=record),
        allowed=not no_fallback,
        debug=debug,
    )


def _messages(
    system: str | None, words: list[str], *, no_stdin: bool, quiet: bool
) -> tuple[Message, ...]:
    from darkai_cli.conversation.prompt import compose

    if words and "-" not in words and not " ".join(words).strip():
        raise UsageError("the prompt is empty", hint='darkai ask "tell me a joke"')
    piped = None
    if not no_stdin and streams.has_input():
        tell = (lambda: streams.tell(WAITING)) if words and not quiet else None
        piped = streams.read_input(tell)
    asked = Message("user", compose(words, piped))
    return (Message("system", system), asked) if system else (asked,)


def _converse(
    config: Any,
    messages: tuple[Message, ...],
    request_options: dict[str, Any],
    wishes: Any,
    *,
    path: str | None,
    aside: Any,
    allowed: bool,
    debug: bool,
) -> int:
    from darkai_cli.cli.output import Output
    from darkai_cli.conversation import fallback
    from darkai_cli.conversation.reply import Reply
    from darkai_cli.sinks.base import pump

    out = Output(config, wishes, path, aside)
    reply = Reply()
    log = streams.tell if debug else None
    open_stream = fallback.opener(
        config, messages, request_options, streams.environ(), log, out.prepare, out.wait
    )
    events = fallback.open_turn(config, messages, open_stream, allowed=allowed)
    complete = False
    try:
        stayed = pump(events, [reply, *out.sinks])
        verdict = reply.verdict(stayed=stayed, options=request_options)
        complete = verdict.state == "complete"
    finally:
        out.finish(complete=complete)
    if verdict.error is not None:
        raise verdict.error
    return 0


def _show_request(config: Any, messages: tuple[Message, ...], options: dict[str, Any]) -> int:
    """Print what would be sent."""
    import json

    from darkai_cli.providers import registry
    from darkai_cli.wire.secrets import masked

    target = registry.resolve(config)
    provider = registry.provider_of(target.settings, config, streams.environ())
    request = provider.request(ChatRequest(messages, target.model, options))
    shown = {
        "provider": target.settings.name,
        "model": target.model,
        "method": request.method,
        "url": request.url,
        "headers": masked(request.headers),
        "body": json.loads(request.body),
    }
    streams.stdout().write(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    return 0
