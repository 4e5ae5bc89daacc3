"""Where a reply goes: one file a kind of output."""
