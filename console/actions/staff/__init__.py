"""Actions on the staff of the company."""
