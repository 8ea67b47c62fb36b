"""Somebody reveals one member's address after another, each recorded, until the hour's budget is spent."""

from console.domain.imports import member_id_of
from tests.attacks.door import Attempts, Door

CHECKLIST = ("V14.2.6", "V2.4.1")
REVEAL = "/t/nordwind/actions/member.reveal"


def attack(door: Door) -> Attempts:
    """Reveal one more than the budget allows."""
    agent = door.inside()
    house = door.cast.house
    action = house.registry["member.reveal"]  # type: ignore[index]  # a key as text
    fields = {"member": member_id_of("cust-1001", "nordwind-m1"), "field": "email"}
    why = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "ZD-48213"}
    form = door.preview(agent, REVEAL, fields, **why)
    with house.store.write() as unit:
        for _ in range(house.book.limits.reveals_per_hour):
            unit.throttles.hit(str(action.budget), door.staff("support_agent"), at=door.cast.clock.now())
    attempts = door.attempts(429, "request.refused", code="budget_spent")
    assert "member1@nordwind.example" not in attempts.post(agent, REVEAL, form).text
    return attempts
