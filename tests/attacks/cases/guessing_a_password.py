"""Passwords are guessed for one account; the right one comes too late, and half an hour later it is good again."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V6.3.1", "V2.4.1", "PCI-8.3.4")
TRIES = 10


def attack(door: Door) -> tuple[Attempts, ...]:
    """Guess ten times, come right, wait, come right."""
    person = PEOPLE["support_agent"]
    thief = door.cast.stranger()
    thief.get("/sign-in")
    guessing = door.attempts(401, "staff.sign_in_refused", code="sign_in_refused")
    for number in range(TRIES):
        form = {"email": person.email.upper(), "password": f"guess number {number}", "code": "000000", "next": "/"}
        guessing.post(thief, "/sign-in", form)
    right = {"email": person.email, "password": person.password, "code": door.cast.code("support_agent"), "next": "/"}
    slow = door.attempts(429, "staff.sign_in_refused", code="throttled")
    assert slow.post(thief, "/sign-in", right).headers["Retry-After"] == "1800"
    door.cast.clock.pass_by(minutes=31)
    door.enter("support_agent")
    return guessing, slow
