"""Actions on the jobs of the house."""
