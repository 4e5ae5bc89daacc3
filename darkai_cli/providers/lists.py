"""What a service tells of its models: its list, page by page, and more of one of them.

Not the kept lists (``listing``), not all services at once (``survey``), not the connection: ``ask``
sends a request and gives its answer's JSON value. A whole answer has the time of a first one; what
is no list, too large or cut is told as that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from darkai_cli.errors import BadReplyError, TooLargeError
from darkai_cli.providers import http_errors
from darkai_cli.providers.base import Dialect, HttpRequest, ModelInfo, ProviderSettings, Telling
from darkai_cli.providers.dialect import parse
from darkai_cli.text import file_size

if TYPE_CHECKING:
    from darkai_cli.http.client import Exchange

Ask: TypeAlias = Callable[[HttpRequest], Any]

LARGEST = 16 * 1024 * 1024
"""Bytes of one answer."""

MAX_PAGES = 50


def models(dialect: Dialect, settings: ProviderSettings, ask: Ask) -> Iterator[ModelInfo]:
    """The models that the service lists; nothing where it has no list."""
    page = ""
    for _ in range(MAX_PAGES):
        request = dialect.models_request(settings, page)
        if request is None:
            return
        answer = ask(request)
        try:
            found, page = dialect.models(answer)
        except BadReplyError as error:
            raise _no_list(settings) from error
        yield from found
        if not page:
            return


def about(dialect: Dialect, settings: ProviderSettings, ask: Ask, model: ModelInfo) -> ModelInfo:
    """What the service tells of one model beyond its list; ``model`` where that is nothing."""
    if not isinstance(dialect, Telling):
        return model
    return dialect.about(ask(dialect.about_request(model.name, settings)), model)


def payload(exchange: Exchange, settings: ProviderSettings) -> Any:
    """The JSON value of a good answer. Raises ``ProviderError`` and its kin for what is none."""
    parts, size = [], 0
    for data in exchange.chunks():
        parts.append(data)
        size += len(data)
        if size > LARGEST:
            raise TooLargeError(
                f"the answer of {settings.host} exceeded {file_size(LARGEST)}; stopped"
            )
    body = b"".join(parts)
    text = body.decode("utf-8-sig", "replace")
    page = http_errors.page_error(settings.host, 200, exchange.headers, text)
    if page is not None:
        raise page
    found = parse(text)
    if found is None:
        raise _no_list(settings)
    return found


def _no_list(settings: ProviderSettings) -> BadReplyError:
    return BadReplyError(f"{settings.host} sent no list of models")
