"""State machines walked through every order of steps; no database."""
