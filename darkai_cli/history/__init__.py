"""What was said, kept: the store, the journal, the tree, search, export and import."""
