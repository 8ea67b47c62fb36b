"""A reason is made so long that no entry could hold it, so that what is refused leaves none."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, TICKET, Attempts, Door

CHECKLIST = ("V16.3.2",)
LONG = "x" * 70_000  # within what a form may hold, and more than an entry


def attack(door: Door) -> tuple[Attempts, ...]:
    """Send it as code, reference and note, to the lease form and to an action that was previewed."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    opening = door.attempts(422, "lease.refused")
    for name in ("reason_code", "reason_reference", "reason_note"):
        opening.post(agent, "/tenants/nordwind/lease", {**TICKET, name: LONG})
    door.open(agent)
    form = door.preview(agent, OVERRIDE, SEATS)
    asking = door.attempts(422, "request.refused")
    for name in ("reason_reference", "reason_note"):
        asking.post(agent, OVERRIDE, {**form, **CONTRACT, name: LONG})
    return opening, asking
