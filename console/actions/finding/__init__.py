"""Governed actions on findings: who looks after one, what is said of it, and until when it may stand."""
