"""What the attacks on money share: finance inside the tenant, a provider that acts, and what it must never be asked."""

from tests.attacks.door import Door
from tests.billing_writer import ModelProvider
from tests.web.cast import Browser, web_app
from tests.web.money_stage import bank

REFUND = "/t/nordwind/actions/billing.refund"
WHY = {"reason_code": "BILLING_RECONCILIATION", "reason_reference": "INV-2026-004711", "reason_note": ""}
FORTY = {"payment": "pi_nordwind1", "amount": "40.00", "currency": "EUR", "why": "duplicate"}


def open_till(door: Door) -> ModelProvider:
    """Let both tenants be customers of a provider, and serve with it."""
    model = bank(door.cast, "nordwind", "kestrel")
    door.cast.app = web_app(door.cast.house)
    return model


def finance_inside(door: Door, who: str = "finance") -> Browser:
    """Return the browser of somebody of finance who has opened Nordwind."""
    browser = door.enter(who)
    door.open(browser, **WHY)
    return browser
