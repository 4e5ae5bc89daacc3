"""``darkai chat``: the interactive session."""

from typing import Any

from darkai_cli import stdio
from darkai_cli.cli import options as opt
from darkai_cli.cli.parser import CommandSpec
from darkai_cli.errors import UsageError


def chat(
    prompt: opt.Prompt = None,
    model: opt.Model = None,
    provider: opt.Provider = None,
    system: opt.System = None,
    file: opt.Files = None,
    option: opt.Options = None,
    continue_: opt.Continue = False,
    conversation: opt.Conversation = None,
    no_save: opt.NoSave = False,
    plain: opt.Plain = False,
    reasoning: opt.Reasoning = None,
    proxy: opt.Proxy = None,
    timeout: opt.Timeout = None,
    retries: opt.Retries = None,
    max_wait: opt.MaxWait = None,
    no_fallback: opt.NoFallback = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> int:
    """Talk."""
    from darkai_cli.repl import main

    flags: dict[str, Any] = {
        "model": model,
        "provider": provider,
        "system": opt.decode_argument(system, "the system prompt (`-s`)") if system else system,
        "proxy": proxy,
        "timeout": timeout,
        "retries": retries,
        "max_wait": max_wait,
        "plain": plain or None,
        "reasoning": reasoning,
    }
    if not stdio.is_terminal(stdio.stdout()):
        raise UsageError(
            "`chat` needs a terminal",
            hint="Use `darkai ask` in a pipe",
        )
    words = opt.decode_words(prompt or ())
    return main.chat(
        flags,
        words=words,
        files=[opt.decode_argument(name, "the argument of `-f`") for name in file or ()],
        options=opt.parse_options(option or ()),
        resume=continue_ or conversation is not None,
        conversation=conversation,
        save=not no_save,
        allow_fallback=not no_fallback,
        quiet=quiet,
        verbose=verbose,
        log=opt.print_debug if debug else None,
    )


command = CommandSpec(
    chat,
    "Start an interactive chat. Type `/help` in it to list its commands.",
    "darkai chat",
    "darkai chat -m openai/gpt-4o -f notes.md",
    "darkai chat --continue",
)
