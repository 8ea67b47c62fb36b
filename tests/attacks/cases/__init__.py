"""One attack per file: a sentence, the checklist lines it proves, and the attack itself."""
