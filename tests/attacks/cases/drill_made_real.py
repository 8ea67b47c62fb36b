"""Somebody rehearses break-glass, which owes no review, and runs by hand what was only to be rehearsed."""

from tests.attacks.door import Attempts, Door
from tests.attacks.glass import WHY, inside, smash

CHECKLIST = ("EAM-90", "V2.3.1", "V2.3.5")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Announce a drill, let its minute pass, and be faster than the job that ends it; then have it go out of date."""
    on_call = inside(door, "nordwind")
    form = smash(door, on_call, "nordwind")
    answer = on_call.post("/t/nordwind/actions/tenant.suspend", {**form, "intent": "nordwind", "drill": "y"})
    request = answer.headers["Location"].rpartition("/")[2]
    door.cast.clock.pass_by(seconds=61)
    attempts = door.attempts(409, "request.execute_refused", code="wrong_state")
    attempts.post(on_call, f"/requests/{request}/execution")
    assert door.request(request).state == "counting_down"
    # What went out of date can be revised, and whoever then agrees reads that it is a drill.
    door.sql("UPDATE request SET state = 'stale' WHERE id = ?", request)
    attempts_again = door.attempts(409, "request.refused", code="wrong_state")
    revision = door.preview(on_call, f"/requests/{request}/revision", {"because": "It floods everybody."}, **WHY)
    attempts_again.post(on_call, f"/requests/{request}/revision", revision)
    return attempts, attempts_again
