"""Use cases, a verb phrase per file: each opens the unit of work, decides, acts and records; no framework."""
