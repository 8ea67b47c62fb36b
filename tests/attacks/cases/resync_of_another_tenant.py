"""The provider's ids of another tenant's objects go through the address of the tenant that is open."""

from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V8.2.2", "V2.2.3", "V8.4.1")
RESYNC = "/t/nordwind/actions/billing.resync"
FOREIGN = (
    {"kind": "invoice", "object": "in_kestrel_1"},
    {"kind": "customer", "object": "cus_kestrel"},
    {"invoice": "INV-kestrel-1"},
)
NONE = (
    {"kind": "invoice", "object": "' OR 1=1 --"},
    {"kind": "payout", "object": "po_1"},
    {"invoice": "INV-nordwind-1", "kind": "invoice", "object": "in_kestrel_1"},
)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for the resync of each of them; none is told of, and none is written."""
    agent = door.inside()
    refused = door.attempts(422, "request.refused", code="bad_parameter")
    wrong = door.attempts(422, unrecorded="what cannot be an id or two at once is a form that is filled in wrongly")
    reason = {name: value for name, value in TICKET.items() if name.startswith("reason")}
    for attempts, tried in ((refused, FOREIGN), (wrong, NONE)):
        for named in tried:
            typed = {"invoice": "", "kind": "", "object": "", **named, **reason, "step": "ask"}
            assert "12,499.00" not in attempts.post(agent, RESYNC, typed).text
    return refused, wrong
