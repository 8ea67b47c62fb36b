"""The id of another tenant's member goes through the address of the tenant that is open."""

from console.domain.imports import member_id_of
from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V8.2.2", "V2.2.3", "V8.4.1")
REVEAL = "/t/nordwind/actions/member.reveal"


def attack(door: Door) -> Attempts:
    """Preview and ask for the reveal of a foreign member, and of ids that are none."""
    agent = door.inside()
    attempts = door.attempts(422, "request.refused", code="bad_parameter")
    reason = {name: value for name, value in TICKET.items() if name.startswith("reason")}
    for member in (member_id_of("cust-1002", "kestrel-m1"), "mem_00000000000000000000000000", "' OR 1=1 --"):
        answer = attempts.post(agent, REVEAL, {"member": member, "field": "email", **reason, "step": "preview"})
        assert "kestrel.example" not in answer.text
    return attempts
