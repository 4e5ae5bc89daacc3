"""The command line: one file a command, and the lazy group that finds them."""
