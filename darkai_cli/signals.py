"""Turn Ctrl-C, SIGTERM and SIGHUP into exceptions, and lose none of them.

The handler raises, so that everything is cleaned up on the way out. But the interpreter can swallow
or wrap what is raised while a module is imported or a weak reference dies. So the signal is also
remembered, and code that is about to wait calls ``raise_pending`` first.
"""

from __future__ import annotations

import _thread
import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from darkai_cli.errors import Terminated

if TYPE_CHECKING:
    from types import FrameType

pending = 0
"""The signal that has come and was not dealt with yet; 0 if there is none."""
_ignores_repeats = False
_deferring = _deferred_signals = 0
_dies_at_exit = False

_IMPORTING = "<frozen importlib._bootstrap>"
"""Where the interpreter takes and releases the locks of modules. An exception there may leave one
locked, and the next import in any thread would wait for ever; so the signal is sent again a moment
later."""

MOST_DEFERRED = 3
"""The last of so many signals in a row is not deferred."""


def install() -> None:
    """Handle the signals from now on, except those that the parent process ignores."""
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        usual = (signal.SIG_DFL, signal.default_int_handler)
        if number is not None and signal.getsignal(number) in usual:
            signal.signal(number, _stop)
    atexit.register(_die)  # registered first, so it runs after everything else has cleaned up


def die_at_exit() -> None:
    """Let the process die of SIGINT when it has cleaned up.

    A shell ends its loop or script only if the command it waits for died of Ctrl-C; the exit code
    130 alone looks like a decision of the command.
    """
    global _dies_at_exit  # noqa: PLW0603 -- a process has one
    _dies_at_exit = True


def _die() -> None:
    if _dies_at_exit:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)


def _stop(signum: int, frame: FrameType | None) -> None:
    global pending, _deferred_signals  # noqa: PLW0603 -- a process has one
    if frame is not None and frame.f_code.co_filename == _IMPORTING:
        _thread.start_new_thread(_send_again, (signum, _thread.get_ident()))
        return
    if _ignores_repeats and signum == pending == 2:
        return
    pending = signum
    if _deferring:
        _deferred_signals += 1
        if _deferred_signals < MOST_DEFERRED:
            return
    raise_pending()


def _send_again(signum: int, thread: int) -> None:
    """Send a signal to a thread again, from another thread."""
    import signal

    block_in_thread()
    time.sleep(0.002)
    if pending:  # the process is stopping already
        return
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, signum)
    else:
        signal.raise_signal(signum)


@contextmanager
def deferred() -> Iterator[None]:
    """Defer signals until the block is over, so that what it writes is complete.

    The last of several signals is not deferred, since the disk may hang.
    """
    global _deferring, _deferred_signals  # noqa: PLW0603 -- a process has one
    _deferring += 1
    try:
        yield
    finally:
        _deferring -= 1
        waited = _deferred_signals
        if not _deferring:
            _deferred_signals = 0
    if waited and not _deferring:
        raise_pending()


def ignore_repeats() -> None:
    """Ignore each Ctrl-C that comes before ``clear_interrupt`` was called for the one before.

    For a chat session: a second Ctrl-C must not break what the first one is cleaning up.
    """
    global _ignores_repeats  # noqa: PLW0603 -- a process has one
    _ignores_repeats = True


def block_in_thread() -> None:
    """Block the signals in this thread; a thread calls it first.

    Only the main thread can act on a signal. The kernel may deliver two signals at once to another
    thread, and then the main thread is not woken.
    """
    import signal

    if hasattr(signal, "pthread_sigmask"):
        numbers = (getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def raise_pending() -> None:
    """Raise ``KeyboardInterrupt`` or ``Terminated`` if a signal has come."""
    if pending == 2:  # SIGINT
        raise KeyboardInterrupt
    if pending:
        raise Terminated(pending)


def exit_code() -> int | None:
    """Return 128 + the signal's number, if one has come, else None."""
    return 128 + pending if pending else None


def clear_interrupt() -> None:
    """Forget a Ctrl-C, after which a chat session goes on. SIGTERM and SIGHUP stay pending."""
    global pending  # noqa: PLW0603 -- a process has one
    if pending == 2:
        pending = 0
