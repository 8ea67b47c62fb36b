"""Somebody who never opened the tenant asks for each of its pages."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V2.3.1", "V8.4.1", "V16.3.2")
PAGES = ("", "members", "entitlements", "entitlements?at=2026-12-01T00:00", "notes", "entries")


def attack(door: Door) -> Attempts:
    """Ask for every page, with the other tenant open."""
    agent = door.inside(slug="kestrel")
    attempts = door.attempts(404, "tenant.read_refused", code="no_lease")
    for page in PAGES:
        answer = attempts.get(agent, f"/t/nordwind/{page}")
        assert "member1" not in answer.text
    return attempts
