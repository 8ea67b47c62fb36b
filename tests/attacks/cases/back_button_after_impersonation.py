"""An impersonation has ended; its hand-over page, its code and its token are used again from the browser's history."""

import secrets

from tests.attacks.door import Attempts, Door
from tests.attacks.product import call, inside_product, renew
from tests.web.product_stage import CODE_TYPE, EXCHANGE, hand_off_path, handed_over

CHECKLIST = ("V14.3.2", "V8.3.2")


def attack(door: Door) -> tuple[Attempts, ...]:
    """Stop, and go back in every way that a browser or a product offers; nothing was allowed to be kept."""
    agent, inside = inside_product(door)
    verifier = secrets.token_urlsafe(48)
    shown = agent.get(hand_off_path(inside.sid, verifier))
    assert shown.headers["Cache-Control"] == "no-store"
    code = handed_over(agent, inside.sid, verifier)
    assert agent.post(f"/impersonations/{inside.sid}/end").status_code == 303
    again = door.attempts(409, "impersonation.refused", code="impersonation_ended")
    again.get(agent, hand_off_path(inside.sid, verifier))
    token = door.attempts(400, "impersonation.refused")
    renew(token, inside.token)
    spent = door.attempts(400, "impersonation.refused", settles=("impersonation_code",))
    form = {"grant_type": EXCHANGE, "subject_token": code, "subject_token_type": CODE_TYPE, "code_verifier": verifier}
    call(spent, "/product/token", form)
    ending = door.attempts(404, "impersonation.end_refused", code="not_yours")
    agent.get("/account")
    ending.post(agent, f"/impersonations/{inside.sid}/end")
    return again, token, spent, ending
