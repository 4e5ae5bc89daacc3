"""Commands about the model, the system prompt and the options."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from darkai_cli.config import schema, values
from darkai_cli.errors import DarkAIError, NotFoundError, UsageError
from darkai_cli.repl.commands.command import Action, command

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_MAX_NAMES = 12
_PAIR = re.compile(r"\s+(?=[\w.-]+=)")


@command(
    "model", topic="model", summary="show or choose who answers", arguments="[NAME]",
    completes="model",
)  # fmt: skip
def model(session: ChatSession, argument: str) -> Action:
    """A model of the present provider, an alias, or `provider/name`. The conversation goes on with
    it. Without a name the present one is shown, and which others its provider has.
    """
    if not argument:
        session.screen.line(session.name)
        _show_other_models(session)
        return None
    if len(argument.split()) > 1:
        raise UsageError("`/model` takes one name", hint="`/model openai/gpt-4o-mini`")
    session.use_model(argument)
    session.screen.dim(f"{session.name} answers from now on")
    session.prepare()
    try:
        session.check_request()
    except DarkAIError as error:
        session.screen.line(f"warning: {error.message}; `/unset` takes an option back")
    return None


def _show_other_models(session: ChatSession) -> None:
    """Show the provider's other models that are cached, and the aliases."""
    from darkai_cli.providers import resolve

    settings, current = session.target
    known = [name for name in resolve.known_models(settings) if name != current]
    more = f", and {len(known) - _MAX_NAMES} more" if len(known) > _MAX_NAMES else ""
    if known:
        listed = ", ".join(known[:_MAX_NAMES])
        session.screen.dim(f"{settings.name} also has {listed}{more}")
    if session.config.aliases:
        session.screen.dim(f"aliases: {', '.join(session.config.aliases)}")


@command("system", topic="model", summary="show or set the system prompt", arguments="[TEXT|-]")
def system(session: ChatSession, argument: str) -> Action:
    """`/system -` goes on without one. It counts from the next prompt on."""
    if not argument:
        session.screen.say(session.system or "there is no system prompt")
        return None
    session.system = None if argument == "-" else argument
    session.screen.dim(
        "no system prompt from now on"
        if argument == "-"
        else "the system prompt is set, from the next prompt on"
    )
    return None


@command(
    "set", topic="model", summary="show or set options of the requests", arguments="[K=V]...",
    completes="option",
)  # fmt: skip
def set_options(session: ChatSession, argument: str) -> Action:
    """Such as `/set temperature=0.2`; for one option a space will do. A value that is JSON is taken
    as such. Where the service's options are known, others are refused. Without arguments all that
    is set is shown, what the configuration says too.
    """
    if not argument:
        _show_options(session)
        return None
    options = _parse_options(argument)
    session.check_request({**session.options, **options})
    session.options.update(options)
    listed = ", ".join(f"{name}={_json(value)}" for name, value in options.items())
    session.screen.dim(f"set {listed}")
    return None


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
            raise UsageError(f"`{pair[:60]}` is not K=V", hint="`/set temperature=0.2`")
        try:
            options[name] = values.parse(schema.OPTION, text)
        except values.Invalid as exc:
            raise UsageError(f"`{name}`: the value {exc.rule}", hint=exc.hint) from None
    return options


def _show_options(session: ChatSession) -> None:
    options = session.all_options()
    for name, value in options.items():
        origin = "" if name in session.options else "  (the configuration)"
        session.screen.line(f"{name}={_json(value)}{origin}")
    if not options:
        session.screen.dim("no options are set")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@command(
    "unset", topic="model", summary="take options back", arguments="K...", completes="set-option"
)
def unset(session: ChatSession, argument: str) -> Action:
    """Those of the configuration stay in force."""
    if not argument:
        raise UsageError("`/unset` needs the name of an option", hint="`/set` shows them")
    for name in argument.split():
        if name not in session.options:
            set_here = ", ".join(session.options) or "nothing"
            raise NotFoundError(
                f"the option `{name[:60]}` is not set in this session", hint=f"set are: {set_here}"
            )
    for name in argument.split():
        session.options.pop(name, None)
    session.screen.dim(f"unset {', '.join(argument.split())}")
    return None
