"""Every error that darkai raises on purpose, with its exit code and a hint what to do next.

    DarkAIError                     1   base; raised itself only for a bug in darkai
    ├── UsageError                  2   wrong flags or arguments
    ├── ConfigError                 3   configuration, also a URL without a scheme
    ├── NotFoundError               5   no such provider, model, conversation; nothing to extract
    ├── InputError                 11   unusable file or stdin, unwritable output
    ├── ExtensionError             12   a tool, MCP server or plug-in failed
    ├── StoreError                 13   the history database
    └── ProviderError                   a service, or the connection to it, failed
        ├── AuthError               4   key missing, wrong or expired
        ├── UnknownModelError       5   the service does not have that model
        ├── RateLimitError          6   rate limit or quota
        ├── NetworkError            7   cannot connect, connection lost: DNS, refused, TLS, proxy
        ├── ReplyTimeoutError       8   timed out
        ├── ServiceError            9   5xx, an error in the stream
        │   └── BadReplyError       9   a reply that breaks the protocol
        │       └── TooLargeError   9   a reply, event or line over its bound
        ├── RefusedError           10   content filter, prompt too long
        └── IncompleteReplyError   14   any of these after text had arrived

    Terminated (BaseException)          SIGTERM 143, SIGHUP 129; Ctrl-C is KeyboardInterrupt, 130

A message says in one line, without a final period, what failed and on what; the hint names the one
thing to type or check next. Literals are in backticks, and neither ever holds a key. Only
``__main__`` turns an error into an exit code.
"""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorKind = Literal[
    "usage", "config", "auth", "not-found", "limit", "network", "timeout", "service", "refused",
    "input", "extension", "store", "incomplete", "internal",
]  # fmt: skip


class DarkAIError(Exception):
    """An error for the user.

    ``message``: what failed and on what. ``hint``: what to type or check next, or None.
    """

    kind: ClassVar[ErrorKind] = "internal"
    exit_code: ClassVar[int] = 1
    default_hint: ClassVar[str | None] = None
    """The hint of an error that is raised without one."""
    retryable: bool = False
    status: int | None = None
    reported: bool = False
    """Whether the events on stdout have already reported it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint

    def __str__(self) -> str:
        # It may have been changed since: secrets masked, attempts counted.
        return self.message


class UsageError(DarkAIError):
    """Wrong flags or arguments."""

    kind = "usage"
    exit_code = 2


class ConfigError(DarkAIError):
    """A configuration value that cannot be used; the message names the file and the key."""

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
    """A service, or the connection to it, failed.

    ``status``: the HTTP status, or None if there was none. ``retryable``: whether the request may
    succeed if it is sent again, which happens only before the first visible event.
    ``retry_after``: the seconds that the service asked to wait, or None.
    """

    kind: ClassVar[ErrorKind] = "service"
    exit_code = 9
    proxied: bool = False
    """Whether the request went through a proxy, which may be the one that failed."""

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
    """The key is missing, wrong or expired; or the proxy needs a password."""

    kind = "auth"
    exit_code = 4
    default_hint = "Check the key and its permissions"


class UnknownModelError(ProviderError):
    """The service does not have that model."""

    kind = "not-found"
    exit_code = 5
    default_hint = "`darkai models` lists the known models"


class RateLimitError(ProviderError):
    """A rate limit or a quota."""

    kind = "limit"
    exit_code = 6
    default_hint = "Try again later"


class NetworkError(ProviderError):
    """No connection, or it was lost: name resolution, refused, TLS, proxy, reset."""

    kind = "network"
    exit_code = 7
    default_hint = "Check your network connection and the URL (`darkai config show`)"


class ReplyTimeoutError(ProviderError):
    """Nothing came for longer than the timeout allows."""

    kind = "timeout"
    exit_code = 8
    default_hint = "Try again, or wait longer with `--timeout SECONDS`"


class ServiceError(ProviderError):
    """The service failed: 5xx, or an error in the stream."""

    default_hint = "Try again later, or use another provider: `--provider NAME`"


class BadReplyError(ServiceError):
    """A reply that breaks the protocol."""

    default_hint = "Check the URL, and that the service speaks this protocol (`darkai config show`)"


class TooLargeError(BadReplyError):
    """A reply, an event or a line is larger than allowed."""


class RefusedError(ProviderError):
    """A content filter, a refusal, or a prompt that is too long."""

    kind = "refused"
    exit_code = 10
    default_hint = "Shorten or rephrase the prompt"


class IncompleteReplyError(ProviderError):
    """The reply was cut off after visible text had arrived; ``__cause__`` is the error itself."""

    kind = "incomplete"
    exit_code = 14
    default_hint = "Ask again, or ask for the rest"


class Terminated(BaseException):
    """The process got SIGTERM or SIGHUP. ``exit_code`` is 128 + the signal's number."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum


def as_darkai_error(error: Exception) -> DarkAIError:
    """Return the error itself; an unforeseen one as a ``DarkAIError`` that calls it a bug."""
    if isinstance(error, DarkAIError):
        return error
    return DarkAIError(f"Internal error: {type(error).__name__}: {error}")
