"""Markdown that arrives in pieces: its grammar, and which blocks are final."""
