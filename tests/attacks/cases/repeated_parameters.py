"""A field comes twice, once harmless and once not; or in the address instead of the form."""

from tests.attacks.door import OVERRIDE, SEATS, TICKET, Attempts, Door

CHECKLIST = ("V15.3.7",)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Double the verdict, the value, the reason; then move the verdict to the address."""
    agent = door.inside()
    request = door.ask(agent)
    form = door.preview(agent, OVERRIDE, SEATS)
    doubled = door.attempts(422, "csrf.refused", code="bad_parameter")
    doubled.post(agent, OVERRIDE, {**form, "value": ["250", "900"]})
    doubled.post(agent, OVERRIDE, {**form, "reason_code": ["CONTRACT_CHANGE", "INCIDENT_RESPONSE"]})
    doubled.post(agent, OVERRIDE, {**form, "form_id": [form["form_id"], "req_1"]})
    doubled.post(agent, "/tenants/kestrel/lease", {**TICKET, "minutes": ["5", "30"]})
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{request}")
    ballot = door.ballot(request)
    doubled.post(lead, f"/requests/{request}/votes", {**ballot, "verdict": ["reject", "approve"]})
    doubled.post(lead, f"/requests/{request}/votes", {**ballot, "digest": [ballot["digest"], "0" * 64]})
    moved = door.attempts(422, unrecorded="the form merely lacks its verdict; what stands in the address is not read")
    moved.post(lead, f"/requests/{request}/votes?verdict=approve", {"digest": ballot["digest"], "comment": ""})
    return doubled, moved
