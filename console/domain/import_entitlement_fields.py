"""The documented fields of the records that say what tenants may use."""

import re
from collections.abc import Mapping

from console.domain.entitlements import Combining, ConditionKind, FeatureKind, Op
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
from console.domain.imports import Record

_KEY = text("pro", pattern=r"[a-z0-9][a-z0-9_.-]*", longest=63)
_NAME = text("Acme Robotics")
_CURRENCY = text("EUR", pattern=r"[A-Z]{3}", longest=3)
_MONEY = number("4900")
_COUNT = number("20", most=10**9)
_MOMENT, _MAYBE = moment(), moment(default=None)
_VERSION = number("2", least=1, most=10**6)

ENTITLEMENT_RULES: Mapping[type[Record], Mapping[str, FieldRule]] = {
    PlanRecord: {"key": _KEY, "name": _NAME, "amount_minor": _MONEY, "currency": _CURRENCY},
    FeatureRecord: {
        "key": _KEY,
        "name": _NAME,
        "measure": choice(*FeatureKind),
        "unit": text("seats", longest=40, default=""),
        "unit_price_minor": number("900", default=0),
        "currency": _CURRENCY,
        "combining": choice(*Combining, default=None),
        "default_value": number("0", most=10**9, default=0),
        "hard_percent": number("100", most=1_000, default=None),
        "options": FieldRule(
            shape=Shape.LIST, example="basic", pattern=re.compile(r"[a-z0-9][a-z0-9_-]*"), longest=40, default=()
        ),
        "owner": text("billing", longest=63, default=""),
    },
    EntitlementRecord: {"plan": _KEY, "feature": _KEY, "value": _COUNT},
    AddOnRecord: {
        "key": _KEY,
        "name": _NAME,
        "feature": _KEY,
        "value": _COUNT,
        "amount_minor": _MONEY,
        "currency": _CURRENCY,
    },
    SubscriptionAddOnRecord: {
        "tenant": ID,
        "external_id": ID,
        "add_on": _KEY,
        "quantity": number("1", least=1, most=10**6, default=1),
        "starts_at": _MOMENT,
        "until": _MAYBE,
    },
    OverrideRecord: {
        "tenant": ID,
        "external_id": ID,
        "feature": _KEY,
        "value": _COUNT,
        "label": text("Contract C-2291", longest=120),
        "reference": text("C-2291", longest=64),
        "starts_at": _MOMENT,
        "until": _MOMENT,
        "ended_at": _MAYBE,
        "op": choice(*Op, default=Op.SET.value),
        "owner": text("stf_4711", longest=63, default=""),
    },
    PlanVersionRecord: {"plan": _KEY, "version": _VERSION, "starts_at": _MOMENT, "until": _MAYBE},
    PlanVersionEntitlementRecord: {"plan": _KEY, "version": _VERSION, "feature": _KEY, "value": _COUNT},
    ContractRecord: {
        "tenant": ID,
        "external_id": ID,
        "label": text("Contract C-2291", longest=120),
        "plan": _KEY,
        "version": number("2", most=10**6, default=0),
        "starts_at": _MOMENT,
        "until": _MAYBE,
    },
    TrialRecord: {
        "tenant": ID,
        "external_id": ID,
        "feature": _KEY,
        "value": _COUNT,
        "label": text("Trial of Business", longest=120),
        "starts_at": _MOMENT,
        "until": _MOMENT,
    },
    ConditionRecord: {
        "tenant": ID,
        "external_id": ID,
        "condition": choice(*ConditionKind),
        "cause": text("Invoice INV-2026-000017 is unpaid", longest=200),
        "starts_at": _MOMENT,
        "until": _MAYBE,
    },
    UsageRecord: {
        "tenant": ID,
        "feature": _KEY,
        "used": number("17"),
        "starts_at": _MOMENT,
        "until": _MAYBE,
        "as_of": _MOMENT,
    },
}
