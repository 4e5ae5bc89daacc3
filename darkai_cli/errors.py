"""Every error darkai raises on purpose: one tree, each with its exit code and what to type next.

    DarkAIError                     1   base; raised itself only for a bug in darkai
    ├── UsageError                  2   wrong flags or arguments
    ├── ConfigError                 3   configuration, also a URL without a scheme
    ├── NotFoundError               5   no such provider, model, conversation; nothing to extract
    ├── InputError                 11   a file or stdin that cannot be used, an unwritable output
    ├── ExtensionError             12   a tool, MCP server or plug-in failed
    ├── StoreError                 13   the history database
    └── ProviderError                   what a service, or the way to it, did
        ├── AuthError               4   key missing, wrong or expired
        ├── UnknownModelError       5   the service does not have that model
        ├── RateLimitError          6   rate limit or quota
        ├── NetworkError            7   cannot connect, connection lost: DNS, refused, TLS, proxy
        ├── ReplyTimeoutError       8   timed out
        ├── ServiceError            9   5xx, an error in the stream
        │   └── BadReplyError       9   a reply that breaks the protocol
        │       └── TooLargeError   9   a reply, event or line over its bound
        ├── RefusedError           10   content filter, prompt too long
        └── IncompleteReplyError   14   any of the above after text had arrived

    Terminated (BaseException)          SIGTERM 143, SIGHUP 129; Ctrl-C stays KeyboardInterrupt, 130

A message says what happened and where, in one line without a final full stop, literals in
backticks; the hint says what to type next. Neither ever holds a key. Nothing here does I/O, and
only ``__main__`` turns an error into an exit code.
"""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorKind = Literal[
    "usage", "config", "auth", "not-found", "limit", "network", "timeout", "service", "refused",
    "input", "extension", "store", "incomplete", "internal",
]  # fmt: skip


class DarkAIError(Exception):
    """An error with an explanation.

    ``message``: what happened and where. ``hint``: what to type next, or None.
    """

    kind: ClassVar[ErrorKind] = "internal"
    exit_code: ClassVar[int] = 1
    usual_hint: ClassVar[str | None] = None
    """What to type next where nothing better is known."""
    retryable: bool = False
    status: int | None = None
    reported: bool = False
    """Whether the events on stdout say it already, as an error or in the reason of their end."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.usual_hint

    def __str__(self) -> str:
        return self.message  # which may have been put right since: secrets hidden, tries counted


class UsageError(DarkAIError):
    """Wrong flags or arguments."""

    kind = "usage"
    exit_code = 2


class ConfigError(DarkAIError):
    """A configuration value that cannot be used; the message names the file and line."""

    kind = "config"
    exit_code = 3


class NotFoundError(DarkAIError):
    """No such provider, model, template or conversation; or nothing to extract."""

    kind = "not-found"
    exit_code = 5


class InputError(DarkAIError):
    """A file, stdin or variable that cannot be used; an output that cannot be written."""

    kind = "input"
    exit_code = 11


class ExtensionError(DarkAIError):
    """A tool, MCP server or plug-in failed."""

    kind = "extension"
    exit_code = 12


class StoreError(DarkAIError):
    """The history database cannot be used."""

    kind = "store"
    exit_code = 13


class ProviderError(DarkAIError):
    """What a service, or the way to it, did.

    ``status``: the HTTP status, or None if there was none. ``retryable``: whether the same request
    may succeed if sent again (only ever tried before the first visible event). ``retry_after``:
    seconds the service asked to wait, or None.
    """

    kind: ClassVar[ErrorKind] = "service"
    exit_code = 9
    proxied: bool = False
    """Whether a proxy stood between: the fault may be its, not the service's."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after


class AuthError(ProviderError):
    """Key missing, wrong or expired; or the proxy wants a password."""

    kind = "auth"
    exit_code = 4
    usual_hint = "check the key, and what it may do"


class UnknownModelError(ProviderError):
    """The service does not have that model."""

    kind = "not-found"
    exit_code = 5
    usual_hint = "`darkai models` lists what is known here"


class RateLimitError(ProviderError):
    """A rate limit or a quota."""

    kind = "limit"
    exit_code = 6
    usual_hint = "try again later"


class NetworkError(ProviderError):
    """No connection, or a connection lost: name resolution, refused, TLS, proxy, reset."""

    kind = "network"
    exit_code = 7
    usual_hint = "check the network and the URL (`darkai config show`), then try again"


class ReplyTimeoutError(ProviderError):
    """Nothing came for longer than the timer in force allows."""

    kind = "timeout"
    exit_code = 8
    usual_hint = "try again; `--timeout SECONDS` waits longer"


class ServiceError(ProviderError):
    """The service failed: 5xx, or an error in the stream."""

    usual_hint = "try again later, or ask another service: `--provider NAME`"


class BadReplyError(ServiceError):
    """A reply that breaks the protocol."""

    usual_hint = (
        "is the URL right, and does that service speak this protocol? (`darkai config show`)"
    )


class TooLargeError(BadReplyError):
    """A reply, an event or a line over its bound."""


class RefusedError(ProviderError):
    """A content filter, a refusal, or a prompt that is too long."""

    kind = "refused"
    exit_code = 10
    usual_hint = "ask for less, or differently"


class IncompleteReplyError(ProviderError):
    """The reply was cut after visible text had arrived; ``__cause__`` is the fault itself."""

    kind = "incomplete"
    exit_code = 14
    usual_hint = "ask again, or ask for the rest"


class Terminated(BaseException):
    """SIGTERM or SIGHUP came. ``exit_code`` is 128 + the signal's number."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum


def as_darkai_error(error: Exception) -> DarkAIError:
    """Return the error itself, or, for one that nobody foresaw, one that calls it a bug."""
    if isinstance(error, DarkAIError):
        return error
    return DarkAIError(f"Internal error: {type(error).__name__}: {error}")
