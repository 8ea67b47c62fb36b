"""Actions on what a tenant may use."""
