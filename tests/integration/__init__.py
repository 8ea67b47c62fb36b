"""Real databases, and the contract that every adapter must pass; no browser."""
