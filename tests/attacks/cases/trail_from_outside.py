"""The trail is read by those who may not, and written through the addresses at which it is read."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V16.4.2", "V8.2.1", "V8.2.3")


def attack(door: Door) -> Attempts:
    """Read the whole trail, and single entries, as everybody but the auditor."""
    uid = door.cast.entries("policy.loaded")[0]["uid"] if door.cast.count("policy.loaded") else "aud_1"
    attempts = door.attempts(403, "trail.read_refused", code="role_missing")
    for who in ("support_agent", "finance_lead", "on_call", "administrator"):
        browser = door.enter(who)
        for path in ("/trail", f"/trail/{uid}", "/trail?tenant=&actor=", "/trail?action=lease.open"):
            attempts.get(browser, path)
    return attempts
