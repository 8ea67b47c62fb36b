"""A program votes with a token or a name and secret instead of a person with a session."""

from base64 import b64encode

from tests.attacks.door import Attempts, Door
from tests.attacks.product import inside_product
from tests.products import CLIENT_ID, CLIENT_SECRET
from tests.web.customer_stage import DECIDES, TOKEN, trust
from tests.web.world import TENANTS

CHECKLIST = ("V2.3.5", "V6.3.4")


def attack(door: Door) -> Attempts:
    """Send a good ballot with everything that opens some other door of the house; a lead's session is what counts."""
    trust(door.cast, TENANTS["nordwind"])
    _agent, inside = inside_product(door)
    request = door.suspension_asked()
    path, ballot = f"/requests/{request}/votes", door.ballot(request)
    product = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    attempts = door.attempts(401, "route.refused")
    for given in (f"Bearer {inside.token}", f"Basic {product}", f"Bearer {TOKEN}", f"Bearer {DECIDES}"):
        for sent in ({"data": ballot}, {"json": ballot}):
            attempts.send(door.cast.stranger(), "POST", path, headers={"Authorization": given}, **sent)
    assert not door.votes(request)
    door.vote(door.enter("support_lead_2"), request)
    assert len(door.votes(request)) == 1
    return attempts
