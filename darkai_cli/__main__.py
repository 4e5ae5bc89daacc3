"""The process: signals in, exit code out. The only place that turns an error into either.

``--version`` is answered before anything is imported. Every failure that reaches this file is told
on stderr as ``error:`` and ``hint:``, without a traceback unless ``--debug`` was given.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False  # `import typing` alone would double the time of `--version`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run darkai with ``argv`` (the process's own by default) and exit."""
    args = list(sys.argv[1:] if argv is None else argv)
    sys.exit(_version() if args == ["--version"] else _run(args))


def _version() -> int:
    from darkai_cli import __version__

    try:
        print(f"darkai {__version__}", flush=True)
    except OSError:  # nobody reads it, or the disk is full
        from darkai_cli import streams

        return streams.close_stdout(0)
    return 0


def _run(args: list[str]) -> int:
    """Run one command line and tell what went wrong; the exit code."""
    from darkai_cli import streams
    from darkai_cli.errors import DarkAIError, Terminated

    debug = "--debug" in args
    gc.disable()  # until the request is out: what imports allocate is not garbage
    try:
        _listen()
        from darkai_cli.cli import app

        code = app.run(args)
    except DarkAIError as error:
        _tell(error, debug=debug)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except Terminated as stop:
        code = stop.exit_code
    except BrokenPipeError:
        code = 0
    except Exception as exc:  # noqa: BLE001 -- told as the bug it is
        _tell_bug(exc, debug=debug)
        code = 1
    return streams.close_stdout(code)


def _listen() -> None:
    """Have SIGTERM and SIGHUP end the program as Ctrl-C does, so that everything is put right."""
    import signal

    from darkai_cli.errors import Terminated

    def stop(signum: int, _frame: object) -> None:
        raise Terminated(signum)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)


def _tell(error: Exception, *, debug: bool) -> None:
    from darkai_cli import streams
    from darkai_cli.errors import DarkAIError
    from darkai_cli.sinks.sanitize import sanitize_line

    assert isinstance(error, DarkAIError)
    if debug:
        _traceback(error)
    streams.tell(f"error: {sanitize_line(error.message, 1000)}")
    if error.hint:
        streams.tell(f"hint: {sanitize_line(error.hint, 1000)}")


def _tell_bug(exc: Exception, *, debug: bool) -> None:
    from darkai_cli import streams
    from darkai_cli.sinks.sanitize import sanitize_line

    if debug:
        _traceback(exc)
    streams.tell(f"error: a bug in darkai: {sanitize_line(f'{type(exc).__name__}: {exc}')}")
    if not debug:
        streams.tell("hint: run it again with `--debug` and report what it says")


def _traceback(exc: BaseException) -> None:
    import traceback

    from darkai_cli import streams
    from darkai_cli.sinks.sanitize import sanitize

    streams.tell(sanitize("".join(traceback.format_exception(exc))).rstrip())


if __name__ == "__main__":
    main()
