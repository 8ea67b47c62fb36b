"""Actions on a tenant as a whole."""
