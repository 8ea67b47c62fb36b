"""Somebody reads a tenant's access log with no token, a guess, another tenant's hash, a revoked token, or too often."""

from tests.attacks.door import Attempts, Door
from tests.web.customer_stage import DECIDES, TOKEN, trust
from tests.web.world import TENANTS

CHECKLIST = ("V2.4.1",)
LOG = "/customer/access-log"
GUESSES = (
    "",
    "Bearer",
    "Bearer spc_",
    f"Bearer spc_{'x' * 43}",
    f"Basic {TOKEN}",
    f"Bearer {TOKEN}x",
    "Bearer ' OR 1=1",
)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Try each of them, then a good token after its revocation, then one that may not decide."""
    trust(door.cast, TENANTS["nordwind"])
    stranger = door.cast.stranger()
    guessed = door.attempts(401, "customer.refused")
    for given in GUESSES:
        guessed.send(stranger, "GET", LOG, headers={"Authorization": given} if given else {})
    only_reads = door.attempts(403, "customer.refused", settles=("customer_token",))
    body = {"verdict": "approve"}
    only_reads.send(
        stranger, "POST", "/customer/api/consents/cns_1", json=body, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with door.cast.house.store.write() as unit:
        unit.customer_tokens.revoke("cut_2", TENANTS["nordwind"], at=door.cast.clock.now())
    revoked = door.attempts(401, "customer.refused")
    revoked.send(stranger, "GET", LOG, headers={"Authorization": f"Bearer {DECIDES}"})
    most = door.cast.house.book.limits.customer_reads_per_minute
    for _ in range(most):
        door.cast.stranger().client.get(LOG, headers={"Authorization": f"Bearer {TOKEN}"})
    flood = door.attempts(429, "customer.refused")
    flood.send(stranger, "GET", LOG, headers={"Authorization": f"Bearer {TOKEN}"})
    return guessed, only_reads, revoked, flood
