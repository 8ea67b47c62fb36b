"""Actions on accounting periods."""
