"""A support lead answers their own question, and loosens a customer's rules, with a token that was shown to them."""

from dataclasses import replace

from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule, Notify
from tests.attacks.door import Attempts, Door
from tests.web.cast import PEOPLE
from tests.web.customer_stage import DECIDES, trust
from tests.web.world import TENANTS

CHECKLIST = ("V2.3.5", "V8.2.2")
STRICT = AccessPolicy(impersonation=ImpersonationRule.CONSENT, notify=Notify.EACH)


def attack(door: Door) -> tuple[Attempts, ...]:
    """Keep the token that one made for the customer, then use it as the customer would."""
    tenant, house = TENANTS["nordwind"], door.cast.house
    trust(door.cast, tenant)
    with house.store.write() as unit:
        question = unit.consents.of_tenant(tenant, limit=1)[0]
        unit.consents.add(replace(question, id="cns_own", staff=PEOPLE["support_lead"].id))
        unit.access_policies.put(tenant, STRICT, by="customer", at=house.clock.now())
    stranger, bearer = door.cast.stranger(), {"Authorization": f"Bearer {DECIDES}"}
    refused = door.attempts(403, "customer.refused", settles=("customer_token",))
    for verdict in ("approve", "refuse"):
        refused.send(stranger, "POST", "/customer/api/consents/cns_own", json={"verdict": verdict}, headers=bearer)
    for impersonation, notify in (("allowed", "each"), ("consent", "digest"), ("allowed", "digest")):
        wanted = {"impersonation": impersonation, "notify": notify}
        refused.send(stranger, "POST", "/customer/api/policy", json=wanted, headers=bearer)
    return (refused,)
