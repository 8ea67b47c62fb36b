"""The form of an action carries fields that it does not have: state, votes, policy's answer."""

from tests.attacks.door import OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V15.3.3", "V2.2.2", "V8.3.1")
SMUGGLED = (
    "state",
    "approved_by",
    "tenant_id",
    "version",
    "needs",
    "rules",
    "execute_by",
    "requester",
    "digest",
    "lease",
)


def attack(door: Door) -> Attempts:
    """Add each to an otherwise perfect form."""
    agent = door.inside()
    attempts = door.attempts(422, "csrf.refused", code="bad_parameter")
    for name in SMUGGLED:
        attempts.post(agent, OVERRIDE, {**door.preview(agent, OVERRIDE, SEATS), name: "approved"})
    return attempts
