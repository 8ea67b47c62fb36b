"""Somebody ends a colleague's session by its key."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V7.4.5")


def attack(door: Door) -> Attempts:
    """Use a key that was seen in the trail, and keys that are none."""
    colleague = door.enter("support_agent_2")
    agent = door.enter("support_agent")
    attempts = door.attempts(404, "route.refused", code="not_yours")
    for key in (door.session(colleague), "0" * 64, "x", "k" * 500):
        attempts.post(agent, f"/account/sessions/{key}/end")
    assert colleague.get("/account").status_code == 200
    return attempts
