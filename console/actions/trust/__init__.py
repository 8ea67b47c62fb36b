"""Governed actions on the customer's side: tokens, legal holds, access policy, consent, letters."""
