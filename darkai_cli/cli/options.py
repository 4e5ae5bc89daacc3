"""The options that ``ask``, ``chat`` and ``replay`` share, each as a type for a parameter."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any

from darkai_cli import stdio
from darkai_cli.cli.parser import Argument, Option
from darkai_cli.errors import UsageError

Prompt = Annotated[
    list[str] | None,
    Argument(metavar="[PROMPT]...", help="What to ask; `-` stands for stdin."),
]
Model = Annotated[
    str | None,
    Option("--model", "-m", metavar="NAME", help="Model: a name, an alias or PROVIDER/NAME."),
]
Provider = Annotated[
    str | None,
    Option("--provider", "-p", metavar="NAME", help="Provider, such as openai or ollama."),
]
System = Annotated[str | None, Option("--system", "-s", metavar="TEXT", help="System prompt.")]
Files = Annotated[
    list[str] | None,
    Option(
        "--file",
        "-f",
        metavar="PATH|URL",
        help="Attach a file, image or URL (`-` for stdin). Repeatable.",
    ),
]
Options = Annotated[
    list[str] | None,
    Option(
        "--option",
        "-o",
        metavar="KEY=VALUE",
        help="Request option, such as temperature=0.2. Repeatable.",
    ),
]
Raw = Annotated[bool, Option("--raw", help="Print plain text, even on a terminal.")]
Json = Annotated[bool, Option("--json", help="Print events, one JSON object per line.")]
Extract = Annotated[bool, Option("--extract", "-x", help="Print only the first fenced code block.")]
Output = Annotated[
    str | None,
    Option("--output", metavar="FILE", help="Write the reply to FILE when it is complete."),
]
Continue = Annotated[bool, Option("--continue", "-c", help="Continue the latest conversation.")]
Conversation = Annotated[
    str | None,
    Option(
        "--conversation",
        metavar="ID",
        help="Continue this conversation (any unique prefix of its ID).",
    ),
]
Resume = Annotated[bool, Option("--resume", help="Continue a reply that was cut off.")]
NoSave = Annotated[bool, Option("--no-save", help="Don't save this conversation.")]
Plain = Annotated[bool, Option("--plain", help="Don't redraw or move the cursor on a terminal.")]
Reasoning = Annotated[
    str | None,
    Option(
        "--reasoning",
        metavar="show|fold|hide",
        help="How to show the model's reasoning (default on a terminal: fold).",
    ),
]
NoStream = Annotated[bool, Option("--no-stream", help="Print the whole reply at the end.")]
Proxy = Annotated[
    str | None,
    Option(
        "--proxy", metavar="URL", help="Proxy, http://HOST:PORT or socks5://HOST:PORT; '' for none."
    ),
]
Timeout = Annotated[
    float | None,
    Option(
        "--timeout",
        metavar="SECONDS",
        help="Seconds to wait for the first token (default 600), and between tokens (60).",
    ),
]
Retries = Annotated[
    int | None,
    Option("--retries", metavar="N", help="Retries before the first token (default 2)."),
]
MaxWait = Annotated[
    float | None,
    Option(
        "--max-wait",
        metavar="SECONDS",
        help="Seconds to wait for a rate limit (default 60; on a terminal, no limit).",
    ),
]
NoFallback = Annotated[bool, Option("--no-fallback", help="Never use another provider.")]
NoStdin = Annotated[bool, Option("--no-stdin", help="Don't read stdin.")]
Record = Annotated[
    str | None, Option("--record", metavar="FILE", help="Record the reply and its timing to FILE.")
]
DryRun = Annotated[bool, Option("--dry-run", help="Print the request as JSON, and send nothing.")]
Quiet = Annotated[bool, Option("--quiet", "-q", help="Print only errors, no notices.")]
Verbose = Annotated[
    bool, Option("--verbose", "-v", help="Print model, tokens and times on stderr.")
]
Debug = Annotated[
    bool,
    Option("--debug", help="Log the request and the response on stderr, and print tracebacks."),
]


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Return ``KEY=VALUE`` pairs as a mapping; a value in JSON (a number, true, a list) is parsed.

    Raises ``UsageError`` for a pair without ``=`` or without a name, and for a value that JSON
    cannot express, such as ``NaN``.
    """
    from darkai_cli.config import schema, values

    options: dict[str, Any] = {}
    for number, argument in enumerate(pairs, 1):
        pair = decode_argument(argument, f"option {number} (`-o`)")
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise UsageError(
                f"Expected KEY=VALUE after `-o`, not `{pair}`",
                hint="For example: `-o temperature=0.2`",
            )
        try:
            options[name.strip()] = values.parse(schema.OPTION, text)
        except values.Invalid as exc:
            raise UsageError(
                f"The value of `-o {name.strip()}` {exc.rule}",
                hint="For example: `-o temperature=0.2`",
            ) from None
    return options


def decode_words(words: Sequence[str]) -> list[str]:
    """Return the words of a prompt as UTF-8 text. Raises ``InputError``."""
    return [decode_argument(word, f"word {number}") for number, word in enumerate(words, 1)]


def decode_argument(text: str, what: str) -> str:
    """Return an argument as UTF-8 text, whatever the locale is.

    Python keeps bytes that the locale cannot decode as halves of UTF-16 pairs, which no request can
    hold. Raises ``InputError``, which names ``what``, if they are not UTF-8.
    """
    if not any("\udc80" <= char <= "\udcff" for char in text):
        return text
    return stdio.decode(os.fsencode(text), what)


def print_debug(line: str) -> None:
    """Write a line of ``--debug`` to stderr; what a server put into it cannot act on a terminal."""
    from darkai_cli.output.sanitize import sanitize

    stdio.print_err(sanitize(line))
