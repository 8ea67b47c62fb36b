"""The documented fields of the records of billing."""

from collections.abc import Mapping

from console.domain.billing.objects import OF_CUSTOMERS
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.import_shapes import ID, FieldRule, Shape, choice, moment, number, text
from console.domain.imports import Record

_KEY = text("pro", pattern=r"[a-z0-9][a-z0-9_.-]*", longest=63)
_VERSION = number("1", least=1, most=10**9)
_MOMENT, _MAYBE = moment(), moment(default=None)

BILLING_RULES: Mapping[type[Record], Mapping[str, FieldRule]] = {
    BillingObjectRecord: {
        "tenant": ID,
        "object": choice(*OF_CUSTOMERS),
        "document": FieldRule(shape=Shape.OBJECT, example='{"id":"re_1","payment":"pi_1"}'),
        "fetched_at": _MOMENT,
        "raw": FieldRule(shape=Shape.OBJECT, example='{"id":"re_1"}', default={}),
        "api_version": text("2026-01-28", longest=64, default="import"),
        "is_deleted": FieldRule(shape=Shape.TRUTH, example="false", default=False),
    },
    BillingCustomerRecord: {
        "tenant": ID,
        "customer": text("cus_4711", pattern=r"[A-Za-z0-9_-]+", longest=64),
        "linked_at": _MOMENT,
        "because": text("Signed up with it", longest=200, default="import"),
        "unlinked_at": _MAYBE,
    },
    BillingHoldRecord: {
        "tenant": ID,
        "dispute": ID,
        "payment": ID,
        "amount_minor": number("4900"),
        "currency": text("EUR", pattern=r"[A-Z]{3}", longest=3),
        "opened_at": _MOMENT,
        "outcome": FieldRule(shape=Shape.TEXT, example="lost", choices=("won", "lost"), default=None),
        "reversals": number("1", most=9, default=0),
        "plan_at_purchase": text("pro", pattern=r"[a-z0-9][a-z0-9_.-]*", longest=63, default=None),
        "plan_used": text("pro", pattern=r"[a-z0-9][a-z0-9_.-]*", longest=63, default=None),
        "noted_at": _MOMENT,
    },
    UsageEventRecord: {
        "tenant": ID,
        "external_id": ID,
        "event": ID,
        "feature": _KEY,
        "quantity": number("3"),
        "at": _MOMENT,
        "received_at": _MOMENT,
    },
    EffectiveSetRecord: {
        "tenant": ID,
        "version": _VERSION,
        "computed_at": _MOMENT,
        "valid_until": _MAYBE,
        "inputs_digest": text("9f86d081884c7d65", pattern=r"[A-Za-z0-9:_-]+", longest=100),
        "source_version": _VERSION,
        "cause": text("import", longest=200, default="import"),
        "rows": FieldRule(shape=Shape.OBJECTS, example='[{"feature":"seats","value":20,"access":"granted"}]'),
    },
}
