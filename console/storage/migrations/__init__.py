"""Alembic environment and revisions; the same files on both databases, two branches: control and plane."""
