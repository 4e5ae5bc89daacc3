"""The process: run one command line, print what went wrong, and exit with its code.

``--version`` is answered before anything else is imported. Every failure that reaches this file is
printed on stderr as ``error:`` and ``hint:``, without a traceback unless ``--debug`` was given.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False  # `import typing` alone would double the time of `--version`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from darkai_cli.errors import DarkAIError

_DISK_FAULTS = (5, 27, 28, 122)
"""EIO, EFBIG, ENOSPC, EDQUOT: an output that cannot be written, where it is not known which."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run darkai with ``argv`` (the process's own by default) and exit."""
    args = list(sys.argv[1:] if argv is None else argv)
    sys.exit(_version() if args == ["--version"] else _run(args))


def _version() -> int:
    from darkai_cli.version import __version__

    try:
        print(f"darkai {__version__}", flush=True)
    except OSError:  # nobody reads it, or the disk is full
        from darkai_cli import stdio

        return stdio.close_stdout(0)
    return 0


def _run(args: list[str]) -> int:
    """Run one command line, print what went wrong, and return the exit code."""
    # What imports allocate is not garbage; ``Output.prepare`` turns the collector on again.
    gc.disable()
    code: int | None = None
    try:
        from darkai_cli import signals

        signals.install()
        code = _command(args)
    except BaseException:
        # A signal ends the program wherever it comes, also where an import turned it into an error.
        code = signals.exit_code()
        if code is None:
            raise
    from darkai_cli import stdio

    code = stdio.close_stdout(code)
    if code == 130 and sys.platform != "win32":
        signals.die_at_exit()
    return code


def _command(args: list[str]) -> int:
    from darkai_cli import signals
    from darkai_cli.errors import DarkAIError, Terminated

    try:
        from darkai_cli.cli import main as app

        return app.run(args)
    except DarkAIError as error:
        _print_error(error, args)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Terminated as stop:
        return stop.exit_code
    except BrokenPipeError:
        return 0
    except Exception as exc:
        if signals.exit_code() is not None:
            raise
        from darkai_cli.errors import InputError

        if isinstance(exc, OSError) and exc.errno in _DISK_FAULTS:
            _print_error(
                InputError(f"Can't write the output: {(exc.strerror or '').lower()}"), args
            )
            return InputError.exit_code
        bug = DarkAIError(
            f"Internal error: {type(exc).__name__}: {exc}",
            hint="This is a bug in darkai: run it again with `--debug` and report the output",
        )
        bug.__cause__ = exc
        _print_error(bug, args)
        return bug.exit_code


def _print_error(error: DarkAIError, args: list[str]) -> None:
    from darkai_cli import events, stdio
    from darkai_cli.output.sanitize import sanitize_line
    from darkai_cli.secrets import mask_key_arguments, mask_known

    options = args[: args.index("--")] if "--" in args else args
    if "--debug" in options:
        _print_traceback(error, args)
    if "--json" in options and not error.reported:
        import json

        stdio.try_stdout(json.dumps(events.error_to_json(error)))
    for label, text in (("error", error.message), ("hint", error.hint)):
        if text:
            masked_text = mask_known(mask_key_arguments(text, args))
            stdio.print_err(f"{label}: {sanitize_line(masked_text, 1000)}")


def _print_traceback(exc: BaseException, args: list[str]) -> None:
    import traceback

    from darkai_cli import stdio
    from darkai_cli.output.sanitize import sanitize
    from darkai_cli.secrets import mask_key_arguments, mask_known

    text = mask_known(mask_key_arguments("".join(traceback.format_exception(exc)), args))
    stdio.print_err(sanitize(text).rstrip())


if __name__ == "__main__":
    main()
