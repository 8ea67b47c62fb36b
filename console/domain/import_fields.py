"""The documented fields of every import record: what each takes, and the value it has when it is left out."""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType

from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.import_billing_fields import BILLING_RULES
from console.domain.import_entitlement_fields import ENTITLEMENT_RULES
from console.domain.import_entitlements import (
    AddOnRecord,
    ConditionRecord,
    ContractRecord,
    EntitlementRecord,
    FeatureRecord,
    OverrideRecord,
    PlanRecord,
    PlanVersionEntitlementRecord,
    PlanVersionRecord,
    SubscriptionAddOnRecord,
    TrialRecord,
    UsageRecord,
)
from console.domain.import_shapes import ID, FieldRule, Shape, choice, moment, number, text
from console.domain.import_webhooks import WEBHOOK_RULES
from console.domain.imports import (
    DeliveryAttemptRecord,
    DeliveryRecord,
    InvoiceRecord,
    MemberRecord,
    NoteRecord,
    Record,
    SubscriptionRecord,
    TenantRecord,
    WebhookEndpointRecord,
)
from console.domain.product_jobs import ProductJobRecord, ProductJobState
from console.domain.tenancy import IsolationTier, TenantStatus

INVOICE_STATUSES = ("draft", "open", "past_due", "paid", "void", "uncollectible")
SUBSCRIPTION_STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "canceled")

_KEY = text("pro", pattern=r"[a-z0-9][a-z0-9_.-]*", longest=63)
_NAME = text("Acme Robotics")
_CURRENCY = text("EUR", pattern=r"[A-Z]{3}", longest=3)
_MONEY = number("4900")
_COUNT = number("20", most=10**9)
_MOMENT, _MAYBE = moment(), moment(default=None)
_CUSTOMER = text("cus_4711", pattern=r"[A-Za-z0-9_-]+", longest=64, default="")

_RULES: Mapping[type[Record], Mapping[str, FieldRule]] = {
    TenantRecord: {
        "external_id": ID,
        "slug": text("acme-robotics", pattern=r"[a-z0-9]+(-[a-z0-9]+)*", longest=63),
        "name": _NAME,
        "region": text("eu", pattern=r"[a-z0-9]+(-[a-z0-9]+)*", longest=32),
        "plan": _KEY,
        "status": choice(*TenantStatus, default=TenantStatus.ACTIVE.value),
        "tier": choice(*IsolationTier, default=IsolationTier.SHARED.value),
        "plane": text("shared", pattern=r"[a-z][a-z0-9_]*", longest=32, default="shared"),
        "domains": FieldRule(
            shape=Shape.LIST,
            example="acme.example",
            pattern=re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"),
            longest=253,
            default=(),
        ),
        "provider_customer": _CUSTOMER,
        "country": text("DE", pattern=r"[A-Z]{2}", longest=2, default=""),
        "created_at": _MOMENT,
    },
    MemberRecord: {
        "tenant": ID,
        "external_id": ID,
        "name": _NAME,
        "email": text("ada@acme.example", pattern=r"[^@\s]{1,64}@[^@\s]{1,189}", longest=254),
        "phone": text("+49 30 901820", pattern=r"[+0-9][0-9 ()./-]{2,39}", longest=40, default=None),
        "role": text("owner", longest=63, default="member"),
        "is_active": FieldRule(shape=Shape.TRUTH, example="true", default=True),
        "joined_at": _MOMENT,
        "last_seen_at": _MAYBE,
    },
    SubscriptionRecord: {
        "tenant": ID,
        "plan": _KEY,
        "status": choice(*SUBSCRIPTION_STATUSES),
        "provider_customer": _CUSTOMER,
        "seats": _COUNT,
        "amount_minor": _MONEY,
        "currency": _CURRENCY,
        "started_at": _MOMENT,
        "renews_at": _MOMENT,
        "mirrored_at": _MOMENT,
    },
    InvoiceRecord: {
        "tenant": ID,
        "number": text("INV-2026-000017", pattern=r"[A-Za-z0-9][A-Za-z0-9_/-]*", longest=64),
        "status": choice(*INVOICE_STATUSES),
        "provider_status": choice(*INVOICE_STATUSES),
        "amount_minor": _MONEY,
        "currency": _CURRENCY,
        "issued_at": _MOMENT,
        "due_at": _MOMENT,
        "paid_at": _MAYBE,
        "mirrored_at": _MOMENT,
    },
    **WEBHOOK_RULES,
    **ENTITLEMENT_RULES,
    **BILLING_RULES,
    ProductJobRecord: {
        "tenant": ID,
        "external_id": ID,
        "job": text("export.members", pattern=r"[A-Za-z0-9][A-Za-z0-9_.:-]*", longest=100),
        "state": choice(*ProductJobState),
        "attempts": number("1", most=10**6),
        "created_at": _MOMENT,
        "run_at": _MOMENT,
        "queue": text("exports", longest=63, default="default"),
        "finished_at": _MAYBE,
        "last_error": text("disk full", longest=2000, default=None),
    },
    NoteRecord: {
        "tenant": ID,
        "external_id": ID,
        "author": _NAME,
        "text": text("Called.", longest=2000),
        "at": _MOMENT,
    },
}
KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "tenant": TenantRecord,
        "member": MemberRecord,
        "plan": PlanRecord,
        "feature": FeatureRecord,
        "entitlement": EntitlementRecord,
        "add_on": AddOnRecord,
        "subscription": SubscriptionRecord,
        "subscription_add_on": SubscriptionAddOnRecord,
        "invoice": InvoiceRecord,
        "webhook_endpoint": WebhookEndpointRecord,
        "delivery": DeliveryRecord,
        "delivery_attempt": DeliveryAttemptRecord,
        "product_job": ProductJobRecord,
        "override": OverrideRecord,
        "plan_version": PlanVersionRecord,
        "plan_version_entitlement": PlanVersionEntitlementRecord,
        "contract": ContractRecord,
        "trial": TrialRecord,
        "condition": ConditionRecord,
        "usage": UsageRecord,
        "billing_customer": BillingCustomerRecord,
        "billing_object": BillingObjectRecord,
        "billing_hold": BillingHoldRecord,
        "usage_event": UsageEventRecord,
        "effective_set": EffectiveSetRecord,
        "note": NoteRecord,
    }
)


def rules_of(kind: str) -> Mapping[str, FieldRule]:
    """Return the fields of a kind of record, in their documented order. Raises: KeyError for another kind."""
    return _RULES[KINDS[kind]]


def kind_of(record: Record) -> str:
    """Return the kind under which a record is written in a file."""
    return next(kind for kind, shape in KINDS.items() if type(record) is shape)


def row_of(record: Record) -> dict[str, object]:
    """Return a record as one JSON line holds it; reading that line gives the record back."""
    row: dict[str, object] = {"kind": kind_of(record)}
    for each in fields(record):
        value = getattr(record, each.name)
        if isinstance(value, datetime):
            row[each.name] = value.isoformat().replace("+00:00", "Z")
        elif value is not None and value != "":
            row[each.name] = list(value) if isinstance(value, tuple) else value
    return row
