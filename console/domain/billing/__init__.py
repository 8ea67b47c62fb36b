"""Money and the objects of a billing provider in one canonical form, whichever provider told of them."""
