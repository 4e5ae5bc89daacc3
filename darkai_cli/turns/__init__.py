"""A turn: from a request to the terminal, the file and the history; for ask, replay and chat."""
