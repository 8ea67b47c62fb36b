"""A finding shall stand for ever: no end is given, one that is over, and one in a thousand years."""

from tests.attacks.door import Attempts, Door
from tests.reconciling import A_FINDING

CHECKLIST = ("V2.3.2", "V2.2.1")
WAIVE = "/actions/finding.waive"
INVOICE = {"reason_code": "BILLING_RECONCILIATION", "reason_reference": "INV-2026-004711", "reason_note": ""}


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for a waiver without an end, and for ends that are none."""
    with door.cast.house.store.write() as unit:
        unit.findings.add(A_FINDING)
    finance = door.enter("finance")
    finance.get(f"{WAIVE}?finding={A_FINDING.id}")
    form = {"finding": A_FINDING.id, "note": "It was always like this.", **INVOICE, "step": "ask"}
    endless = door.attempts(422, unrecorded="a field that is empty is told to whoever left it empty")
    for until in ("", "never", "2026-13-01"):
        endless.post(finance, WAIVE, {**form, "until": until})
    past = door.attempts(422, "request.refused", code="bad_parameter")
    past.post(finance, WAIVE, {**form, "until": "2026-11-20"})
    far = door.attempts(422, "request.refused", code="expiry_too_far")
    for until in ("2027-02-21", "3026-11-21"):
        fields = {"finding": A_FINDING.id, "until": until, "note": form["note"]}
        far.post(finance, WAIVE, door.preview(finance, WAIVE, fields, **INVOICE))
    return endless, past, far
