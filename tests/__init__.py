"""The suite; every folder below says what kind of proof it holds, and nothing here ships."""
