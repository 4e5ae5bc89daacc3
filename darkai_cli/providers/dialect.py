"""What every dialect needs to write a request and to read a reply: the parts that are no format.

No I/O, no service's own fields. A dialect names its fields; here are the address below a base URL,
the body as JSON, the options by their common names, one JSON value out of foreign text, the count
of events that could not be read, what a decoder knows of its reply, and what is said where services
say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from darkai_cli.errors import (
    AuthError,
    BadReplyError,
    ServiceError,
    UnknownModelError,
    UsageError,
)
from darkai_cli.events import EndReason, Event, Notice, StreamEnd
from darkai_cli.messages import Call, Message
from darkai_cli.providers.base import Frame, ProviderSettings
from darkai_cli.text import one_line, plural

MAX_BAD = 50
"""More unreadable events in a row than this break the protocol."""

GO_ON = "Continue your last message exactly where it stopped. Repeat nothing, and add no remark."
"""What a model is told that does not go on with a reply by itself."""

REJECTED = (
    "is there an option (`-o`, `options` in the config) that this model does not take? `-m NAME` "
    "names another"
)
"""What to look at where a request is not taken."""

SMALLER = "send less: fewer or smaller files, or a new conversation"
"""What to do where a request is too large."""

BILLING = "check billing there, or ask another service: `--provider NAME`"
"""What to do where a quota is used up."""

_MAX_DIGITS = 400


def endpoint(settings: ProviderSettings, path: str) -> str:
    """The URL of ``path`` below the provider's base URL, which may name the path already.

    The base's own query, and the provider's, are kept: ``http://host/v1?api-version=1``.
    """
    base, mark, query = settings.url.partition("?")
    base = base.rstrip("/")
    url = base if base.endswith(path) else base + path
    queries = [one for one in (query if mark else "", settings.quirks.query) if one]
    return f"{url}?{'&'.join(queries)}" if queries else url


def bearer(settings: ProviderSettings) -> dict[str, str]:
    """The header that carries the provider's key: ``Authorization: Bearer``, or its own."""
    if settings.key is None:
        return {}
    value = settings.key.reveal(settings.url)
    name = settings.quirks.key_header
    return {name: value} if name else {"authorization": f"Bearer {value}"}


def headers(settings: ProviderSettings, *more: Mapping[str, str]) -> dict[str, str]:
    """Headers for a JSON request: ``more``, and over them the user's own."""
    found = {"content-type": "application/json"}
    for group in (*more, settings.headers):
        found.update({name.lower(): value for name, value in group.items()})
    return found


def body(fields: Mapping[str, Any]) -> bytes:
    """The fields as JSON. Raises ``UsageError`` that names the one which has no such form."""
    try:
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        for name, value in fields.items():
            try:
                json.dumps({name: value}, allow_nan=False)
            except (TypeError, ValueError, RecursionError):
                break
        raise UsageError(
            f"the option `{name}` is no JSON value",
            hint="options are numbers, texts, true, false, null, and lists and tables of these",
        ) from exc
    return text.encode("utf-8", "replace")


def options(
    given: Mapping[str, Any],
    *,
    renamed: Mapping[str, str],
    own: Iterable[str],
    reserved: Iterable[str],
    known: bool,
    service: str,
) -> dict[str, Any]:
    """The options under the service's names.

    ``renamed``: common names, such as ``max_tokens``, to the service's. ``own``: all names that the
    service knows. ``reserved``: fields that darkai fills in. ``known``: whether ``own`` is the
    whole set, so that any other name is an error. Raises ``UsageError``.
    """
    found: dict[str, Any] = {}
    names = set(own)
    for name, value in given.items():
        field = renamed.get(name, name)
        if field in reserved:
            raise UsageError(
                f"the option `{name}` is darkai's own",
                hint="the prompt is an argument, the model is `-m NAME`, the system prompt is "
                "`-s TEXT`",
            )
        if known and field not in names:
            raise _unknown_option(name, {*names, *renamed}, service)
        found[field] = value
    return found


def several(found: dict[str, Any], name: str) -> None:
    """Have the option ``name``, if it is there, be a list: services take one text of another's."""
    if isinstance(found.get(name), str):
        found[name] = [found[name]]


def system_of(messages: Iterable[Message]) -> str:
    """What the system says, for services that take it beside the conversation; "" for nothing."""
    told = "\n\n".join(message.content for message in messages if message.role == "system")
    return told if told.strip() else ""


def _unknown_option(name: str, known: set[str], service: str) -> UsageError:
    close = close_to(name, sorted(known))
    listed = ", ".join(sorted(known))
    return UsageError(
        f"`{service}` has no option `{name}`",
        hint=f"did you mean {either(close)}?" if close else f"its options are {listed}",
    )


def close_to(name: str, known: Iterable[str]) -> list[str]:
    """The names that ``name`` was probably meant to be, the nearest first; at most three."""
    import difflib

    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)


def either(names: Iterable[str]) -> str:
    """Names in a sentence: ``a``, ``b`` or ``c``, each in backticks."""
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} or {last}" if most else last


def parse(data: str) -> Any:
    """Return the JSON value in ``data``, or None if it is none.

    Python refuses to read an integer of more than 4300 digits; such a one is infinite here.
    """
    try:
        try:
            return json.loads(data)
        except json.JSONDecodeError:
            return None
        except ValueError:
            return json.loads(data, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _MAX_DIGITS else float("inf")


def words(value: object, limit: int = 200) -> str:
    """Foreign text in one line of at most ``limit`` characters; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    return one_line(value, limit)


def text_in(value: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that is a text and not empty; "" if none is."""
    for name in names:
        found = value.get(name)
        if isinstance(found, str) and found:
            return found
    return ""


def count(value: object) -> int | None:
    """A number of tokens; None for what is none (services send 1e400, texts, 5000 digits)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value < 2**63:  # also what is no number
        return None
    return int(value)


def dicts(value: object) -> Sequence[dict[str, Any]]:
    """The objects of a list; nothing for what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


class Unreadable:
    """Counts the events of one reply that could not be read."""

    def __init__(self, host: str, service: str) -> None:
        """``service``: whose protocol it should be, for the hint."""
        self.total = 0
        self._in_row = 0
        self._host = host
        self._service = service

    def add(self) -> None:
        """One more. Raises ``BadReplyError`` if they are too many in a row."""
        self.total += 1
        self._in_row += 1
        if self._in_row > MAX_BAD:
            raise BadReplyError(
                f"{self._host} sent {self._in_row} unreadable events in a row", hint=self._hint
            )

    def readable(self) -> None:
        """One that could be read."""
        self._in_row = 0

    def notices(self) -> tuple[Notice, ...]:
        """What the user is told at the end."""
        if not self.total:
            return ()
        return (Notice("warning", f"{plural(self.total, 'unreadable event')} skipped"),)

    def nothing(self) -> BadReplyError:
        """The error of a reply in which nothing else came."""
        return BadReplyError(
            f"{self._host} sent nothing readable ({self.total} unreadable events)", hint=self._hint
        )

    @property
    def _hint(self) -> str:
        return f"is the URL that of {self._service}?"


def rejected_key(settings: ProviderSettings, told: str, status: int | None = None) -> AuthError:
    """The error of a key that is missing, wrong or expired. ``told``: the service's own words."""
    host = settings.host
    more = f": {told}" if told else ""
    variable = f", or set {settings.key_env[0]}" if settings.key_env else ""
    hint = f"`darkai keys set {settings.name}`{variable}"
    if settings.key is not None:
        rejected = f"{host} rejected the API key (from {settings.key.source}){more}"
        return AuthError(rejected, hint=hint, status=status)
    if any("key" in name.lower() or name.lower() == "authorization" for name in settings.headers):
        rejected = f"{host} rejected the API key (from the provider's `headers`){more}"
        return AuthError(rejected, hint="`darkai config edit`", status=status)
    return AuthError(f"{host} wants an API key{more}", hint=hint, status=status)


def no_model(
    name: str, settings: ProviderSettings, told: str, status: int | None = None
) -> UnknownModelError:
    """The error of a model that the service does not have. ``name``: "" where it says only more."""
    host = settings.host
    hint = f"`darkai models list -p {settings.name}` lists what it offers; `-m NAME` names one"
    if not name:
        return UnknownModelError(f"{host}: {told}", hint=hint, status=status)
    known = {*settings.models, settings.default_model} - {"", name}
    close = close_to(name, sorted(known))
    if close:
        hint = f"did you mean {either(close)}? (`darkai models list -p {settings.name}`)"
    return UnknownModelError(f"model `{name}` not found at {host}", hint=hint, status=status)


class ReplyDecoder:
    """What the decoder of any format knows of its reply: the part that is no format.

    ``_text``: some of the answer came. ``_visible``: anything came that is shown.
    """

    def __init__(self, settings: ProviderSettings, service: str) -> None:
        """``service``: whose protocol it should be, for the hint where it is not."""
        self.ended = False
        self.drain_seconds: float | None = None
        self._settings = settings
        self._host = settings.host
        self._bad = Unreadable(settings.host, service)
        self._text = self._visible = False

    def _object(self, frame: Frame) -> dict[str, Any] | None:
        """The frame's JSON object; None for one that says nothing, or cannot be read."""
        found = parse(frame.data)
        if isinstance(found, dict):
            self._bad.readable()
            return found
        if frame.data and not frame.data.isspace() and not frame.data.startswith("[DONE]"):
            self._bad.add()
        return None

    def _unfinished(self, *, begun: bool) -> ServiceError:
        """The error of a reply whose end mark never came. ``begun``: some of it could be read."""
        if self._bad.total and not begun:
            return self._bad.nothing()
        if self._visible:
            return ServiceError("answer ended without an end mark; it may be cut off")
        return ServiceError(f"{self._host} sent an empty answer", hint="try again", retryable=True)

    def _end(self, reason: EndReason, empty: str = "the model sent no text") -> Iterator[Event]:
        """The last events of a reply that came to its end. ``empty``: why it has no text."""
        if reason == "stop" and not self._text:
            yield Notice("warning", empty)
        yield StreamEnd(reason)


def arguments(call: Call) -> dict[str, Any]:
    """A call's arguments as the object that they must be; an empty one for anything else."""
    found = parse(call.arguments)
    return found if isinstance(found, dict) else {}
