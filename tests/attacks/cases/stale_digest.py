"""An approval of the first revision is sent after the second one was filed."""

from tests.attacks.door import SEATS, Attempts, Door

CHECKLIST = ("V15.4.2", "V2.3.4")


def attack(door: Door) -> Attempts:
    """Let the approver look, raise the value, and send the old digest after looking again."""
    agent = door.inside()
    request = door.ask(agent)
    lead = door.enter("finance_lead")
    lead.get(f"/requests/{request}")
    ballot = door.ballot(request)
    revision = f"/requests/{request}/revision"
    form = door.preview(agent, revision, {**SEATS, "value": "900"})
    asked = {name: value for name, value in form.items() if not name.startswith("reason")}
    assert agent.post(revision, asked).status_code == 303
    assert door.request(request).revision == 2
    lead.get(f"/requests/{request}")
    attempts = door.attempts(409, "request.vote_refused", code="stale_digest")
    attempts.post(lead, f"/requests/{request}/votes", ballot)
    return attempts
