"""A finance lead waives a finding and approves that alone."""

from tests.attacks.cases.waiver_without_end import INVOICE, WAIVE
from tests.attacks.door import Attempts, Door
from tests.reconciling import A_FINDING

CHECKLIST = ("V2.3.5",)
UNTIL = {"finding": A_FINDING.id, "until": "2027-01-31", "note": "Paid by bank transfer, see the contract."}


def attack(door: Door) -> Attempts:
    """Vote on one's own request."""
    with door.cast.house.store.write() as unit:
        unit.findings.add(A_FINDING)
    lead = door.enter("finance_lead")
    request = door.ask(lead, WAIVE, UNTIL, **INVOICE)
    lead.get(f"/requests/{request}")
    alone = door.attempts(403, "request.vote_refused", code="self_approval")
    alone.post(lead, f"/requests/{request}/votes", door.ballot(request))
    return alone
