"""Commands about the model, the system prompt and the options."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from darkai_cli.config import schema, values
from darkai_cli.errors import DarkAIError, NotFoundError, UsageError
from darkai_cli.repl.commands.command import command

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_MAX_NAMES = 12
_PAIR = re.compile(r"\s+(?=[\w.-]+=)")


@command("model", summary="Show or switch the model", arguments="[NAME]", completes="model")
def model(session: ChatSession, argument: str) -> None:
    """NAME is a model of the current provider, an alias, or `provider/name`. The conversation
    continues with it. Without a name, `/model` shows the current model and the provider's others.
    """
    if not argument:
        session.screen.line(session.name)
        _show_other_models(session)
        return
    if len(argument.split()) > 1:
        raise UsageError("`/model` takes one model", hint="`/model openai/gpt-4o-mini`")
    session.use_model(argument)
    session.screen.dim(f"Switched to {session.name}.")
    session.prepare()
    try:
        session.check_request()
    except DarkAIError as error:
        session.screen.line(f"warning: {error.message}; `/unset` removes an option")


def _show_other_models(session: ChatSession) -> None:
    """Show the provider's other models that are cached, and the aliases."""
    from darkai_cli.providers import resolve

    settings, current = session.target
    known = [name for name in resolve.known_models(settings) if name != current]
    more = f", and {len(known) - _MAX_NAMES} more" if len(known) > _MAX_NAMES else ""
    if known:
        listed = ", ".join(known[:_MAX_NAMES])
        session.screen.dim(f"Other models of {settings.name}: {listed}{more}")
    if session.config.aliases:
        session.screen.dim(f"Aliases: {', '.join(session.config.aliases)}")


@command("system", summary="Show or set the system prompt", arguments="[TEXT|-]")
def system(session: ChatSession, argument: str) -> None:
    """`/system -` removes it. A change takes effect with your next prompt."""
    if not argument:
        session.screen.say(session.system or "No system prompt.")
        return
    session.system = None if argument == "-" else argument
    session.screen.dim(
        "Removed the system prompt." if argument == "-" else "Set the system prompt."
    )


@command(
    "set", summary="Show or set options of requests", arguments="[KEY=VALUE]...", completes="option"
)
def set_options(session: ChatSession, argument: str) -> None:
    """Example: `/set temperature=0.2 max_tokens=500`. Values are parsed as JSON where possible. If
    darkai knows the options of a service, it rejects others. Without arguments, `/set` lists all
    options in use, those of the configuration included.
    """
    if not argument:
        _show_options(session)
        return
    options = _parse_options(argument)
    session.check_request({**session.options, **options})
    session.options.update(options)
    listed = ", ".join(f"{name}={_json(value)}" for name, value in options.items())
    session.screen.dim(f"Set {listed}.")


def _parse_options(argument: str) -> dict[str, Any]:
    """Return the options in K=V pairs; a value ends before the next ``K=``.

    Raises ``UsageError`` for what is not a pair or not a valid value.
    """
    options = {}
    for pair in _PAIR.split(argument):
        name, sign, text = pair.partition("=")
        # Other chat clients take `/set seed 7`.
        if not sign and len(pair.split()) == 2:
            name, sign, text = [pair.split()[0], "=", pair.split()[1]]
        if not sign or not name or name != "".join(name.split()):
            raise UsageError(
                f"Expected KEY=VALUE, not `{pair[:60]}`", hint="`/set temperature=0.2`"
            )
        try:
            options[name] = values.parse(schema.OPTION, text)
        except values.Invalid as exc:
            raise UsageError(f"`{name}`: the value {exc.rule}", hint=exc.hint) from None
    return options


def _show_options(session: ChatSession) -> None:
    options = session.all_options()
    for name, value in options.items():
        origin = "" if name in session.options else "  (from the configuration)"
        session.screen.line(f"{name}={_json(value)}{origin}")
    if not options:
        session.screen.dim("No options are set.")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@command("unset", summary="Remove options", arguments="KEY...", completes="set-option")
def unset(session: ChatSession, argument: str) -> None:
    """Options in the configuration stay in effect."""
    if not argument:
        raise UsageError("`/unset` needs the name of an option", hint="`/set` lists them")
    for name in argument.split():
        if name not in session.options:
            raise NotFoundError(
                f"Option `{name[:60]}` is not set in this chat",
                hint=f"Set are {', '.join(session.options)}" if session.options else None,
            )
    for name in argument.split():
        session.options.pop(name, None)
    session.screen.dim(f"Removed {', '.join(argument.split())}.")
