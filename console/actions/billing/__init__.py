"""Actions on the mirror of the billing provider."""
