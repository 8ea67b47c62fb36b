"""Governed actions on signals: what one was, in the word of somebody whom it is not about."""
