"""A cookie that was copied lives on after its owner signed out, or ended that session from elsewhere."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import Browser

CHECKLIST = ("V7.2.1", "V7.4.1", "V7.4.5", "V16.3.1")
COOKIE = "__Host-sallyport"


def attack(door: Door) -> Attempts:
    """Copy two cookies; the owner signs out of one session and ends the other by hand."""
    first, second = door.inside(), door.enter()
    thief, accomplice = copied(door, first), copied(door, second)
    assert thief.get("/t/nordwind/").status_code == 200
    assert second.post(f"/account/sessions/{door.session(second)}/end").status_code == 303
    first.get("/account")
    assert first.post("/sign-out").status_code == 303
    attempts = door.attempts(401, "route.refused")
    for path in ("/", "/t/nordwind/", "/account"):
        attempts.get(thief, path)
        attempts.get(accomplice, path)
    return attempts


def copied(door: Door, browser: Browser) -> Browser:
    """Return another browser with the same cookie."""
    thief = door.cast.stranger()
    thief.client.set_cookie(COOKIE, browser.cookie(COOKIE), secure=True)
    return thief
