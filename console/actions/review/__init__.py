"""Actions on reviews."""
