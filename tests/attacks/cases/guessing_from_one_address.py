"""One address guesses through many accounts, a few times each; half an hour later it may try again."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V6.3.1", "V2.4.1")
HOME = "127.0.0.1"


def attack(door: Door) -> Attempts:
    """Spend what one address may try, then come right with an account that nobody guessed at."""
    now, limits = door.cast.clock.now(), door.cast.house.book.limits
    with door.cast.house.store.write() as unit:
        for _ in range(limits.sign_in_address_tries):
            unit.throttles.hit("sign_in_address", HOME, at=now)
    person = PEOPLE["finance"]
    thief = door.cast.stranger()
    thief.get("/sign-in")
    attempts = door.attempts(429, "staff.sign_in_refused", code="throttled")
    form = {"email": person.email, "password": person.password, "code": door.cast.code("finance"), "next": "/"}
    attempts.post(thief, "/sign-in", form)
    door.cast.clock.pass_by(minutes=31)
    door.enter("finance")
    return attempts
