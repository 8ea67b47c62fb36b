"""The whole application through its test client, CSRF on; no browser."""
