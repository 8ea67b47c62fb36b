"""Somebody who is not the product calls in its name, with a signed-in browser's cookie, or with no name at all."""

from tests.attacks.door import Attempts, Door
from tests.attacks.product import call, inside_product, still_runs
from tests.products import CLIENT_ID, CLIENT_SECRET

CHECKLIST = ("V8.2.1", "V8.4.2")
PATHS = ("token", "introspect", "revoke", "reports", "events")


def attack(door: Door) -> Attempts:
    """Try every address of the product with wrong names and secrets."""
    agent, inside = inside_product(door)
    attempts = door.attempts(401, "product.refused")
    form = {"token": inside.token}
    for path in PATHS:
        call(attempts, f"/product/{path}", form, client=(CLIENT_ID, CLIENT_SECRET.swapcase()))
        call(attempts, f"/product/{path}", form, client=(CLIENT_ID.upper(), CLIENT_SECRET))
        attempts.send(agent, "POST", f"/product/{path}", data=form)
        attempts.send(
            agent, "POST", f"/product/{path}", data=form | {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        )
        attempts.send(agent, "POST", f"/product/{path}", data=form, headers={"Authorization": f"Bearer {inside.token}"})
    assert still_runs(door, inside.sid)
    return attempts
