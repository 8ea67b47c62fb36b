"""A form is sent under the id of a colleague's request, to take its place or its approval."""

from tests.attacks.door import OVERRIDE, SEATS, Attempts, Door

CHECKLIST = ("V8.2.2", "V2.3.4")


def attack(door: Door) -> Attempts:
    """File one's own values under the colleague's id."""
    request = door.asked("support_agent_2")
    agent = door.inside("support_agent")
    form = {**door.preview(agent, OVERRIDE, {**SEATS, "value": "900"}), "form_id": request}
    attempts = door.attempts(404, "request.refused", code="not_yours")
    attempts.post(agent, OVERRIDE, form)
    assert door.request(request).params["value"] == 250
    return attempts
