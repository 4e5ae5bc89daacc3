"""Explain the errors of OpenAI's API, and of the many services that copy it.

The services agree on an object ``error`` with a ``message``, and on nothing else: the object may be
a text or a list, may stand at the top, may be called ``detail``; its ``code`` may be a status.
``fault_in`` reads all of these into one ``Fault``; ``explain`` turns a fault into the error to
raise, where it says more than the HTTP status alone.

Sources: OpenAI's openapi.yaml; the servers' sources of vLLM and llama.cpp; the public documentation
of OpenRouter, Groq, Mistral, xAI, DeepSeek, Together, Perplexity, Azure.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from darkai_cli.errors import (
    AuthError,
    ProviderError,
    RateLimitError,
    RefusedError,
    ServiceError,
    UnknownModelError,
)
from darkai_cli.providers.base import ProviderSettings
from darkai_cli.providers.dialect import (
    BILLING,
    REJECTED,
    count,
    dicts,
    no_model,
    parse,
    rejected_key,
    text_in,
    words,
)

_VAGUE = frozenset({"provider returned error", "error", "upstream error", "internal error"})

_TOO_LONG_CODES = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"}
)
_TOO_LONG = re.compile(
    r"(maximum|available|model'?s?) (context|prompt) (length|window|size)"
    r"|context (length|window|size) (of only|is|exceeded)|exceeds? the .{0,20}context"
    r"|prompt is too long|too large for model|reduce the length of the (messages|prompt|input)"
    r"|greater than the context length",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:context|prompt) (?:length|window|size)(?: (?:is|of|of only|\(|limit))* *\(?([\d,]{2,12})"
    r"|limit is ([\d,]{2,12})|with ([\d,]{2,12}) maximum|> ?([\d,]{2,12})",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"(?:resulted in|requested|contains|has|given:|current length is|too long:|the first)"
    r"(?: about)? ([\d,]{2,12})",
    re.IGNORECASE,
)
_QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance",
     "insufficient_credits", "billing_not_active", "402"}
)  # fmt: skip
_LIMITED = frozenset({"rate_limit_exceeded", "rate_limit_error", "too_many_requests", "429"})
_KEY = frozenset(
    {"invalid_api_key", "authentication_error", "invalid_authentication", "401",
     "no_db_connection"}  # LiteLLM without a database, where only the master key is known
)  # fmt: skip
_BAD_KEY = re.compile(r"api key (is )?(not valid|invalid|expired)|invalid api key", re.IGNORECASE)
_NO_MODEL = frozenset({"model_not_found", "model_not_available", "unknown_model"})
_FILTERED = frozenset(
    {"content_filter", "content_policy_violation", "responsibleaipolicyviolation",
     "moderation_blocked", "data_inspection_failed"}
)  # fmt: skip
_MODEL_NAME = re.compile(
    r"\bmodel=([^\s,;`'\"}]{1,100})"  # LiteLLM's
    r"|\bmodels?\b[^`'\"]{0,30}[`'\"]([^`'\"\s/][^`'\"\s]{0,99})[`'\"]",
    re.IGNORECASE,
)
_MODEL_GONE = re.compile(
    r"\bmodel\b.*(not (found|exist|a valid)|no longer|unknown|invalid)"
    r"|(no such|not a valid|unknown|invalid) model",
    re.IGNORECASE | re.DOTALL,
)


class Fault(NamedTuple):
    """An error as the service reported it.

    ``code``, ``type``: its names in lower case, or "". ``status``: an HTTP status in the body.
    ``param``: the field of the request at fault. ``size``, ``limit``: tokens of a conversation that
    is too long, and of the model. ``moderated``: a content filter gave reasons.
    """

    message: str
    code: str = ""
    type: str = ""
    status: int | None = None
    param: str = ""
    size: int | None = None
    limit: int | None = None
    moderated: bool = False

    @property
    def names(self) -> set[str]:
        """Return the names of the error."""
        return {self.code, self.type} - {""}


def fault_in(payload: Any, *, bare: bool = False) -> Fault | None:
    """Return the error in a JSON value; None if it has none.

    ``bare``: the value came in place of an answer, so that ``message`` or ``detail`` alone are an
    error. In a stream they are not.
    """
    if isinstance(payload, list):  # Google's compatible service wraps it
        faults = (fault_in(item) for item in payload[:1])
        return next((item for item in faults if item is not None), None)
    if not isinstance(payload, dict):
        return None
    error = payload.get("error")
    if error:
        if isinstance(error, list):
            error = error[0]
        if isinstance(error, dict):
            return _fault(error)
        message = text_in(payload, "message") if error is True else words(error)
        return _fault({**payload, "message": message})
    flat = payload.get("object") == "error" or payload.get("type") == "error"
    if not flat and "choices" not in payload:
        flat = bare or ("code" in payload and bool(text_in(payload, "message")))
        flat = flat and bool(payload.get("message") or payload.get("detail"))
    return _fault(payload) if flat else None


def refusal(status: int, payload: Any, settings: ProviderSettings) -> ProviderError | None:
    """Return the error of a body if it says more than its status; else None."""
    fault = fault_in(payload, bare=True)
    if fault is None:
        return rejected_key(settings, "", status) if status == 401 else None
    return explain(fault, status, settings)


def in_stream(fault: Fault | None, settings: ProviderSettings) -> ProviderError:
    """Return the error that ended a stream, or came in its place with status 200."""
    fault = fault or Fault("")
    return explain(fault, 200, settings) or ServiceError(f"{settings.host}: {fault.message}")


def _fault(error: dict[str, Any]) -> Fault:
    message = error.get("message") or error.get("detail") or error.get("msg")
    if isinstance(message, dict):  # Mistral: {"message": {"detail": [...]}}
        message = message.get("detail") or message.get("message")
    param = text_in(error, "param")
    if isinstance(message, list):
        field, message = _invalid(message)
        param = param or field
    code = error.get("code")
    status = code if isinstance(code, int) and not isinstance(code, bool) else error.get("status")
    metadata = error.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return Fault(
        words(_full_message(message, metadata)),
        str(code).lower()[:60] if isinstance(code, (str, int)) else "",
        text_in(error, "type").lower()[:60],
        status if isinstance(status, int) and 400 <= status < 600 else None,
        words(param, 60),
        count(error.get("n_prompt_tokens")),
        count(error.get("n_ctx")),
        bool(metadata.get("reasons")),
    )


def _full_message(message: object, metadata: dict[str, Any]) -> object:
    """Return the message; behind a vague one of OpenRouter's, that of the provider itself."""
    raw = metadata.get("raw")
    if not isinstance(message, str) or message.lower().rstrip(".") not in _VAGUE or not raw:
        return message
    inner = raw if isinstance(raw, dict) else parse(raw) if isinstance(raw, str) else None
    fault = fault_in(inner, bare=True)
    more = fault.message if fault else raw
    name = text_in(metadata, "provider_name")
    return f"{message} ({name}): {more}" if name else f"{message}: {more}"


def _invalid(detail: list[Any]) -> tuple[str, str]:
    """Return field and message of FastAPI's list of errors."""
    first = next(iter(dicts(detail)), {})
    loc = first.get("loc")
    where = [str(part) for part in loc if part != "body"] if isinstance(loc, list) else []
    return ".".join(where)[:60], words(first.get("msg") or first.get("message")) or "not valid"


def explain(fault: Fault, status: int, settings: ProviderSettings) -> ProviderError | None:
    """Return the error to raise for a fault; None if the HTTP status says as much.

    ``status``: 200 for a fault that came in the stream or in its place.
    """
    host = settings.host
    inside = status == 200
    code = fault.status or 500 if inside else status
    http_status = None if inside else status
    more = f": {fault.message}" if fault.message else ""
    names = fault.names
    if names & _TOO_LONG_CODES or (code in (400, 413, 422, 500) and _TOO_LONG.search(more)):
        return _too_long(fault, http_status, host)
    if names & _FILTERED or fault.moderated:
        return RefusedError(
            f"{host} refused the request (content filter){more}", status=http_status
        )
    if code == 401 or names & _KEY or (code == 400 and _BAD_KEY.search(more)):
        return rejected_key(settings, fault.message, http_status)
    if "must be verified" in more:  # OpenAI's organizations, for streams of some of its models
        return AuthError(
            f"Access denied by {host}{more}",
            hint="Verify your organization there, or choose another model: `-m NAME`",
            status=http_status,
        )
    if names & _QUOTA or code == 402:
        return RateLimitError(f"Quota used up at {host}{more}", hint=BILLING, status=http_status)
    if (
        names & _NO_MODEL
        or (code in (400, 404) and _MODEL_GONE.search(more))
        or (code == 404 and fault.param == "model")
    ):
        return _no_model(fault, http_status, settings)
    if not inside:
        return _rejected(fault, status, settings)
    if code == 429 or names & _LIMITED:
        return RateLimitError(f"Rate limited by {host}{more}", retryable=True)
    if code == 403:
        return AuthError(f"Access denied by {host}{more}")
    again = code >= 500 and "invalid_request_error" not in names
    more = more or " reported an error without details"
    return ServiceError(f"{host}{more}", retryable=again)


def _too_long(fault: Fault, status: int | None, host: str) -> RefusedError:
    size = fault.size or _number(_SIZE, fault.message)
    limit = fault.limit or _number(_LIMIT, fault.message)
    if size and limit:
        text = f"The conversation is too long for {host}: {size} tokens, the limit is {limit}"
    elif limit:
        text = f"The conversation is too long for {host}: the limit is {limit} tokens"
    else:
        text = f"The conversation is too long for {host}: {fault.message}"
    return RefusedError(
        text,
        hint="Start a new conversation, send less, or choose a larger model: `-m NAME`",
        status=status,
    )


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    digits = next((group for group in match.groups() if group), "") if match else ""
    digits = digits.replace(",", "")
    return int(digits) if digits else None


def _no_model(fault: Fault, status: int | None, settings: ProviderSettings) -> ProviderError:
    if "v1/responses" in fault.message and settings.type != "openai-responses":
        key = f"providers.{settings.name}.type"
        return UnknownModelError(
            f"{settings.host}: {fault.message}",
            hint=f"`darkai config set {key} openai-responses`, or choose another model: `-m NAME`",
            status=status,
        )
    match = _MODEL_NAME.search(fault.message)
    name = (match[2] or match[1].rstrip(".")) if match else ""
    return no_model(name, settings, fault.message, status)


def _rejected(fault: Fault, status: int, settings: ProviderSettings) -> ServiceError | None:
    """Return the error for a request, or a field of it, that the service rejected."""
    if status not in (400, 422):
        return None
    if not fault.param:
        more = f": {fault.message}" if fault.message else ""
        rejected = f"{settings.host} rejected the request ({status}){more}"
        return ServiceError(rejected, hint=REJECTED, status=status)
    hint = "This model may not accept this option (`-o`, or `options` in the configuration)"
    if fault.param.startswith(("messages", "input", "prompt")):
        hint = "This model may not accept an attachment; `-m NAME` chooses another model"
    return ServiceError(
        f"{settings.host} rejected the field `{fault.param}`: {fault.message}",
        hint=hint,
        status=status,
    )
