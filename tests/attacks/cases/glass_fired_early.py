"""Somebody runs what counts down too early, approves what they broke glass for, or stops what is not their business."""

from tests.attacks.door import Attempts, Door
from tests.attacks.glass import broken, inside

CHECKLIST = ("EAM-90", "V2.3.1", "V2.3.5")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Run it by hand, vote on it, and let a stranger revoke it."""
    on_call = inside(door, "nordwind")
    request = broken(door, on_call, "nordwind")
    early = door.attempts(409, "request.execute_refused", code="wrong_state")
    early.post(on_call, f"/requests/{request}/execution")
    on_call.get(f"/requests/{request}")
    own = door.attempts(403, "request.vote_refused", code="self_approval")
    own.post(on_call, f"/requests/{request}/votes", door.ballot(request))
    finance = door.enter("finance")
    finance.get("/")
    stranger = door.attempts(404, "request.revoke_refused", code="not_yours")
    stranger.post(finance, f"/requests/{request}/revocation", {"because": "No."})
    return early, own, stranger
