"""Another site's page makes the browser send a perfect form, or load a page of ours."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V3.5.1", "V3.5.8", "V3.4.2")


def attack(door: Door) -> Attempts:
    """Vote with a right token and the headers that a browser puts on for a foreign page."""
    request = door.asked()
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{request}")
    path, ballot = f"/requests/{request}/votes", door.ballot(request)
    attempts = door.attempts(403, "csrf.refused")
    for site in ("cross-site", "same-site", "anything"):
        attempts.post(lead, path, ballot, Sec_Fetch_Site=site)
    for origin in (
        "https://evil.example",
        "http://localhost.evil.example",
        "null",
        "https://localhost:444",
        "http://[",
    ):
        attempts.post(lead, path, ballot, Origin=origin)
    for destination in ("image", "script", "iframe", "empty"):
        answer = attempts.get(lead, "/requests", Sec_Fetch_Site="cross-site", Sec_Fetch_Dest=destination)
        assert "Access-Control-Allow-Origin" not in answer.headers
    return attempts
