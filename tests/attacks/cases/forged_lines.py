"""A reason holds line ends, escape codes, reversed text and NUL, to forge lines of the trail."""

from tests.attacks.door import TICKET, Attempts, Door

CHECKLIST = ("V16.4.1", "V2.2.1")
FORGERIES = ("a\r\nsigned out", "a\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\u2066b", "a\x85b", "a\x7fb")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Open a tenant with each in the note, and with a NUL."""
    agent = door.enter()
    agent.get("/tenants/nordwind/lease")
    lines = door.attempts(422, "lease.refused", code="bad_parameter")
    for note in FORGERIES:
        lines.post(agent, "/tenants/nordwind/lease", {**TICKET, "reason_note": note})
    nul = door.attempts(400, "csrf.refused", code="bad_parameter")
    nul.post(agent, "/tenants/nordwind/lease", {**TICKET, "reason_note": "a\x00b"})
    return lines, nul
