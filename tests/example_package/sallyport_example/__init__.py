"""A package of somebody else that gives the console one more action."""
