"""A support lead calls harmless what a signal says of them."""

from tests.attacks.door import Attempts, Door
from tests.web.signal_stage import raised_signal

CHECKLIST = ("V2.3.5",)
SETTLE = "/actions/signal.settle"
WHY = {"reason_code": "REVIEW", "reason_reference": "REV-2026-11", "reason_note": ""}


def attack(door: Door) -> Attempts:
    """Send either verdict on oneself."""
    lead = door.enter("support_lead")
    signal = raised_signal(door.cast, about="support_lead")
    alone = door.attempts(403, "request.refused", code="self_target")
    for verdict in ("harmless", "confirmed"):
        said = {"signal": signal, "verdict": verdict, "note": "That was my usual list of Mondays."}
        alone.post(lead, SETTLE, door.preview(lead, SETTLE, said, **WHY))
    return alone
