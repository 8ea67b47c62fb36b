"""A billing provider of our own that speaks Stripe's language: for the demo, for tests, and for trying things out."""
