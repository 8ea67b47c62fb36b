"""What changes something is asked for by GET and HEAD, as a link or a picture would."""

from tests.attacks.door import CONTRACT, OVERRIDE, SEATS, TICKET, Attempts, Door

CHECKLIST = ("V3.5.3",)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Look at the address of every button."""
    agent = door.inside()
    request = door.ask(agent)
    (lease,) = door.leases("support_agent")
    attempts = door.attempts(405, "route.refused")
    paths = (
        f"/leases/{lease.id}/end", f"/requests/{request}/votes", f"/requests/{request}/execution", "/sign-out",
        f"/requests/{request}/cancellation", f"/requests/{request}/revocation", "/account/notices/read",
        f"/account/sessions/{door.session(agent)}/end",
    )  # fmt: skip
    for path in paths:
        for method in ("GET", "HEAD"):
            attempts.send(agent, method, path)
    form = {**TICKET, "csrf_token": agent.token}
    harmless = door.attempts(200, unrecorded="nothing is refused: it is the page of the form, whatever came along")
    for method in ("GET", "HEAD"):
        harmless.send(agent, method, "/tenants/kestrel/lease", data=form)
        harmless.send(agent, method, OVERRIDE, data={**SEATS, **CONTRACT, "step": "ask", "mark": "0" * 64})
    return attempts, harmless
