"""Somebody who acts for a member already begins a second time: for the same, another, or one elsewhere."""

from functools import partial

from tests.attacks.door import Attempts, Door
from tests.attacks.product import inside_product, still_runs
from tests.web.product_stage import ask_to_act

CHECKLIST = ("V8.2.1",)


def attack(door: Door) -> Attempts:
    """Begin again and again while the first one runs."""
    agent, inside = inside_product(door)
    door.open(agent, "kestrel")
    attempts = door.attempts("already_impersonating", "request.refused", code="already_impersonating")
    for slug, number in (("nordwind", 1), ("nordwind", 2), ("kestrel", 1)):
        attempts.ask(
            f"act for member {number} of {slug}",
            partial(ask_to_act, door.cast, "support_agent", slug=slug, number=number),
        )
    assert still_runs(door, inside.sid)
    return attempts
