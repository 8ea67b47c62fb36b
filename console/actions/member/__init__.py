"""Actions on the people inside a tenant."""
