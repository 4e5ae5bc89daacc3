"""Ctrl-C, SIGTERM and SIGHUP: remembered when they come, so that none of them is lost.

A handler raises, which is how everything is put right on the way out. But what is raised while a
module is imported or a weak reference dies can be swallowed or wrapped by the interpreter; so the
signal is kept, and whoever is about to wait asks ``check`` first.
"""

from __future__ import annotations

import _thread
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from darkai_cli.errors import Terminated

if TYPE_CHECKING:
    from types import FrameType

_pending = 0
_calm = False
_held = _kept_waiting = 0

_IMPORTING = "<frozen importlib._bootstrap>"
"""Where the interpreter takes and gives back the locks of modules. What is raised there may leave
one locked, and the next import in any thread would wait for ever; so it comes again a moment later.
"""

PATIENCE = 3
"""So many signals in a row do not wait for anything."""


def install() -> None:
    """Take the signals from now on, except those that the parent process has ignored."""
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        usual = (signal.SIG_DFL, signal.default_int_handler)
        if number is not None and signal.getsignal(number) in usual:
            signal.signal(number, _stop)


def _stop(signum: int, frame: FrameType | None) -> None:
    global _pending, _kept_waiting  # noqa: PLW0603 -- a process has one
    if frame is not None and frame.f_code.co_filename == _IMPORTING:
        _thread.start_new_thread(_send_again, (signum, _thread.get_ident()))
        return
    if _calm and signum == _pending == 2:
        return
    _pending = signum
    if _held:
        _kept_waiting += 1
        if _kept_waiting < PATIENCE:
            return
    raise_pending()


def _send_again(signum: int, thread: int) -> None:
    """Send a signal to a thread once more, from another."""
    import signal

    block_in_thread()
    time.sleep(0.002)
    if _pending:  # the process is stopping already
        return
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, signum)
    else:
        signal.raise_signal(signum)


@contextmanager
def deferred() -> Iterator[None]:
    """Let signals wait until the block is over: what it writes is to be whole.

    The last of many does not wait, for the disk may not answer.
    """
    global _held, _kept_waiting  # noqa: PLW0603 -- a process has one
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        waited = _kept_waiting
        if not _held:
            _kept_waiting = 0
    if waited and not _held:
        raise_pending()


def ignore_repeats() -> None:
    """From now on a Ctrl-C that comes before the last one was dealt with (``forget``) does nothing.

    For a session: the second of two must not tear what the first one has begun to put right.
    """
    global _calm  # noqa: PLW0603 -- a process has one
    _calm = True


def block_in_thread() -> None:
    """Called first in a thread: leave the signals to the main thread, which alone can act on them.

    Of two at once the kernel may give both to another thread, and the main one is not woken then.
    """
    import signal

    if hasattr(signal, "pthread_sigmask"):
        ours = (getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
        signal.pthread_sigmask(signal.SIG_BLOCK, ours)


def raise_pending() -> None:
    """Raise ``KeyboardInterrupt`` or ``Terminated`` if a signal has come."""
    if _pending == 2:  # SIGINT
        raise KeyboardInterrupt
    if _pending:
        raise Terminated(_pending)


def exit_code() -> int | None:
    """128 + the signal's number, if one has come."""
    return 128 + _pending if _pending else None


def clear_interrupt() -> None:
    """A Ctrl-C has done what it was for: a session goes on. SIGTERM and SIGHUP stay."""
    global _pending  # noqa: PLW0603 -- a process has one
    if _pending == 2:
        _pending = 0
