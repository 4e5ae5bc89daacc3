"""Text for scripts: templates and the quotes that bash and zsh share."""

from __future__ import annotations

from collections.abc import Iterable


def filled(template: str, **parts: str) -> str:
    """The template with each ``<<name>>`` replaced."""
    for name, part in parts.items():
        template = template.replace(f"<<{name}>>", part)
    return template


def indented(width: int, lines: Iterable[str]) -> str:
    """Lines as one text, each behind ``width`` spaces."""
    return "\n".join(" " * width + line for line in lines)


def posix_quoted(text: str) -> str:
    """One word for bash and zsh."""
    return "'" + text.replace("'", r"'\''") + "'"
