"""``darkai ask``: one prompt, one reply."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from darkai_cli import stdio
from darkai_cli.cli import options as opt
from darkai_cli.cli.parser import CommandSpec
from darkai_cli.errors import UsageError
from darkai_cli.messages import Message
from darkai_cli.text import ago

if TYPE_CHECKING:
    from darkai_cli.conversation.turn import Turn


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
    """Ask one thing."""
    from darkai_cli.conversation.sinks import Aside
    from darkai_cli.output.format import OutputOptions, select_format

    words = [opt.typed(word, f"word {number}") for number, word in enumerate(prompt or (), 1)]
    system = opt.typed(system, "the system prompt (`-s`)") if system else system
    options = opt.parse_options(option or ())
    wishes = OutputOptions(json=json, raw=raw, extract=extract, no_stream=no_stream)
    select_format(wishes, terminal=False)  # before stdin is read
    _check(words, file, conversation, resume=resume)
    flags = {
        "model": model,
        "provider": provider,
        "system": system,
        "proxy": proxy,
        "timeout": timeout,
        "retries": retries,
        "max_wait": max_wait,
        "plain": plain or None,
        "reasoning": reasoning,
    }
    going_on = resume or continue_ or conversation is not None
    asking = _asking(
        (words, file or ()), flags, options,
        past=(conversation, resume) if going_on else None, no_stdin=no_stdin, quiet=quiet,
    )  # fmt: skip
    if dry_run:
        return asking.show()
    return asking.run(
        wishes,
        path=output,
        aside=Aside(quiet=quiet, verbose=verbose, record=record),
        save=not no_save,
        allowed=not no_fallback,
        log=stdio.print_err if debug else None,
    )


command = CommandSpec(
    ask, "Ask one thing, get one streamed reply. A pipe's text follows the prompt."
)


def _asking(
    typed: tuple[list[str], Sequence[str]],
    flags: dict[str, Any],
    options: dict[str, Any],
    *,
    past: tuple[str | None, bool] | None,
    no_stdin: bool,
    quiet: bool,
) -> "Turn":
    """The question with all that goes before it. ``typed``: words and files.

    ``past``: the conversation to go on with, None for the latest, and whether to resume its reply.
    """
    from darkai_cli.cli import question
    from darkai_cli.config.load import load
    from darkai_cli.conversation.turn import Turn

    config = load(flags)
    for notice in () if quiet else config.notices:
        _warn(notice)
    before = None
    resume = past is not None and past[1]
    if past is not None:
        before = _past(past[0], resume=resume)
        config = load(_restored(config, flags, before))
    asked = None
    if not resume:
        asked = question.question(*typed, config, no_stdin=no_stdin, quiet=quiet)
    messages = _messages(config, asked, before)
    if resume:
        _check_resumed(config, messages, before)
    if before is not None and not quiet:
        _tell_past(before)
    return Turn(config, messages, options, question=asked, past=before)


def _check(
    words: list[str], files: list[str] | None, conversation: str | None, *, resume: bool
) -> None:
    """Raise ``UsageError`` for what cannot be continued."""
    if resume and (words or files):
        raise UsageError(
            "`--resume` takes no prompt and no file",
            hint="`-c PROMPT` continues the conversation instead",
        )
    if conversation is not None and not conversation.strip():
        raise UsageError("`--conversation` names none", hint="`darkai history` lists their ids")


def _past(conversation: str | None, *, resume: bool) -> Any:
    """The conversation to go on with."""
    from darkai_cli.config import paths
    from darkai_cli.conversation import resume as past

    return past.load(paths.history_file(stdio.environ()), conversation, resume=resume)


def _restored(config: Any, flags: dict[str, Any], past: Any) -> dict[str, Any]:
    """The flags, with the conversation's own model where the user named none for this request."""
    from darkai_cli.providers import resolve

    chosen = {config.origin(key).kind for key in ("model", "provider")}
    provider, _, name = (past.model or "").partition("/")
    known = name and provider in resolve.names(config) and provider != "demo"
    if not known or chosen & {"flag", "environment"}:
        return flags
    target = resolve.resolve(config)
    if past.model == f"{target.settings.name}/{target.model}":
        return flags
    return {**flags, "model": past.model}


def _check_resumed(config: Any, messages: tuple[Message, ...], past: Any) -> None:
    """Raise ``UsageError`` where the reply cannot be continued by whom it was asked of."""
    from darkai_cli.conversation import demo
    from darkai_cli.providers import resolve

    demo.check_resumed(resolve.resolve(config), messages, past.model)


def _tell_past(past: Any) -> None:
    """One dim line that names the conversation and its age."""
    from darkai_cli.output.sanitize import sanitize_line

    line = f"continuing {past.short} `{sanitize_line(past.title, 60)}`, {ago(past.age)}"
    dim = stdio.use_color(stdio.stderr())
    stdio.print_err(f"\x1b[2m{line}\x1b[0m" if dim else line)
    for warning in past.warnings:
        _warn(warning)


def _warn(text: str) -> None:
    from darkai_cli.output.notices import tell

    tell("warning", text)


def _messages(config: Any, asked: Message | None, past: Any) -> tuple[Message, ...]:
    """What is sent: the system prompt, what was said before, the question."""
    before = past.messages if past is not None else ()
    system = config.system
    if (
        past is not None
        and past.system
        and config.origin("system").kind not in ("flag", "environment")
    ):
        system = past.system
    said = (*before, asked) if asked is not None else before
    return (Message("system", system), *said) if system else said
