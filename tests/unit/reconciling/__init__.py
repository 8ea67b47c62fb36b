"""Reconciliation without storage: clean books stay silent, every break is found as what it is, and nothing else."""
