"""A reason code is used that belongs to another team, to nobody, or to emergencies."""

from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V8.2.1", "V2.2.2")
REFERENCES = {
    "BILLING_RECONCILIATION": "INV-2026-004711", "DATA_REPAIR": "CHG-1180", "FRAUD_ABUSE_REVIEW": "CASE-77",
    "LEGAL_PROCESS": "MAT-12", "BREAK_GLASS": "INC-2301",
}  # fmt: skip


def attack(door: Door) -> tuple[Attempts, ...]:
    """Open a tenant as a support agent for other people's reasons."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    known = door.attempts(422, "lease.refused", code="reason_not_accepted")
    for code, reference in REFERENCES.items():
        form = {**TICKET, "reason_code": code, "reason_reference": reference, "reason_note": "Because.", "minutes": "5"}
        known.post(agent, "/tenants/nordwind/lease", form)
    unknown = door.attempts(422, "lease.refused", code="reason_unknown")
    for code in ("customer_support", "ADMIN", "CUSTOMER_SUPPORT OR 1=1", "../CUSTOMER_SUPPORT"):
        unknown.post(agent, "/tenants/nordwind/lease", {**TICKET, "reason_code": code})
    return known, unknown
