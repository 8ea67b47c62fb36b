"""One module at a time with fakes for ports only; no database and no web."""
