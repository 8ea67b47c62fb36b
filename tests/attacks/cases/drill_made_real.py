"""Somebody rehearses break-glass, which owes no review, and runs by hand what was only to be rehearsed."""

from tests.attacks.door import Attempts, Door
from tests.attacks.glass import inside, smash

CHECKLIST = ("EAM-90", "V2.3.1", "V2.3.5")


def attack(door: Door) -> Attempts:
    """Announce a drill, let its minute pass, and be faster than the job that ends it."""
    on_call = inside(door, "nordwind")
    form = smash(door, on_call, "nordwind")
    answer = on_call.post("/t/nordwind/actions/tenant.suspend", {**form, "intent": "nordwind", "drill": "y"})
    request = answer.headers["Location"].rpartition("/")[2]
    door.cast.clock.pass_by(seconds=61)
    attempts = door.attempts(409, "request.execute_refused", code="wrong_state")
    attempts.post(on_call, f"/requests/{request}/execution")
    assert door.request(request).state == "counting_down"
    return attempts
