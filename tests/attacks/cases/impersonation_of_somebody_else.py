"""A colleague's impersonation is looked at, taken over in another browser, and ended by somebody without a say."""

import secrets

from console.domain.product_tokens import challenge_of
from tests.attacks.door import Attempts, Door
from tests.attacks.product import inside_product, still_runs
from tests.products import CLIENT_ID
from tests.web.product_stage import STATE, hand_off_path

CHECKLIST = ("V8.2.2", "V7.2.1")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Try it as a colleague, and as the same person in a second browser."""
    _agent, inside = inside_product(door)
    colleague, second = door.inside("support_agent_2"), door.enter("support_agent")
    verifier = secrets.token_urlsafe(48)
    form = {"client_id": CLIENT_ID, "state": STATE, "code_challenge": challenge_of(verifier)}
    taking = door.attempts(404, "impersonation.refused", code="not_yours")
    for browser in (colleague, second):
        browser.get("/account")
        taking.get(browser, hand_off_path(inside.sid, verifier))
        browser.get("/account")
        taking.post(browser, f"/impersonations/{inside.sid}/hand-off", form)
    taking.get(colleague, f"/impersonations/{inside.sid}")
    ending = door.attempts(404, "impersonation.end_refused", code="not_yours")
    colleague.get("/account")
    ending.post(colleague, f"/impersonations/{inside.sid}/end")
    ending.post(colleague, "/impersonations/imp_00000000000000000000000000/end")
    assert still_runs(door, inside.sid)
    return taking, ending
