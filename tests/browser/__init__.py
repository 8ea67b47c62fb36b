"""Journeys in a real Chromium and the screenshots; few, and nothing a web test could prove."""
