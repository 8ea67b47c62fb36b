"""The journal, receivables and periods."""
