"""Commands about the session: tokens, context, settings, help, leaving."""

from __future__ import annotations

import time
from textwrap import indent
from typing import TYPE_CHECKING

from darkai_cli.conversation import context_window
from darkai_cli.errors import UsageError
from darkai_cli.providers.base import format_dollars
from darkai_cli.repl.commands.command import Action, Quit, SlashCommand, command
from darkai_cli.repl.commands.messages import reject_argument
from darkai_cli.secrets import mask_proxy, mask_url
from darkai_cli.text import one_line, plural

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession


@command("tokens", summary="Show how many tokens the conversation used")
def tokens(session: ChatSession, argument: str) -> None:
    """Counts all branches. Tokens that the service did not report are estimated and marked with
    `~`. The cost appears if the service lists its prices.
    """
    reject_argument(argument, "/tokens")
    tokens_in = tokens_out = 0
    estimated, dollars = 0.0, None
    for entry in session.branches.entries():
        answer = entry.answer
        usage = answer.usage if answer is not None else None
        if answer is not None and usage is not None and usage.output is not None:
            tokens_in += usage.input or 0
            tokens_out += usage.output
            info = session.model_info(answer.provider, answer.model)
            cost = info.cost(usage) if info is not None else None
            dollars = cost if dollars is None else dollars + (cost or 0)
        elif answer is not None:
            estimated += context_window.estimate(entry.message.content)
    session.screen.line(f"Reported by the service: {tokens_in} in, {tokens_out} out")
    if estimated:
        session.screen.line(f"Estimated for other replies: ~{round(estimated)} out")
    if dollars is not None:
        session.screen.line(f"Cost at the listed prices: {format_dollars(dollars)}")
    session.screen.line(f"Sent with the next prompt: ~{session.fit().size}")


@command("context", summary="Show what fits the context window", arguments="[ask|drop|send]")
def context(session: ChatSession, argument: str) -> None:
    """Lists each message with its estimated tokens and marks those that do not fit the model's
    context window. `ask`, `drop` or `send` choose what happens to them in this chat: darkai asks
    each time, leaves out the oldest turns with a warning, or sends everything.

    Four ASCII characters count as one token, as do two characters of other alphabets and one of
    Chinese, Japanese or Korean. An image counts as 1,000 tokens, and each message as 4 more. Once
    the service has counted a request, the estimates for its model are scaled to match. The size of
    the window comes from `context` in `[providers.NAME]`, else from the service's list of models
    (`darkai models`); if it is not known, nothing is checked. darkai reserves `max_tokens`, or
    1,024 tokens, for the reply.
    """
    if argument:
        session.choose_overflow(argument)
        session.screen.dim(f"On overflow: {session.overflow}")
        return
    fit = session.fit()
    messages = session.messages()
    factor = session.context_window.factor(session.target)
    first_droppable = 1 if messages and messages[0].role == "system" else 0
    width = max(10, session.screen.width - 24)
    for index, message in enumerate(messages):
        is_dropped = first_droppable <= index < first_droppable + fit.dropped
        size = round(context_window.size(message) * factor)
        text = one_line(message.content, width)
        session.screen.line(f"{'-' if is_dropped else ' '} {message.role:<9} ~{size:<7} {text}")
    room = "unknown" if fit.room is None else f"~{fit.room}"
    session.screen.line(f"Total: ~{fit.size} tokens. Room in the context window: {room}.")
    if fit.dropped:
        many = plural(fit.dropped, "message")
        session.screen.line(f"{many} (`-`) must be left out; on overflow: {session.overflow}")


@command("info", summary="Show the model, the conversation and the settings")
def info(session: ChatSession, argument: str) -> None:
    """Includes the ID of the conversation and the number of turns and branches."""
    reject_argument(argument, "/info")
    place, count = session.branches.active_number()
    fit = session.fit()
    settings = session.target.settings
    size = session.context_window.size(session.target, session.all_options())
    limit = f"{size:,}" if size else "an unknown number of"
    rows = {
        "model": session.name,
        "address": "built in" if settings.type == "demo" else mask_url(settings.url),
        "context": f"~{fit.size:,} of {limit} tokens; on overflow: {session.overflow}",
        "title": session.title or "-",
        "conversation": (session.conversation or "-") if session.saved else "not saved",
        "turns": f"{len(session.branches.prompts())}, branch {place} of {count}",
        "system": one_line(session.system or "-", 200),
        "options": ", ".join(f"{k}={v}" for k, v in session.all_options().items()) or "-",
        "attached": ", ".join(session.pending.names) or "-",
        "since": f"{(time.monotonic() - session.started) / 60:.0f} min",
    }
    for name, value in rows.items():
        session.screen.line(f"{name + ':':<14}{value}")


@command(
    "config", summary="Show or change the configuration",
    arguments="[KEY [VALUE]]", completes="config",
)  # fmt: skip
def config(session: ChatSession, argument: str) -> None:
    """Works like `darkai config get` and `darkai config set`. A change takes effect in the next
    chat; for this one use `/model`, `/system` and `/set`.
    """
    from darkai_cli.config import paths, schema, write

    key, _, value = argument.partition(" ")
    if not key:
        session.screen.line(str(paths.config_file()))
        for name in schema.KEYS:
            if session.config.chosen(name):
                origin = session.config.origin(name)
                value = _display(name, getattr(session.config, name))
                session.screen.line(f"{name} = {value}  ({origin.where})")
        return
    if schema.split(key) is None:
        guess = schema.nearest(key, schema.KEYS)
        raise UsageError(
            f"Unknown setting `{key[:60]}`",
            hint=f"Did you mean `{guess}`?" if guess else "`/config` lists the settings in use",
        )
    if value.strip():
        write.set_value(key, value.strip())
        session.screen.dim(f"Set {key}, from the next chat on.")
        return
    if key in schema.KEYS:
        session.screen.line(f"{key} = {_display(key, getattr(session.config, key))}")
    else:
        session.screen.line(f"`darkai config get {key}` shows it")


def _display(name: str, value: object) -> str:
    return mask_proxy(str(value)) if name == "proxy" and value else str(value)


@command("verbose", summary="Turn details about each request on or off")
def verbose(session: ChatSession, argument: str) -> None:
    """Shows below each reply how many messages were sent and with which options, the tokens that
    the service counted, the times, and how full the context window is.
    """
    reject_argument(argument, "/verbose")
    session.verbose = not session.verbose
    session.screen.dim(f"Details are {'on' if session.verbose else 'off'}.")


@command("clear", summary="Clear the screen")
def clear(session: ChatSession, argument: str) -> None:
    """The conversation stays. `/new` starts another one."""
    reject_argument(argument, "/clear")
    if not session.screen.plain:
        session.screen.styled("\x1b[H\x1b[2J")


@command("quit", "exit", "q", summary="Leave the chat")
def quit_(session: ChatSession, argument: str) -> Action:  # noqa: ARG001 -- a command's form
    """Everything is saved. Ctrl-D on an empty line leaves too."""
    return Quit()


@command(
    "help", "?", summary="List commands or explain one", arguments="[COMMAND]", completes="command"
)
def show_help(session: ChatSession, argument: str) -> None:
    """Example: `/help retry`."""
    from darkai_cli.repl.commands import registry

    if argument:
        _explain(session, registry.find(argument.removeprefix("/")))
        return
    width = max(len(each.usage) for each in registry.commands()) + 2
    is_narrow = session.screen.width < width + 30
    for title, commands in registry.topics().items():
        session.screen.line(f"{title}:")
        for each in commands:
            label = f"{each.usage}: " if is_narrow else f"{each.usage:<{width}}"
            session.screen.line(f"  {label}{each.summary}")
    session.screen.line("Commands can be abbreviated. `/help retry` explains one command.")
    session.screen.line(
        "`!command` runs a shell command and offers its output. `//text` and `!!text`"
    )
    session.screen.line("send a text that begins with `/` or `!`; pasted text is never a command.")
    session.screen.line("Ctrl-C stops a reply, Ctrl-D leaves.")


def _explain(session: ChatSession, command: SlashCommand) -> None:
    """Show the help of one command."""
    session.screen.line(", ".join([command.usage, *(f"/{name}" for name in command.names[1:])]))
    session.screen.line(f"  {command.summary}")
    if command.detail:
        session.screen.say(indent(command.detail, "  "))
