"""The demo provider: an offline service inside the process that speaks real DarkAI bytes.

It is no language model and never pretends to be one. ``service`` is the wire, ``answers`` decides
what can be said at all, ``jokes.txt`` and ``showcase.md`` are what there is to say.
"""
