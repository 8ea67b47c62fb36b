"""The outside world behind the ports: identity, mail, clock, keys, demo data; no SQL and no web."""
