"""Protocols that the outside fulfils, one noun per file; no implementation."""
