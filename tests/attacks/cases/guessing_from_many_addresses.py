"""Somebody guesses from one IPv6 network, with another address for every try."""

from datetime import timedelta

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V6.3.1", "V2.4.1")


def attack(door: Door) -> Attempts:
    """Spend the network's tries through many accounts and addresses, then come right."""
    limits = door.cast.house.book.limits
    thief = door.cast.stranger()
    thief.get("/sign-in")
    with door.cast.house.store.write() as unit:
        for number in range(limits.sign_in_address_tries - 1):
            at = door.cast.clock.now() - timedelta(seconds=number)
            unit.throttles.hit("sign_in_address", "2001:db8:1:2::/64", at=at)
    wrong = {"email": "nobody@brightline.example", "password": "x" * 20, "code": "000000", "next": "/"}
    first = thief.client.post(
        "/sign-in",
        data={**wrong, "csrf_token": thief.token},
        environ_base={"REMOTE_ADDR": "2001:db8:1:2::1"},
    )
    assert first.status_code == 401
    person = PEOPLE["finance"]
    right = {"email": person.email, "password": person.password, "code": door.cast.code("finance"), "next": "/"}
    attempts = door.attempts(429, "staff.sign_in_refused", code="throttled")
    for address in ("2001:db8:1:2::2", "2001:db8:1:2:ffff::3"):
        form = {**right, "csrf_token": thief.token}
        attempts.send(thief, "POST", "/sign-in", data=form, environ_base={"REMOTE_ADDR": address})
    return attempts
