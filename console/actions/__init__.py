"""Governed actions, one per file, grouped by area; they see only their tools, never decide and never record."""
