"""Colleagues give one of them more tenants than a top-up may, each a little."""

from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE

CHECKLIST = ("V2.3.4",)
TOP_UP = "/actions/lease.top_up"
WHY = {"reason_code": "INCIDENT_RESPONSE", "reason_reference": "INC-2301", "reason_note": ""}


def attack(door: Door) -> Attempts:
    """Give all of it, then a little more, by another colleague too."""
    colleague, limits = PEOPLE["support_agent"].id, door.cast.house.book.limits
    first, second = door.enter("support_lead"), door.enter("support_agent_2")
    whole = {"colleague": colleague, "extra": str(limits.top_up_most_tenants)}
    door.ask(first, TOP_UP, whole, **WHY)
    more = door.attempts(403, "request.refused", code="ceiling_exceeded")
    for browser in (first, second):
        for extra in ("1", whole["extra"]):
            form = door.preview(browser, TOP_UP, {"colleague": colleague, "extra": extra}, **WHY)
            more.post(browser, TOP_UP, form)
    with door.cast.house.store.read() as unit:
        assert unit.leases.budget(colleague, door.cast.clock.now()).extra == limits.top_up_most_tenants
    return more
