"""The two fixture tenants and the price list, as an import would bring them."""

from dataclasses import replace
from datetime import timedelta

from console.domain.ids import TenantId
from console.domain.import_entitlements import (
    AddOnRecord,
    EntitlementRecord,
    FeatureRecord,
    PlanRecord,
    SubscriptionAddOnRecord,
)
from console.domain.imports import (
    DeliveryRecord,
    InvoiceRecord,
    MemberRecord,
    NoteRecord,
    Record,
    SubscriptionRecord,
    TenantRecord,
    WebhookEndpointRecord,
    tenant_id_of,
)
from tests.billing import PAID, PaperProvider
from tests.databases import NOON

LONG_AGO = NOON - timedelta(days=30)
NORDWIND, KESTREL = "cust-1001", "cust-1002"
SLUGS = {NORDWIND: "nordwind", KESTREL: "kestrel"}
TENANTS: dict[str, TenantId] = {slug: tenant_id_of(external) for external, slug in SLUGS.items()}


def _tenant(external: str, name: str, *, region: str, plan: str) -> list[Record]:
    slug = SLUGS[external]
    renews = NOON + timedelta(days=20)
    invoice = InvoiceRecord(
        tenant=external, number=f"INV-{slug}-1", status="past_due", provider_status="paid", amount_minor=1_249_900,
        currency="EUR", issued_at=NOON - timedelta(days=20), due_at=NOON - timedelta(days=2), paid_at=None,
        mirrored_at=NOON - timedelta(hours=1),
    )  # fmt: skip
    members = [
        MemberRecord(
            tenant=external, external_id=f"{slug}-m{number}", name=f"Member {number} of {name}",
            email=f"member{number}@{slug}.example", phone="+49 30 1234567" if number == 1 else None,
            role="owner" if number == 1 else "member", is_active=True, joined_at=LONG_AGO, last_seen_at=NOON,
        )
        for number in (1, 2, 3)
    ]  # fmt: skip
    return [
        TenantRecord(
            external_id=external, slug=slug, name=name, region=region, plan=plan, status="active", tier="shared",
            plane="shared", domains=(f"{slug}.example",), provider_customer=f"cus_{slug}", country="DE",
            created_at=LONG_AGO,
        ),
        *members,
        SubscriptionRecord(
            tenant=external, plan=plan, status="active", provider_customer=f"cus_{slug}", seats=3,
            amount_minor=1_249_900, currency="EUR", started_at=LONG_AGO, renews_at=renews,
            mirrored_at=NOON - timedelta(hours=1),
        ),
        SubscriptionAddOnRecord(
            tenant=external, external_id=f"{slug}-a1", add_on="seats_50", quantity=1, starts_at=LONG_AGO, until=None
        ),
        invoice,
        WebhookEndpointRecord(
            tenant=external, external_id="main", url=f"https://api.{slug}.example/hooks", created_at=LONG_AGO
        ),
        DeliveryRecord(
            tenant=external, message=f"msg_{slug}1", endpoint="main",
            event_type="invoice.paid", outcome="delivered", status_code=200, attempts=1, at=NOON - timedelta(hours=2),
        ),
        NoteRecord(
            tenant=external, external_id=f"{slug}-n1", author="Lea Schulz", text=f"A note about {name}.",
            at=NOON - timedelta(days=3),
        ),
    ]  # fmt: skip


def world() -> list[Record]:
    """Return the price list and the two tenants."""
    return [
        FeatureRecord(key="seats", name="Seats", measure="limit", unit="seats", unit_price_minor=900, currency="EUR"),
        FeatureRecord(key="sso", name="Single sign-on", measure="switch", unit="", unit_price_minor=0, currency="EUR"),
        PlanRecord(key="business", name="Business", amount_minor=49_900, currency="EUR"),
        PlanRecord(key="starter", name="Starter", amount_minor=9_900, currency="EUR"),
        EntitlementRecord(plan="business", feature="seats", value=150),
        EntitlementRecord(plan="business", feature="sso", value=1),
        EntitlementRecord(plan="starter", feature="seats", value=10),
        AddOnRecord(
            key="seats_50", name="50 more seats", feature="seats", value=50, amount_minor=40_000, currency="EUR"
        ),
        *_tenant(NORDWIND, "Nordwind Logistik GmbH", region="eu", plan="business"),
        *_tenant(KESTREL, "Kestrel Labs", region="us", plan="starter"),
    ]


def provider() -> PaperProvider:
    """Return a billing provider that knows the two invoices as paid."""
    known = PaperProvider()
    for slug in SLUGS.values():
        bill = replace(PAID, id=f"in_{slug}_1", number=f"INV-{slug}-1", customer=f"cus_{slug}", total_minor=1_249_900)
        known.knows(bill)
    return known
