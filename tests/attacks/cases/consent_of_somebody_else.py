"""A colleague takes back what a customer agreed to for somebody else, who is in the middle of it."""

from datetime import timedelta

from console.domain.trust.consents import Consent, ConsentState
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE
from tests.web.product_stage import TICKET
from tests.web.world import TENANTS

CHECKLIST = ("V8.2.2",)
WITHDRAW = "/t/nordwind/actions/consent.withdraw"
WHY = {"reason_code": TICKET.code, "reason_reference": TICKET.reference, "reason_note": ""}


def attack(door: Door) -> Attempts:
    """Withdraw what waits for the customer, and what they agreed to."""
    agent = door.inside("support_agent_2")
    refused = door.attempts(404, "request.refused", code="not_yours")
    for consent in _consents(door):
        refused.post(agent, WITHDRAW, door.preview(agent, WITHDRAW, {"consent": consent}, **WHY))
    return refused


def _consents(door: Door) -> list[str]:
    now = door.cast.clock.now()
    found = [
        Consent(
            id=f"cns_{state}", tenant=TENANTS["nordwind"], staff=PEOPLE["support_agent"].id, what="See your invoices.",
            member=None, mode="read", reason_code=TICKET.code, reference=TICKET.reference, minutes=20, asked_at=now,
            decide_by=now + timedelta(hours=1), use_by=now + timedelta(hours=2), state=state,
        )
        for state in (ConsentState.PENDING, ConsentState.APPROVED)
    ]  # fmt: skip
    with door.cast.house.store.write() as unit:
        for each in found:
            unit.consents.add(each)
    return [each.id for each in found]
