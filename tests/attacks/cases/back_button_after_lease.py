"""The lease was closed by hand, and the browser goes back to the pages it had open."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V8.2.2", "V14.3.1", "V14.3.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Reload a page and send a form that were open before."""
    agent = door.inside()
    shown = agent.get("/t/nordwind/members")
    assert shown.headers["Cache-Control"] == "no-store"
    form = {**door.preview(agent, OVERRIDE, SEATS), **CONTRACT}
    (lease,) = door.leases("support_agent")
    assert agent.post(f"/leases/{lease.id}/end").status_code == 303
    reading = door.attempts(404, "tenant.read_refused", code="no_lease")
    reading.get(agent, "/t/nordwind/members")
    asking = door.attempts(404, "request.refused", code="no_lease")
    asking.post(agent, OVERRIDE, form)
    return reading, asking
