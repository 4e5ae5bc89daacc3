"""``darkai ask``: one prompt, one reply."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from darkai_cli import signals, stdio
from darkai_cli.cli import options as opt
from darkai_cli.cli.parser import CommandSpec
from darkai_cli.errors import UsageError
from darkai_cli.messages import Message
from darkai_cli.output.format import OutputOptions, select_format

if TYPE_CHECKING:
    from collections.abc import Callable

    from darkai_cli.config import Config
    from darkai_cli.conversation.request import TurnRequest
    from darkai_cli.conversation.resume import Resumed
    from darkai_cli.http.connection import ConnectionConfig

WAITING = "note: Waiting for stdin (`--no-stdin` or `< /dev/null` skips it)"


def ask(
    prompt: opt.Prompt = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    system: opt.System = None,
    file: opt.Files = None,
    option: opt.Options = None,
    continue_: opt.Continue = False,
    conversation: opt.Conversation = None,
    resume: opt.Resume = False,
    no_save: opt.NoSave = False,
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
    max_wait: opt.MaxWait = None,
    no_fallback: opt.NoFallback = False,
    no_stdin: opt.NoStdin = False,
    record: opt.Record = None,
    dry_run: opt.DryRun = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> int:
    """Ask one question."""
    from darkai_cli.config.load import load
    from darkai_cli.conversation.fallback_candidates import check_can_resume
    from darkai_cli.conversation.request import TurnRequest
    from darkai_cli.providers.resolve import resolve

    words = opt.decode_words(prompt or ())
    system = opt.decode_argument(system, "the system prompt (`-s`)") if system else system
    options = opt.parse_options(option or ())
    output_options = OutputOptions(
        json, raw, extract, no_stream, file=output, record=record, quiet=quiet, verbose=verbose
    )
    select_format(output_options, terminal=False)  # before stdin is read
    _check(words, file, conversation, resume=resume)
    flags = {
        "model": model, "provider": provider, "system": system, "proxy": proxy,
        "timeout": timeout, "retries": retries, "max_wait": max_wait,
        "plain": plain or None, "reasoning": reasoning,
    }  # fmt: skip
    config = load(flags)
    for notice in () if quiet else config.notices:
        _warn(notice)
    resumed = None
    if resume or continue_ or conversation is not None:
        resumed = _load_conversation(conversation, resume=resume)
        config = load(_with_conversation_model(config, flags, resumed))
    message = None
    if not resume:
        message = _user_message(words, file or (), config, no_stdin=no_stdin, quiet=quiet)
    request = TurnRequest(
        config,
        resolve(config),
        _messages(config, message, resumed),
        options,
        allow_fallback=not no_fallback,
        announces_default=True,
        log=opt.print_debug if debug else None,
    )
    if resumed is not None:
        if resume:
            check_can_resume(request.target, request.messages, resumed.model)
        if not quiet:
            _print_resumed(resumed)
    if dry_run:
        return _print_request(request)
    return _run(request, output_options, message, resumed, save=not no_save and config.save)


command = CommandSpec(
    ask,
    "Ask a question and stream the answer. Text piped to stdin is added to the prompt.",
    'darkai ask "tell me a joke"',
    'git diff | darkai ask "write a commit message"',
    'darkai ask -f photo.jpg "what is this?"',
)


def _run(
    request: "TurnRequest",
    options: OutputOptions,
    message: Message | None,
    resumed: "Resumed | None",
    *,
    save: bool,
) -> int:
    """Send the request, show and save the reply. Raises the error that ended it.

    ``message``: the new one, None where a reply is resumed.
    """
    from darkai_cli.conversation.save import NEW_CONVERSATION, TurnRecorder, open_journal
    from darkai_cli.conversation.sinks import Output
    from darkai_cli.conversation.turn import run_turn

    recorder = TurnRecorder(
        open_journal() if save else None,
        resumed.position if resumed is not None else NEW_CONVERSATION,
        prompt=message,
        quiet=options.quiet,
    )
    out = Output(request.config, options, recorder)
    try:
        outcome = run_turn(request, out)
    except BrokenPipeError:
        return 0
    finally:
        recorder.close_journal()
    if outcome.error is not None:
        raise outcome.error
    return 0


def _print_request(request: "TurnRequest") -> int:
    """Print the request as JSON, its keys masked; nothing is sent."""
    import json

    from darkai_cli.messages import ChatRequest
    from darkai_cli.output.sanitize import sanitize
    from darkai_cli.providers import connect
    from darkai_cli.secrets import mask_headers, mask_known, mask_url

    target = request.target
    client = connect.client_for(target, request.config, stdio.environ())
    http_request = client.request(ChatRequest(request.messages, target.model, request.options))
    if http_request.notice:
        _warn(http_request.notice)
    record = {
        "provider": target.settings.name,
        "model": target.model,
        "method": http_request.method,
        "url": mask_url(http_request.url),
        "headers": mask_headers(http_request.headers),
        "body": json.loads(http_request.body),
    }
    text = mask_known(json.dumps(record, indent=2, ensure_ascii=False))
    out = stdio.stdout()
    out.write((sanitize(text) if stdio.is_terminal(out) else text) + "\n")
    return 0


def _check(
    words: list[str], files: list[str] | None, conversation: str | None, *, resume: bool
) -> None:
    """Raise ``UsageError`` for options that cannot be used together."""
    if resume and (words or files):
        raise UsageError(
            "`--resume` takes no prompt and no file",
            hint="To continue the conversation, use `-c PROMPT`",
        )
    if conversation is not None and not conversation.strip():
        raise UsageError("`--conversation` needs an id", hint="`darkai history` lists them")


def _load_conversation(conversation: str | None, *, resume: bool) -> "Resumed":
    """Return the conversation to continue: the latest for None."""
    from darkai_cli.config import paths
    from darkai_cli.conversation.resume import load

    return load(paths.history_file(stdio.environ()), conversation, resume=resume)


def _with_conversation_model(
    config: "Config", flags: dict[str, Any], resumed: "Resumed"
) -> dict[str, Any]:
    """Return the flags, with the conversation's model where none was named for this request."""
    from darkai_cli.providers import resolve
    from darkai_cli.providers.settings import provider_names

    chosen = {config.origin(key).kind for key in ("model", "provider")}
    provider, _, name = (resumed.model or "").partition("/")
    is_known = name and provider in provider_names(config) and provider != "demo"
    if not is_known or chosen & {"flag", "environment"}:
        return flags
    target = resolve.resolve(config)
    if resumed.model == f"{target.settings.name}/{target.model}":
        return flags
    return {**flags, "model": resumed.model}


def _user_message(
    words: Sequence[str],
    files: Sequence[str],
    config: "Config",
    *,
    no_stdin: bool,
    quiet: bool,
) -> Message:
    """Return the user's message: the words, what is piped in, and the files.

    Raises ``UsageError`` and ``InputError`` where that is none.
    """
    from darkai_cli.conversation.prompt import compose

    if words and "-" not in words and not " ".join(words).strip():
        raise UsageError("The prompt is empty", hint='`darkai ask "tell me a joke"`')
    on_wait = _print_waiting if (words or files) and not quiet else None
    if "-" in files:
        if no_stdin or "-" in words:
            raise UsageError(
                "`-f -` and `--no-stdin` can't be used together" if no_stdin else
                "stdin can be used only once: as `-` in the prompt or as `-f -`",
                hint="Leave one of them out",
            )  # fmt: skip
        no_stdin = True
    piped = None
    if not no_stdin and stdio.has_input():
        signals.raise_pending()
        piped = stdio.read_input(on_wait)
    if not files:
        return Message("user", compose(words, piped))
    from darkai_cli.conversation import attachments

    attached = attachments.read(
        [opt.decode_argument(name, "the argument of `-f`") for name in files],
        stdin=lambda: _read_stdin(on_wait),
        connection_for=lambda url: _connection_for(url, config),
    )
    prompt = compose(words, piped) if words or (piped and piped.strip()) else ""
    return Message("user", attached.append_to(prompt), attached.images)


def _print_waiting() -> None:
    stdio.print_err(WAITING)


def _read_stdin(on_wait: "Callable[[], None] | None") -> bytes:
    signals.raise_pending()
    return stdio.read_input_bytes(on_wait)


def _connection_for(url: str, config: "Config") -> "ConnectionConfig":
    from darkai_cli.http.timeouts import Timeouts
    from darkai_cli.providers import connect

    timeouts = Timeouts(connect=config.connect_timeout, first_token=60.0).with_timeout(
        config.timeout
    )
    return connect.connection_for(url, config, stdio.environ(), timeouts)


def _messages(
    config: "Config", message: Message | None, resumed: "Resumed | None"
) -> tuple[Message, ...]:
    """Return what is sent: the system prompt, the conversation so far, the new message."""
    system = config.system
    conversation = resumed.messages if resumed is not None else ()
    if (
        resumed is not None
        and resumed.system
        and config.origin("system").kind not in ("flag", "environment")
    ):
        system = resumed.system
    if message is not None:
        conversation = (*conversation, message)
    return (Message("system", system), *conversation) if system else conversation


def _print_resumed(resumed: "Resumed") -> None:
    """Print a dim line that names the conversation and its age."""
    from darkai_cli.output.sanitize import sanitize_line
    from darkai_cli.text import ago

    title = sanitize_line(resumed.title, 60)
    line = f"Continuing {resumed.short} `{title}`, {ago(resumed.age)}"
    dim = stdio.use_color(stdio.stderr())
    stdio.print_err(f"\x1b[2m{line}\x1b[0m" if dim else line)
    for warning in resumed.warnings:
        _warn(warning)


def _warn(text: str) -> None:
    from darkai_cli.output.notices import tell

    tell("warning", text)
