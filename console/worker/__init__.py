"""The loop of recurring duties; it calls what it is given and keeps no state of its own."""
