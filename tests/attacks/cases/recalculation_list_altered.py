"""The plan of a recalculation is altered so that losers look like none, and nobody is asked to approve."""

from tests.attacks.door import Attempts, Door
from tests.web.access_stage import planned_sweep

CHECKLIST = ("V15.4.2", "V2.3.4", "V2.2.2")
RUN = "/actions/entitlement.run_recalculation"
WHY = {"reason_code": "CONTRACT_CHANGE", "reason_reference": "CTR-2026-0117", "reason_note": "", "step": "preview"}


def attack(door: Door) -> tuple[Attempts, ...]:
    """Change the list against its seat belt, then without it; and the figures that approval depends on."""
    listed, counted = planned_sweep(door.cast), planned_sweep(door.cast)
    lead = door.enter("support_lead")
    belt = door.attempts(
        "IntegrityError", unrecorded="the database refuses it under the application, which is never asked"
    )
    belt.sql("UPDATE access_sweep_tenant SET losses = 0 WHERE run = ?", listed)
    door.unlock("access_sweep_tenant")
    door.sql("UPDATE access_sweep_tenant SET losses = 0 WHERE run = ?", listed)
    door.sql("UPDATE access_sweep SET losing = 0 WHERE id = ?", counted)
    asking = door.attempts(422, "request.refused", code="bad_parameter")
    asking.post(lead, RUN, {"run": listed, **WHY})
    asking.post(lead, RUN, {"run": counted, **WHY})
    return belt, asking
