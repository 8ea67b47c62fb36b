"""A form that was open before the sign-in, or before the sign-out, is sent afterwards."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V3.5.1", "V7.2.4")


def attack(door: Door) -> Attempts:
    """Keep the token of the stranger and of the first session, and use both in the second."""
    browser = door.cast.stranger()
    browser.get("/sign-in")
    strangers = browser.token
    door.cast.sign_in("support_agent", browser=browser)
    first = browser.token
    assert browser.post("/sign-out").status_code == 303
    door.cast.sign_in("support_agent", browser=browser)
    attempts = door.attempts(400, "csrf.refused")
    for token in (strangers, first):
        attempts.post(browser, "/account/notices/read", token=token)
    return attempts
