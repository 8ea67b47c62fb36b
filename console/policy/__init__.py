"""Loads policies/ once, decides, explains and simulates; no database, no web, and no rule written in Python."""
