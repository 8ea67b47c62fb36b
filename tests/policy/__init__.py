"""The worked cases and the oracle held against policies/; no database and no web."""
