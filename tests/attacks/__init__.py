"""One file per attack, found by globbing; each must be refused and recorded."""
