"""The product of the demo world: its plans, features, add-ons, and what each plan contains."""

from datetime import UTC, datetime

from console.domain.import_entitlements import (
    AddOnRecord,
    CatalogueRecord,
    EntitlementRecord,
    FeatureRecord,
    PlanRecord,
    PlanVersionEntitlementRecord,
    PlanVersionRecord,
)

CURRENCY = "EUR"
PLANS = (
    PlanRecord(key="free", name="Free", amount_minor=0, currency=CURRENCY),
    PlanRecord(key="starter", name="Starter", amount_minor=2_900, currency=CURRENCY),
    PlanRecord(key="pro", name="Pro", amount_minor=19_000, currency=CURRENCY),
    PlanRecord(key="business", name="Business", amount_minor=79_000, currency=CURRENCY),
    PlanRecord(key="enterprise", name="Enterprise", amount_minor=420_000, currency=CURRENCY),
)
_FEATURES = (
    ("seats", "Seats", "limit", "seats", 900, (2, 5, 20, 100, 500)),
    ("projects", "Projects", "limit", "projects", 0, (1, 5, 50, 500, 5_000)),
    ("storage_gb", "Storage", "limit", "GB", 20, (1, 10, 100, 1_000, 10_000)),
    ("api_calls", "API calls", "metered", "calls", 0, (1_000, 20_000, 250_000, 2_000_000, 50_000_000)),
    ("webhook_endpoints", "Webhook endpoints", "limit", "endpoints", 0, (0, 1, 5, 20, 100)),
    ("retention_days", "History", "limit", "days", 0, (7, 30, 180, 365, 2_555)),
    ("sso", "Single sign-on", "switch", "", 12_000, (0, 0, 0, 1, 1)),
    ("audit_export", "Audit export", "switch", "", 0, (0, 0, 1, 1, 1)),
    ("support_level", "Support level", "config", "", 0, (0, 0, 1, 2, 2)),
    ("priority_support", "Priority support", "switch", "", 25_000, (0, 0, 0, 0, 1)),
)
# Storage may run over by a tenth and calls by half before use stops; everything else stops at its value.
_HARD_PERCENT = {"storage_gb": 110, "api_calls": 150}
_OPTIONS = {"support_level": ("community", "standard", "priority")}
_OWNERS = {"seats": "billing", "storage_gb": "storage", "api_calls": "api", "sso": "identity"}
FEATURES = tuple(
    FeatureRecord(
        key=key,
        name=name,
        measure=measure,
        unit=unit,
        unit_price_minor=price,
        currency=CURRENCY,
        combining="max" if key == "support_level" else None,
        hard_percent=_HARD_PERCENT.get(key),
        options=_OPTIONS.get(key, ()),
        owner=_OWNERS.get(key, ""),
    )
    for key, name, measure, unit, price, _ in _FEATURES
)
ENTITLEMENTS = tuple(
    EntitlementRecord(plan=plan.key, feature=key, value=value)
    for key, *_, values in _FEATURES
    for plan, value in zip(PLANS, values, strict=True)
)
# Business has been a better plan since spring; next year it keeps history for two years.
_BUSINESS: tuple[tuple[int, datetime, datetime | None, dict[str, int]], ...] = (
    (2, datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), {"projects": 750}),
    (3, datetime(2027, 1, 1, tzinfo=UTC), None, {"projects": 750, "retention_days": 730}),
)
PLAN_VERSIONS = tuple(
    PlanVersionRecord(plan="business", version=version, starts_at=starts, until=until)
    for version, starts, until, _ in _BUSINESS
)
VERSION_ENTITLEMENTS = tuple(
    PlanVersionEntitlementRecord(
        plan="business", version=version, feature=given.feature, value=better.get(given.feature, given.value)
    )
    for version, _, _, better in _BUSINESS
    for given in ENTITLEMENTS
    if given.plan == "business"
)
ADD_ONS = (
    AddOnRecord(key="seats_10", name="10 more seats", feature="seats", value=10, amount_minor=8_000, currency=CURRENCY),
    AddOnRecord(
        key="storage_100", name="100 GB more", feature="storage_gb", value=100, amount_minor=1_800, currency=CURRENCY
    ),
    AddOnRecord(
        key="sso_pack", name="Single sign-on pack", feature="sso", value=1, amount_minor=12_000, currency=CURRENCY
    ),
)
CATALOGUE: tuple[CatalogueRecord, ...] = (
    *PLANS,
    *FEATURES,
    *ENTITLEMENTS,
    *ADD_ONS,
    *PLAN_VERSIONS,
    *VERSION_ENTITLEMENTS,
)
GIVEN = {(each.plan, each.feature): each.value for each in ENTITLEMENTS}
SEATS = {each.plan: each.value for each in ENTITLEMENTS if each.feature == "seats"}
PRICES = {plan.key: plan.amount_minor for plan in PLANS}
