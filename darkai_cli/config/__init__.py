"""Configuration: what is in force, and where each value came from."""
