"""What is said: prompts, turns and replies."""
