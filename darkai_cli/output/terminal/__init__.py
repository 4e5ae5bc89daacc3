"""Markdown on a terminal. Importing this loads Rich: do it while the service thinks.

``sink`` is the sink, ``compose`` makes rows of events; ``elements``, ``inline``, ``table`` and
``highlight`` say what rows look like, ``layout`` where they end, ``theme`` in which colours;
``writer`` makes bytes of rows, ``pace`` knows when to paint, ``tty`` keeps the terminal's state.
Which text is final is decided by ``sinks.markdown``, which knows nothing of this.
"""

from darkai_cli.output.terminal.terminal_sink import TerminalSink, render_static

__all__ = ["TerminalSink", "render_static"]
