"""Markdown on a terminal. Importing this loads Rich, so it is done while the service thinks.

From an event to bytes: ``terminal_sink`` takes events, ``painter`` says when to draw a frame,
``renderer`` turns text into rows (``blocks``, ``inline``, ``table`` and ``highlight`` say how they
look, ``wrap`` where they end, ``theme`` in which styles), and ``screen`` turns rows into bytes.
Which text is final is decided by ``output.markdown``, which knows no terminal.
"""

from darkai_cli.output.terminal.terminal_sink import TerminalSink, render_static

__all__ = ["TerminalSink", "render_static"]
