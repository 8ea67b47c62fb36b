"""Two tenants lie open in two tabs, and what was read in one is asked for in the other."""

from console.domain.imports import member_id_of
from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V8.4.1", "V2.2.3")


def attack(door: Door) -> Attempts:
    """Reveal the members of each through the address of the other, both leases being good."""
    agent = door.inside()
    door.open(agent, "kestrel")
    reason = {name: value for name, value in TICKET.items() if name.startswith("reason")}
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    for slug, foreign in (
        ("nordwind", member_id_of("cust-1002", "kestrel-m1")), ("kestrel", member_id_of("cust-1001", "nordwind-m1"))
    ):  # fmt: skip
        path = f"/t/{slug}/actions/member.reveal"
        attempts.post(agent, path, {"member": foreign, "field": "email", **reason, "step": "preview"})
    return attempts
