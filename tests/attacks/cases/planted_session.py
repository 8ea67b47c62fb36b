"""A session cookie is planted in somebody's browser before they sign in."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V7.2.4", "V7.2.1", "V7.2.3")
COOKIE = "__Host-sallyport"


def attack(door: Door) -> Attempts:
    """Plant a token, let the victim sign in over it, and come with the planted one."""
    planted = "p" * 43
    victim = door.cast.stranger()
    victim.client.set_cookie(COOKIE, planted, secure=True)
    door.cast.sign_in("support_agent", browser=victim)
    assert victim.cookie(COOKIE) != planted
    thief = door.cast.stranger()
    thief.client.set_cookie(COOKIE, planted, secure=True)
    attempts = door.attempts(401, "route.refused")
    attempts.get(thief, "/account")
    for token in ("", "x", planted * 4, "' OR 1=1 --", "\u00e9" * 20, door.session(victim)):
        thief.client.set_cookie(COOKIE, token, secure=True)
        attempts.get(thief, "/account")
    return attempts
