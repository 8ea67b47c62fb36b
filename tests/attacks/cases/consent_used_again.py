"""A consent that was spent on one access is used for another, or brought back in the database itself."""

from datetime import timedelta
from functools import partial

from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule
from console.domain.trust.consents import Consent, ConsentState
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE
from tests.web.product_stage import TICKET, ask_to_act, begun
from tests.web.world import TENANTS

CHECKLIST = ("V8.2.1", "V15.4.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Reach for it by asking again, and in the database itself."""
    agent = door.inside()
    _consent(door)
    sid = begun(door.cast)
    assert agent.post(f"/impersonations/{sid}/end").status_code == 303
    attempts = door.attempts("tenant_opted_out", "request.refused", code="tenant_opted_out")
    for number in (1, 2):
        attempts.ask(f"act for member {number}", partial(ask_to_act, door.cast, "support_agent", number=number))
    seat_belts = door.attempts(
        "IntegrityError", unrecorded="the database refuses it, and the application is never asked"
    )
    for changed in ("state = 'approved'", "state = 'withdrawn'", "used_by = 'imp_other'", "minutes = 30"):
        seat_belts.sql(f"UPDATE consent SET {changed} WHERE state = 'used'")
    return attempts, seat_belts


def _consent(door: Door) -> None:
    now = door.cast.clock.now()
    given = Consent(
        id="cns_given", tenant=TENANTS["nordwind"], staff=PEOPLE["support_agent"].id, what="See your invoices.",
        member=None, mode="read", reason_code=TICKET.code, reference=TICKET.reference, minutes=20, asked_at=now,
        decide_by=now + timedelta(hours=1), use_by=now + timedelta(hours=2), state=ConsentState.APPROVED,
    )  # fmt: skip
    with door.cast.house.store.write() as unit:
        wish = AccessPolicy(impersonation=ImpersonationRule.CONSENT)
        assert unit.access_policies.put(given.tenant, wish, by="m", at=now)
        unit.consents.add(given)
