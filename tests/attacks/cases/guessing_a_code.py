"""Somebody at an unlocked desk guesses one-time codes to step up."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V6.3.1", "V7.5.3")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Guess five times; from then on even the right code waits."""
    agent = door.enter()
    agent.get("/step-up")
    guessing = door.attempts(401, "step_up.refused", code="sign_in_refused")
    for number in range(door.cast.house.book.limits.step_up_tries):
        guessing.post(agent, "/step-up", {"code": f"00000{number}", "next": "/"})
    slow = door.attempts(429, "step_up.refused", code="throttled")
    slow.post(agent, "/step-up", {"code": door.cast.code("support_agent"), "next": "/"})
    return guessing, slow
