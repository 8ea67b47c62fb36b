"""Somebody with one tenant open releases a hold, revokes a token or withdraws a question of another tenant."""

from tests.attacks.door import Attempts, Door
from tests.web.customer_stage import trust
from tests.web.world import TENANTS

CHECKLIST = ("V8.2.2",)
MATTER = {"reason_code": "LEGAL_PROCESS", "reason_reference": "MAT-12", "reason_note": "A court order, file 7."}
TICKET = {"reason_code": "CUSTOMER_SUPPORT", "reason_reference": "SUP-48213", "reason_note": ""}


def attack(door: Door) -> Attempts:
    """Name things of Kestrel in the forms of Nordwind."""
    trust(door.cast, TENANTS["kestrel"])
    lead = door.inside("support_lead")
    refused = door.attempts(422, "request.refused")
    for key, field, thing, reason in (
        ("legal_hold.release", "hold", "lgh_1", MATTER),
        ("customer_token.revoke", "token", "cut_1", TICKET),
        ("consent.withdraw", "consent", "cns_1", TICKET),
    ):
        path = f"/t/nordwind/actions/{key}"
        lead.get(path)
        refused.post(lead, path, {field: thing, **reason, "step": "preview"})
    return refused
