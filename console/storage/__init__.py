"""SQLAlchemy tables, repositories and migrations; the only ring that knows SQL, and no rule about who may do what."""
