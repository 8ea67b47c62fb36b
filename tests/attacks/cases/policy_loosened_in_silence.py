"""A support lead lets staff act as a customer's members, in the name of the law and without a letter that says so."""

from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule, Notify
from tests.attacks.door import Attempts, Door
from tests.web.world import TENANTS

CHECKLIST = ("V2.2.3", "V2.3.2")
SET = "/t/nordwind/actions/access_policy.set"
WHY = {"reason_code": "LEGAL_PROCESS", "reason_reference": "MAT-12", "reason_note": "By order of the court."}
STRICT = AccessPolicy(impersonation=ImpersonationRule.REFUSED, notify=Notify.EACH)


def attack(door: Door) -> Attempts:
    """Switch letters off and loosen the rule at once, and loosen it where letters are off already."""
    lead, house, tenant = door.inside("support_lead"), door.cast.house, TENANTS["nordwind"]
    refused = door.attempts(422, "request.refused", code="bad_parameter")
    for notify in (Notify.EACH, Notify.NONE):
        with house.store.write() as unit:
            now = unit.access_policies.of(tenant)
            unit.access_policies.put(
                tenant,
                AccessPolicy(impersonation=STRICT.impersonation, notify=notify, version=now.version),
                by="customer",
                at=house.clock.now(),
            )
        for rule in ("allowed", "consent"):
            lead.get(SET)
            refused.post(lead, SET, {"impersonation": rule, "notify": "none", **WHY, "step": "preview"})
    return refused
