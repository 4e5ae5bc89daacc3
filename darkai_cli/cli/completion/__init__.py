"""Completion scripts: the command line as rows, and one module for each shell."""
