"""Somebody acts for a member without the lease, longer than the limit, for another reason, or without the role."""

from dataclasses import replace
from functools import partial

from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from tests.attacks.door import Attempts, Door
from tests.web.product_stage import TICKET, ask_to_act

CHECKLIST = ("V8.2.1", "V8.4.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for it in every way that policy refuses."""
    door.inside()
    elsewhere = door.attempts("no_lease", "request.refused", code="no_lease")
    elsewhere.ask("on a tenant that is not open", lambda: ask_to_act(door.cast, "support_agent", slug="kestrel"))
    longer = door.attempts("minutes_above_limit", "request.refused", code="minutes_above_limit")
    for minutes in (31, 480):
        longer.ask(f"{minutes} minutes", partial(ask_to_act, door.cast, "support_agent", minutes=minutes))
    other = door.attempts("reason_not_accepted", "request.refused", code="reason_not_accepted")
    incident = Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301")
    for reason in (replace(TICKET, reference="ZD-1"), incident):
        other.ask(f"for {reason.reference}", partial(ask_to_act, door.cast, "support_agent", reason=reason))
    door.open(door.enter("on_call"), reason_code="INCIDENT_RESPONSE", reason_reference="INC-2301")
    role = door.attempts("role_missing", "request.refused", code="role_missing")
    role.ask("as an on-call engineer", lambda: ask_to_act(door.cast, "on_call", reason=incident))
    return elsewhere, longer, other, role
