"""A one-time code that was looked at over a shoulder is used again, at sign-in and at step-up."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V6.3.3", "V6.8.4", "V7.5.3")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Show the code of the sign-in a second time."""
    person = PEOPLE["support_agent"]
    agent = door.enter()
    code = person.code(door.cast.clock.now())
    thief = door.cast.stranger()
    thief.get("/sign-in")
    entering = door.attempts(401, "staff.sign_in_refused")
    form = {"email": person.email, "password": person.password, "code": code, "next": "/"}
    entering.post(thief, "/sign-in", form)
    agent.get("/step-up")
    stepping = door.attempts(401, "step_up.refused")
    stepping.post(agent, "/step-up", {"code": code, "next": "/"})
    return entering, stepping
