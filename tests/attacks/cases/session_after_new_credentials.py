"""A session that was begun with stolen credentials goes on after the operator has replaced them."""

from console.usecases.operator import operator
from console.usecases.set_credentials import set_credentials
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V7.4.5",)


def attack(door: Door) -> Attempts:
    """Hold a tenant open while the operator sets a new password; then read on."""
    thief = door.inside()
    house = door.cast.house
    at_the_machine = operator(house, account="root", command="sallyport staff set-password")
    set_credentials(house, at_the_machine, email=PEOPLE["support_agent"].email, password="a long pass phrase 42 herons")
    assert not door.leases("support_agent")
    attempts = door.attempts(401, "route.refused")
    attempts.get(thief, "/t/nordwind/")
    attempts.get(thief, "/")
    return attempts
