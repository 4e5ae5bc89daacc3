"""The interactive session: reads a line, asks, shows, and remembers; ``darkai chat``.

``session`` is what is said and to whom, without any terminal; ``loop`` reads a line and does what
it says; ``commands`` are the slash commands; ``reader`` is how a person types (prompt-toolkit), and
``plain`` the same for terminals that can only print.
"""
