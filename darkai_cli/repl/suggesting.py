"""What the rest of the line may be, shown dim behind the cursor: the newest line that begins so."""

from __future__ import annotations

from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

LONGEST = 500
"""Characters after which nothing is suggested any more."""


class HistorySuggest(AutoSuggest):
    """From the input history: a line typed before that begins with all that was typed."""

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        """The rest of it, to its first line end."""
        text = document.text
        if not text.strip() or len(text) > LONGEST or not document.is_cursor_at_the_end:
            return None
        for line in reversed(buffer.history.get_strings()):
            if line.startswith(text):
                rest = line[len(text) :].partition("\n")[0]
                if rest:
                    return Suggestion(rest)
        return None
