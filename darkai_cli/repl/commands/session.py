"""Commands about the session: tokens, context, settings, help, leaving."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from darkai_cli.conversation import context_window
from darkai_cli.errors import UsageError
from darkai_cli.providers.base import format_dollars
from darkai_cli.repl.commands.command import Action, Quit, SlashCommand, command
from darkai_cli.repl.commands.messages import reject_argument
from darkai_cli.secrets import mask_proxy, mask_url
from darkai_cli.text import one_line

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession


@command("tokens", topic="session", summary="what the conversation has taken so far")
def tokens(session: ChatSession, argument: str) -> Action:
    """As the services told it, in all branches; what they did not tell is estimated and marked with
    `~`. The cost is given where a service lists its prices.
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
    session.screen.line(f"told by the services: {tokens_in} in, {tokens_out} out")
    if estimated:
        session.screen.line(f"replies without a count: ~{round(estimated)} out")
    if dollars is not None:
        session.screen.line(f"cost by the listed prices: {format_dollars(dollars)}")
    session.screen.line(f"the next request: ~{session.fit().size} with what was said so far")
    return None


@command(
    "context", topic="session", summary="what would be sent, and what would be left out",
    arguments="[ask|drop|send]",
)  # fmt: skip
def context(session: ChatSession, argument: str) -> Action:
    """Each message with its estimated tokens, and whether it fits the model's window. `ask`, `drop`
    or `send` choose for this session what happens to what does not fit: you are asked each time,
    the oldest exchanges stay out with a warning, or all is sent.

    Tokens are estimated: four characters of ASCII are one, two of other alphabets, one of Chinese,
    Japanese or Korean; an image counts as 1,000, each message 4 more. Once the service has counted
    a request, estimates for that model are scaled to what it told. The window is what `context` in
    `[providers.NAME]` says, else what the service lists (`darkai models`); where neither is known
    nothing is checked. A limit such as `max_tokens`, else 1,024 tokens, is kept free for the reply.
    """
    if argument:
        session.choose_overflow(argument)
        session.screen.dim(f"what does not fit: {session.overflow}")
        return None
    fit = session.fit()
    messages = session.messages()
    factor = session.context_window.factor(session.target)
    first_droppable = 1 if messages and messages[0].role == "system" else 0
    room = max(10, session.screen.width - 24)
    for index, message in enumerate(messages):
        is_dropped = first_droppable <= index < first_droppable + fit.dropped
        size = round(context_window.size(message) * factor)
        text = one_line(message.content[: room * 4])
        text = text if len(text) <= room else text[: room - 1] + "…"
        session.screen.line(f"{'-' if is_dropped else ' '} {message.role:<9} ~{size:<7} {text}")
    capacity = "is not known" if fit.room is None else f"has room for ~{fit.room}"
    session.screen.line(f"~{fit.size} tokens in all; the window of {session.name} {capacity}")
    if fit.dropped:
        session.screen.line(f"{fit.dropped} messages (`-`) would not fit; now: {session.overflow}")
    return None


@command("info", topic="session", summary="the session in a few lines")
def info(session: ChatSession, argument: str) -> Action:
    """Who answers, where it is saved, what is set."""
    reject_argument(argument, "/info")
    place, count = session.branches.active_number()
    fit = session.fit()
    settings = session.target.settings
    size = session.context_window.size(session.target, session.all_options())
    rows = {
        "model": session.name,
        "address": "built in" if settings.type == "demo" else mask_url(settings.url),
        "window": f"{size} tokens" if size else "not known",
        "in use": f"~{fit.size} tokens; what does not fit: {session.overflow}",
        "title": session.title or "-",
        "conversation": (session.conversation or "-") if session.saved else "not saved",
        "exchanges": f"{len(session.branches.prompts())}, branch {place} of {count}",
        "system": one_line(session.system or "-", 200),
        "options": ", ".join(f"{k}={v}" for k, v in session.all_options().items()) or "-",
        "attached": ", ".join(session.pending.names) or "-",
        "since": f"{(time.monotonic() - session.started) / 60:.0f} min",
    }
    for name, value in rows.items():
        session.screen.line(f"{name + ':':<14}{value}")
    return None


@command(
    "config", topic="session", summary="show a value of the configuration, or set it for good",
    arguments="[KEY [VALUE]]", completes="config",
)  # fmt: skip
def config(session: ChatSession, argument: str) -> Action:
    """As `darkai config get` and `darkai config set` do. What is set counts from the next session
    on; for this one there are `/model`, `/system` and `/set`.
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
        return None
    if schema.split(key) is None:
        guess = schema.nearest(key, schema.KEYS)
        raise UsageError(
            f"there is no key `{key[:60]}`",
            hint=f"did you mean `{guess}`?" if guess else f"keys are {', '.join(schema.KEYS)}",
        )
    if value.strip():
        write.set_value(key, value.strip())
        session.screen.dim("set, from the next session on")
        return None
    if key in schema.KEYS:
        session.screen.line(f"{key} = {_display(key, getattr(session.config, key))}")
    else:
        session.screen.line(f"`darkai config get {key}` shows it")
    return None


def _display(name: str, value: object) -> str:
    return mask_proxy(str(value)) if name == "proxy" and value else str(value)


@command("verbose", topic="session", summary="say more about each request, or less again")
def verbose(session: ChatSession, argument: str) -> Action:
    """Below each reply: how many messages went out and with which options, the tokens that were
    counted, the times, how full the window is.
    """
    reject_argument(argument, "/verbose")
    session.verbose = not session.verbose
    session.screen.dim(f"verbose is {'on' if session.verbose else 'off'}")
    return None


@command("clear", topic="session", summary="clear the screen")
def clear(session: ChatSession, argument: str) -> Action:
    """The conversation stays; `/new` begins another one."""
    reject_argument(argument, "/clear")
    if not session.screen.plain:
        session.screen.styled("\x1b[H\x1b[2J")
    return None


@command("quit", "exit", "q", topic="session", summary="leave; everything is saved")
def quit_(session: ChatSession, argument: str) -> Action:  # noqa: ARG001 -- a command's form
    """Ctrl-D on an empty line does the same."""
    return Quit()


@command(
    "help", "?", topic="session", summary="list the commands, or explain one",
    arguments="[COMMAND]", completes="command",
)  # fmt: skip
def show_help(session: ChatSession, argument: str) -> Action:
    """`/help retry` explains one command."""
    from darkai_cli.repl.commands import registry

    if argument:
        _explain(session, registry.find(argument.removeprefix("/")))
        return None
    usages = {each: f"{each.name} {each.arguments}".rstrip() for each in registry.commands()}
    width = max(map(len, usages.values())) + 2
    is_narrow = session.screen.width < width + 30
    for topic, title in registry.TOPICS.items():
        session.screen.line(f"{title}:")
        for each, usage in usages.items():
            if each.topic == topic:
                label = f"{usage}: " if is_narrow else f"{usage:<{width}}"
                session.screen.line(f"  {label}{each.summary}")
    session.screen.line("A name may be cut short. `//text` sends a text that begins with a slash,")
    session.screen.line("`!command` runs a shell command and offers its output. `/help COMMAND`")
    session.screen.line("says more about one. Ctrl-C stops a reply, Ctrl-D leaves.")
    return None


def _explain(session: ChatSession, command: SlashCommand) -> None:
    """Show the help of one command."""
    usage = f"{command.name} {command.arguments}".rstrip()
    session.screen.line(", ".join([usage, *(f"/{name}" for name in command.names[1:])]))
    session.screen.line(f"  {command.summary}")
    if command.detail:
        session.screen.say("\n".join(f"  {line.strip()}" for line in command.detail.splitlines()))
