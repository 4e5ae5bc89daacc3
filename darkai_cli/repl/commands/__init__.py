"""The slash commands: one registry that feeds loop, ``/help``, completion and the reference page.

A command is a function of the session and the text after its name, declared by ``base.command``.
Modules group them by what they are about; ``registry`` imports them all.
"""
