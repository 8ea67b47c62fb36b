"""More than a payment is worth is refunded: in one request, and in two that were each approved on their own."""

from tests.attacks.door import Attempts, Door
from tests.attacks.money import FORTY, REFUND, WHY, finance_inside, open_till

CHECKLIST = ("V2.2.2", "V2.3.4", "V15.4.2")
SIXTY = {**FORTY, "amount": "60.00"}


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for one cent too much, then have sixty twice approved out of ninety-nine, and run both."""
    open_till(door)
    finance = finance_inside(door)
    asking = door.attempts(422, "request.refused", code="bad_parameter")
    for step in ("preview", "ask"):
        asking.post(finance, REFUND, {**FORTY, "amount": "99.01", **WHY, "step": step})
    door.run_by_hand("billing.refund")
    finance = finance_inside(door, "finance_lead_2")
    first, second = (door.ask(finance, REFUND, SIXTY, **WHY) for _ in range(2))
    lead = door.enter("finance_lead")
    for each in (first, second):
        door.vote(lead, each)
    lead.post(f"/requests/{first}/execution", {})
    assert door.request(first).state == "executed"
    running = door.attempts(
        409, "request.execute_refused", code="precondition_stale", settles=("request", "request_vote", "notice", "vote")
    )
    running.post(lead, f"/requests/{second}/execution")
    return asking, running
