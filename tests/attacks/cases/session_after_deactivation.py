"""Somebody is deactivated while signed in, with a tenant open."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V7.4.2", "V8.3.2", "V7.2.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Go on working in the session, then sign in again."""
    agent = door.inside()
    person = PEOPLE["support_agent"]
    with door.cast.house.store.write() as unit:
        unit.staff.set_active(person.id, is_active=False, at=door.cast.clock.now())
    working = door.attempts(401, "route.refused", settles=("lease",))
    working.get(agent, "/t/nordwind/members")
    working.post(agent, "/account/notices/read")
    assert not door.leases("support_agent")
    stranger = door.cast.stranger()
    stranger.get("/sign-in")
    entering = door.attempts(401, "staff.sign_in_refused")
    code = door.cast.code("support_agent")
    form = {"email": person.email, "password": person.password, "code": code, "next": "/"}
    entering.post(stranger, "/sign-in", form)
    return working, entering
