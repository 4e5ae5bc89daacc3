"""Newline-delimited JSON: bytes in, frames out, no I/O.

The interface is that of ``sse``. A line is a frame; its dialect reads the JSON. Lines end with LF
only (a CR before it is dropped): every other line end is legal white space in JSON, or legal inside
its strings.
"""

from __future__ import annotations

from darkai_cli.http.lines import MAX_EVENT
from darkai_cli.http.sse import FrameDecoder, SSEFrame

_WHITE = b" \t\r"  # JSON's white space, less the LF


class NDJSONDecoder(FrameDecoder):
    """Decodes one frame from each line; one over ``max_event`` bytes raises after those before it.

    Lines that cannot be a JSON object (a web page, or JSON spread over lines) are in ``stray``.
    ``comments`` is always 0: the format has none.
    """

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event, cr=False)

    def _read(self, lines: list[bytes]) -> list[SSEFrame]:
        frames = []
        for line in lines:
            bare = line.strip(_WHITE)
            if bare[:1] == b"{" and len(bare) > 1:
                text = line.removesuffix(b"\r").decode("utf-8", "replace")
                frames.append(SSEFrame("message", text, "", None))
            elif bare:
                self._add_stray(line.removesuffix(b"\r"))
        return frames
