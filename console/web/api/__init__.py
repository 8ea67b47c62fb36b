"""The JSON interface to the same use cases; nothing that the pages cannot also do."""
