"""A form is larger than any form of ours, in one field and in twenty thousand."""

from tests.attacks.door import OVERRIDE, Attempts, Door

CHECKLIST = ("V5.2.1", "V15.2.2")


def attack(door: Door) -> Attempts:
    """Send them to an action, to the lease form and to a button."""
    agent = door.inside()
    agent.get("/account")
    token = {"csrf_token": agent.token}
    attempts = door.attempts(413, "csrf.refused", code="bad_parameter")
    many = {f"field{number}": "" for number in range(20_000)}
    some = {f"field{number}": "" for number in range(501)}
    for path in (OVERRIDE, "/tenants/kestrel/lease", "/account/notices/read"):
        for form in ({**token, "reason_note": "n" * 300_000}, {**token, **many}, {**token, **some}):
            attempts.send(agent, "POST", path, data=form)
    parts = {**token, **{f"field{number}": "x" for number in range(150)}}
    attempts.send(agent, "POST", OVERRIDE, data=parts, content_type="multipart/form-data")
    return attempts
