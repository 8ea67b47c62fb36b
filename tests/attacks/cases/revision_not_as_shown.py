"""A revision is filed although the tenant changed after its preview, so that nobody has seen what it would do now."""

from tests.attacks.door import SEATS, Attempts, Door

CHECKLIST = ("V2.3.4", "V15.4.2")


def attack(door: Door) -> Attempts:
    """Preview a revision, let another request change the very limit, then file the revision."""
    agent, lead = door.inside(), door.enter("finance_lead")
    request = door.ask(agent)
    revision = f"/requests/{request}/revision"
    form = door.preview(agent, revision, {**SEATS, "value": "900"})
    asked = {name: value for name, value in form.items() if not name.startswith("reason")}
    door.vote(lead, door.ask(agent, fields={**SEATS, "value": "260"}))
    attempts = door.attempts(409, unrecorded="nothing is refused: the page comes back with what it would do now")
    answer = attempts.post(agent, revision, asked)
    assert "Things changed since your preview" in answer.text
    assert door.request(request).revision == 1
    return attempts
