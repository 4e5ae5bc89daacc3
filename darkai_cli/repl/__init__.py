"""``darkai chat``: read a line, carry it out, show the reply, remember the conversation.

``session`` is the state of a chat, ``turn`` sends a prompt and adds the reply, ``main`` is the
loop, and ``commands`` are the slash commands; none of them knows how the user types. ``input``
reads with prompt_toolkit, ``plain_input`` on terminals that can only print lines.
"""
