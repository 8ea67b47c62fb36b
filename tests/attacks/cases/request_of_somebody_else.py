"""A request is read, withdrawn, revoked and revised by somebody it does not concern."""

import re

from tests.attacks.door import Attempts, Door

CHECKLIST = ("V8.2.2", "V8.2.3")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Know only the id, and try every verb; once more when its time is over."""
    request = door.approved()
    browser = door.inside("support_agent_2")
    path = f"/requests/{request}"
    reading = door.attempts(404, "request.read_refused", code="not_yours")
    for address in (path, f"{path}/revision"):
        answer = reading.get(browser, address)
        assert not re.search(r"\b250\b", answer.text)
    cancelling = door.attempts(404, "request.cancel_refused", code="not_yours")
    cancelling.post(browser, f"{path}/cancellation")
    revoking = door.attempts(404, "request.revoke_refused", code="not_yours")
    revoking.post(browser, f"{path}/revocation", {"because": "I say so"})
    door.cast.clock.pass_by(hours=2)
    later = door.inside("support_agent_2")
    cancelling.post(later, f"{path}/cancellation")
    revoking.post(later, f"{path}/revocation", {"because": "I say so"})
    return reading, cancelling, revoking
