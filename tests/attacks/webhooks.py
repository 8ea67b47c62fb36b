"""What the attacks on webhooks share: an engineer in an incident, and what another tenant has."""

import hashlib
import hmac

from console.adapters.inbound_stripe import StripeSignatures
from console.domain.ids import ActionKey, RunId
from console.domain.reasons import Reason
from console.usecases.outcomes import Ran
from console.usecases.propose_action import propose_action
from tests.attacks.door import Door
from tests.web.cast import Browser
from tests.web.matrix import actor_of, lease
from tests.web.webhook_stage import outage
from tests.web.world import TENANTS

WHY = {"reason_code": "INCIDENT_RESPONSE", "reason_reference": "INC-2041", "reason_note": ""}
INCIDENT = Reason(code="INCIDENT_RESPONSE", reference="INC-2041")  # type: ignore[arg-type]  # a code as text
RANGE = {"since": "2026-11-21 00:00", "until": "2026-11-21 11:00"}
STRIPE_SECRET = "whsec_0123456789abcdef"


def engineer_inside(door: Door, who: str = "engineer") -> Browser:
    """Return the browser of somebody who has opened Nordwind because of an incident."""
    browser = door.enter(who)
    door.open(browser, **WHY)
    return browser


def planned(door: Door, who: str = "engineer", slug: str = "nordwind") -> RunId:
    """Return the id of a replay that somebody planned after an outage."""
    with door.cast.storage.bulk.write() as bulk:
        bulk.put(outage("cust-1001" if slug == "nordwind" else "cust-1002"))
    lease(door.cast, who, slug)
    answer = propose_action(
        door.cast.house,
        actor_of(who, door.cast),
        key=ActionKey("webhook.plan_replay"),
        tenant=TENANTS[slug],
        raw=RANGE,
        reason=INCIDENT,
        mark=None,
        form_id=door.cast.house.ids.new("req"),  # type: ignore[arg-type]  # an id as text
    )
    assert isinstance(answer, Ran), answer
    return RunId(str(answer.applied.made))


def foreign_run(door: Door) -> RunId:
    """Return the id of a replay that is planned at the other tenant."""
    return planned(door, "on_call", "kestrel")


def signed(body: bytes, *, at: int, secret: str = STRIPE_SECRET) -> dict[str, str]:
    """Return the header with which the provider signs."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={made}"}


def let_provider_in(door: Door) -> None:
    """Serve with a secret of the provider."""
    door.refurnish(inbound_verifiers={"stripe": StripeSignatures((STRIPE_SECRET,))})
