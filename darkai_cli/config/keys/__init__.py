"""API keys: where they are stored and how they are looked up."""
