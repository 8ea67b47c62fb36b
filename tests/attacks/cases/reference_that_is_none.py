"""The reference is missing, no reference at all, unknown, another tenant's, or closed."""

from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V2.2.1", "V2.2.3", "V1.3.12")
REFERENCES = {
    "": "reference_missing", "48213": "reference_malformed", "ZD-48213 ": "", "ZD-48213\u202e": "reference_malformed",
    "ZD-" + "1" * 9_000: "reference_malformed", "ZD-1404": "reference_unknown", "ZD-1403": "reference_foreign",
    "ZD-1410": "reference_closed", "ZD-48213; DROP TABLE lease": "reference_malformed",
}  # fmt: skip


def attack(door: Door) -> tuple[Attempts, ...]:
    """Open a tenant with each, but for the one that only has a space too many."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    sheets = []
    for reference, code in REFERENCES.items():
        if code:
            attempts = door.attempts(422, "lease.refused", code=code)
            attempts.post(agent, "/tenants/nordwind/lease", {**TICKET, "reason_reference": reference})
            sheets.append(attempts)
    return tuple(sheets)
