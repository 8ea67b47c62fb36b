"""Stripe as a billing provider: here and nowhere else its objects, words and errors are known."""
