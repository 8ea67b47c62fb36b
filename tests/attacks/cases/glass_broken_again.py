"""An engineer on call who owes a review breaks glass on the next tenant, with the slug of another."""

from tests.attacks.door import Attempts, Door
from tests.attacks.glass import FIELDS, SUSPEND_KESTREL, broken, inside, smash

CHECKLIST = ("EAM-90", "V2.3.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Use it once, then again."""
    on_call = inside(door, "nordwind")
    broken(door, on_call, "nordwind")
    inside(door, "kestrel", on_call)
    form = smash(door, on_call, "kestrel")
    again = door.attempts(403, "request.refused", code="review_owed")
    again.post(on_call, SUSPEND_KESTREL, {**form, **FIELDS, "intent": "kestrel"})
    both = door.attempts(403, "request.refused", code="review_owed")
    both.post(on_call, SUSPEND_KESTREL, {**form, **FIELDS, "intent": "nordwind"})
    return again, both
