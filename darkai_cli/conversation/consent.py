"""A question to the person at the terminal, and the answer as it was typed.

Only for what costs money or sends a prompt to somebody nobody chose. The question begins with a
mark in reverse video: text of a model or a service can never have it, since no control character of
theirs reaches the terminal and nothing that is rendered is shown so. What was typed before the
question was shown answers nothing.
"""

from __future__ import annotations

from darkai_cli import signals, stdio, tty

MARK = "\x1b[7m ? \x1b[27m "


def ask(question: str) -> str:
    """The line that was typed, without blanks around it; "" for the end of the input."""
    from darkai_cli.output.sanitize import sanitize_line

    err = stdio.stderr()
    tty.discard_pending(stdio.stdin().fileno())
    err.write(f"{MARK}{sanitize_line(question, 300)} ")
    err.flush()
    signals.raise_pending()
    line = ""
    try:
        line = stdio.stdin().readline()
    except (OSError, ValueError):  # the terminal has gone, or what came is no text
        return ""
    finally:
        if not line.endswith("\n"):
            stdio.print_err("")
    return line.strip()
