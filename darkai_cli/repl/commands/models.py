"""Commands about who answers and how: model, system prompt, options."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from darkai_cli.config import schema, values
from darkai_cli.errors import DarkAIError, NotFoundError, UsageError
from darkai_cli.repl.commands.command import Action, command

if TYPE_CHECKING:
    from darkai_cli.repl.session import ChatSession

_LISTED = 12
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
        _others(session)
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


def _others(session: ChatSession) -> None:
    """What else could be chosen, as far as it is known without asking anybody."""
    from darkai_cli.providers import resolve

    here = session.target
    known = [name for name in resolve.known_models(here.settings) if name != here.model]
    more = f", and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    if known:
        listed = ", ".join(known[:_LISTED])
        session.screen.dim(f"{here.settings.name} also has {listed}{more}")
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
    wanted = _pairs(argument)
    session.check_request({**session.options, **wanted})
    session.options.update(wanted)
    session.screen.dim(f"set {', '.join(f'{name}={_json(wanted[name])}' for name in wanted)}")
    return None


def _pairs(argument: str) -> dict[str, Any]:
    """What K=V pairs say. A value ends before the next name with ``=``. Raises ``UsageError``."""
    wanted = {}
    for pair in _PAIR.split(argument):
        name, sign, text = pair.partition("=")
        if not sign and len(pair.split()) == 2:  # as other chats take it: `/set seed 7`
            name, sign, text = [pair.split()[0], "=", pair.split()[1]]
        if not sign or not name or name != "".join(name.split()):
            raise UsageError(f"`{pair[:60]}` is not K=V", hint="`/set temperature=0.2`")
        try:
            wanted[name] = values.parse(schema.OPTION, text)
        except values.Invalid as exc:
            raise UsageError(f"`{name}`: the value {exc.rule}", hint=exc.hint) from None
    return wanted


def _show_options(session: ChatSession) -> None:
    found = session.all_options()
    for name, value in found.items():
        where = "" if name in session.options else "  (the configuration)"
        session.screen.line(f"{name}={_json(value)}{where}")
    if not found:
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
