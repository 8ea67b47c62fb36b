"""A vote carries fields that no page offers: state, approver, version, tenant."""

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V15.3.3", "V2.2.2")
SMUGGLED = (
    "state",
    "approved_by",
    "tenant_id",
    "version",
    "revision",
    "requester",
    "roles",
    "person",
    "voided_because",
)


def attack(door: Door) -> Attempts:
    """Add each to an otherwise perfect vote."""
    request = door.asked()
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{request}")
    attempts = door.attempts(422, "csrf.refused", code="bad_parameter")
    for name in SMUGGLED:
        attempts.post(lead, f"/requests/{request}/votes", {**door.ballot(request), name: "approved"})
    return attempts
