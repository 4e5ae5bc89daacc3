"""``darkai replay``: play a recorded reply through the sinks that show a live one."""

from typing import Annotated

from darkai_cli.cli import options as opt
from darkai_cli.cli.parser import Argument, CommandSpec, Option
from darkai_cli.errors import InputError, UsageError


def replay(
    file: Annotated[str, Argument(metavar="FILE", help="Recording to play (`-` for stdin).")],
    speed: Annotated[float, Option("--speed", metavar="N", help="Play N times as fast.")] = 1.0,
    instant: Annotated[bool, Option("--instant", help="Play without pauses.")] = False,
    raw: opt.Raw = False,
    json: opt.Json = False,
    extract: opt.Extract = False,
    output: opt.Output = None,
    no_stream: opt.NoStream = False,
    plain: opt.Plain = False,
    reasoning: opt.Reasoning = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> int:
    """Play a recording."""
    import math

    from darkai_cli import stdio
    from darkai_cli.config.load import load
    from darkai_cli.conversation.sinks import Output
    from darkai_cli.output import recording
    from darkai_cli.output.format import OutputOptions
    from darkai_cli.output.sink import dispatch

    if not (math.isfinite(speed) and speed > 0):
        raise UsageError(f"Invalid speed: {speed:g}", hint="`--speed 2` plays twice as fast")
    try:
        lines = stdio.binary_stdin() if file == "-" else open(file, "rb")  # noqa: SIM115, PTH123 -- open until played
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise InputError(f"Can't read `{file}`: {reason}") from exc
    options = OutputOptions(
        json, raw, extract, no_stream, file=output, quiet=quiet, verbose=verbose
    )
    config = load({"plain": plain or None, "reasoning": reasoning})
    out = Output(config, options)
    out.prepare()
    complete = False
    with lines:
        events = recording.play(recording.read(lines, file), None if instant else speed)
        try:
            stayed = dispatch(events, [out.recorder, *out.sinks])
            outcome = out.recorder.reply.outcome(stayed=stayed, options={})
            complete = outcome.state == "complete"
        finally:
            out.finish(complete=complete)
    if outcome.error is not None:
        raise outcome.error
    return 0


command = CommandSpec(
    replay,
    "Play back a recorded reply with its timing.",
    'darkai ask --record joke.jsonl "tell me a joke"',
    "darkai replay joke.jsonl --speed 2",
)
