"""The hand-over is asked for by another client, without a challenge, or with fields that it does not have."""

import secrets
from urllib.parse import urlencode

from console.domain.product_tokens import challenge_of
from tests.attacks.door import Attempts, Door
from tests.products import CLIENT_ID
from tests.web.product_stage import STATE, begun

CHECKLIST = ("V15.3.3", "V15.3.7", "V10.1.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Ask for a code that another browser, or another site, could bring."""
    agent = door.inside()
    path = f"/impersonations/{begun(door.cast)}/hand-off"
    good = {"client_id": CLIENT_ID, "state": STATE, "code_challenge": str(challenge_of(secrets.token_urlsafe(48)))}
    wrong = door.attempts(422, "impersonation.refused", code="bad_parameter")
    for change in ({"client_id": "other"}, {"client_id": ""}, {"state": ""}, {"state": "a&b=c#ddddd"},
                   {"code_challenge": ""}, {"code_challenge": "plain"}, {"code_challenge": "e" * 44}):  # fmt: skip
        wrong.get(agent, f"{path}?{urlencode(good | change)}")
        agent.get("/account")
        wrong.post(agent, path, good | change)
    agent.get("/account")
    strange = door.attempts(422, "csrf.refused", code="bad_parameter")
    for extra in ({"member": "mem_other"}, {"mode": "write"}, {"redirect_uri": "https://evil.example"}):
        strange.post(agent, path, good | extra)
    return wrong, strange
