"""Actions on what providers told us."""
