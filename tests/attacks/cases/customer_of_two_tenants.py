"""One customer of the provider is approved for two tenants: whoever comes second takes the other's money with it."""

from dataclasses import replace

from tests.attacks.door import Attempts, Door
from tests.attacks.money import open_till
from tests.billing import A_CUSTOMER

CHECKLIST = ("V2.3.4", "V15.4.2", "V8.2.2")
SHARED = "cus_shared1"
LINK = {"customer": SHARED, "proof": "document"}
SIGNED = {"reason_note": f"Signed for {SHARED} on 3 May."}
RESERVED = "INSERT INTO execution_reservation (name, execution, at) VALUES ('billing customer cus_shared1', ?, 0)"


def attack(door: Door) -> tuple[Attempts, ...]:
    """Run the second approval after the first, ask for it once more, and hold the customer twice in the database."""
    open_till(door).knows(replace(A_CUSTOMER, id=SHARED))
    door.run_by_hand("billing.link_customer")
    first, second = (_approved(door, slug) for slug in ("nordwind", "kestrel"))
    finance = door.enter("finance")
    assert finance.post(f"/requests/{first}/execution").status_code == 303
    late = door.attempts(409, "request.execute_refused", settles=("request", "notice", "request_vote"))
    late.post(finance, f"/requests/{second}/execution")
    again = door.attempts(422, "request.refused", code="bad_parameter")
    form = {**LINK, "reason_code": "CONTRACT_CHANGE", "reason_reference": "CTR-2026-0117", **SIGNED}
    again.post(finance, "/t/kestrel/actions/billing.link_customer", {**form, "step": "preview"})
    belt = door.attempts("IntegrityError", unrecorded="the key refuses it under the application, which is never asked")
    door.sql(RESERVED, "exe_1")
    belt.sql(RESERVED, "exe_2")
    return late, again, belt


def _approved(door: Door, slug: str) -> str:
    """Return an approved request that waits to be run."""
    finance = door.enter("finance")
    door.open(finance, slug, reason_code="CONTRACT_CHANGE", reason_reference="CTR-2026-0117")
    request = door.ask(finance, f"/t/{slug}/actions/billing.link_customer", LINK, **SIGNED)
    for who in ("finance_lead", "support_lead"):
        door.vote(door.enter(who), request)
    assert door.request(request).state == "approved"
    return request
