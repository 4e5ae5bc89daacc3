"""The slash commands: one table for the loop, ``/help``, completion and the reference page.

A command is a function of the session and the text after its name, declared with
``command.command``. Each module has the commands of one topic; ``registry`` imports them all.
"""
