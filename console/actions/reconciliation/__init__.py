"""Governed actions on runs of reconciliation."""
