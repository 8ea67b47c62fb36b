"""The documented fields of every import record: what each takes, and the value it has when it is left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from console.domain.entitlements import FeatureKind
from console.domain.imports import (
    AddOnRecord,
    DeliveryRecord,
    EntitlementRecord,
    FeatureRecord,
    InvoiceRecord,
    MemberRecord,
    NoteRecord,
    OverrideRecord,
    PlanRecord,
    Record,
    SubscriptionAddOnRecord,
    SubscriptionRecord,
    TenantRecord,
)
from console.domain.tenancy import IsolationTier, TenantStatus

INVOICE_STATUSES = ("draft", "open", "past_due", "paid", "void", "uncollectible")
SUBSCRIPTION_STATUSES = ("trialing", "active", "past_due", "paused", "canceled")
DELIVERY_OUTCOMES = ("delivered", "failed", "pending")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LARGEST = 10**15
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Shape(StrEnum):
    """The type of a field."""

    TEXT = "text"
    INTEGER = "integer"
    TRUTH = "true or false"
    MOMENT = "moment"
    LIST = "list"


class _Required:
    """Marks a field that every row must have."""


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """What one field takes; `example` and `choices` appear in remedies and in the documentation."""

    shape: Shape
    example: str
    default: Any = REQUIRED
    pattern: re.Pattern[str] | None = None
    choices: tuple[str, ...] = ()
    longest: int = 200
    least: int = 0
    most: int = _LARGEST

    @property
    def is_required(self) -> bool:
        """Return whether a row must have the field."""
        return self.default is REQUIRED

    def fault(self, value: object) -> str | None:
        """Return what to do about a value of the right type, or None when it is good."""
        if isinstance(value, str):
            return self._text_fault(value)
        if isinstance(value, tuple):
            found = (self._text_fault(item) for item in value)
            return next((fault for fault in found if fault), None)
        if isinstance(value, datetime) and not _EARLIEST <= value < _LATEST:
            return "use a moment between 1970 and 2200"
        if self.shape is Shape.INTEGER and isinstance(value, int) and not self.least <= value <= self.most:
            return f"use a whole number from {self.least} to {self.most}"
        return None

    def _text_fault(self, value: str) -> str | None:
        if len(value) > self.longest:
            return f"use at most {self.longest} characters; this has {len(value)}"
        if not value.strip():
            return f"must not be empty, e.g. {self.example}"
        if _CONTROL.search(value):
            return "remove control characters and line breaks"
        if self.choices and value not in self.choices:
            return f"use one of {', '.join(self.choices)}"
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return f"write it like {self.example}"
        return None


def _text(example: str, *, pattern: str = "", longest: int = 200, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401
    compiled = re.compile(pattern) if pattern else None
    return FieldRule(shape=Shape.TEXT, example=example, pattern=compiled, longest=longest, default=default)


def _choice(*choices: str, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401  any value may be a default
    return FieldRule(shape=Shape.TEXT, example=choices[0], choices=choices, default=default)


def _number(example: str, *, least: int = 0, most: int = _LARGEST, default: Any = REQUIRED) -> FieldRule:  # noqa: ANN401
    return FieldRule(shape=Shape.INTEGER, example=example, least=least, most=most, default=default)


_ID = _text("crm-4711", pattern=r"[A-Za-z0-9][A-Za-z0-9._:@/+-]*", longest=64)
_KEY = _text("pro", pattern=r"[a-z0-9][a-z0-9_.-]*", longest=63)
_NAME = _text("Acme Robotics")
_CURRENCY = _text("EUR", pattern=r"[A-Z]{3}", longest=3)
_MONEY = _number("4900")
_COUNT = _number("20", most=10**9)
_MOMENT = FieldRule(shape=Shape.MOMENT, example="2026-10-18T14:02:00Z")
_MAYBE = FieldRule(shape=Shape.MOMENT, example="2026-10-18T14:02:00Z", default=None)
_CUSTOMER = _text("cus_4711", pattern=r"[A-Za-z0-9_-]+", longest=64, default="")

_RULES: Mapping[type[Record], Mapping[str, FieldRule]] = {
    TenantRecord: {
        "external_id": _ID,
        "slug": _text("acme-robotics", pattern=r"[a-z0-9]+(-[a-z0-9]+)*", longest=63),
        "name": _NAME,
        "region": _text("eu", pattern=r"[a-z0-9]+(-[a-z0-9]+)*", longest=32),
        "plan": _KEY,
        "status": _choice(*TenantStatus, default=TenantStatus.ACTIVE.value),
        "tier": _choice(*IsolationTier, default=IsolationTier.SHARED.value),
        "plane": _text("shared", pattern=r"[a-z][a-z0-9_]*", longest=32, default="shared"),
        "domains": FieldRule(
            shape=Shape.LIST,
            example="acme.example",
            pattern=re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"),
            longest=253,
            default=(),
        ),
        "provider_customer": _CUSTOMER,
        "country": _text("DE", pattern=r"[A-Z]{2}", longest=2, default=""),
        "created_at": _MOMENT,
    },
    MemberRecord: {
        "tenant": _ID,
        "external_id": _ID,
        "name": _NAME,
        "email": _text("ada@acme.example", pattern=r"[^@\s]{1,64}@[^@\s]{1,189}", longest=254),
        "phone": _text("+49 30 901820", pattern=r"[+0-9][0-9 ()./-]{2,39}", longest=40, default=None),
        "role": _text("owner", longest=63, default="member"),
        "is_active": FieldRule(shape=Shape.TRUTH, example="true", default=True),
        "joined_at": _MOMENT,
        "last_seen_at": _MAYBE,
    },
    PlanRecord: {"key": _KEY, "name": _NAME, "amount_minor": _MONEY, "currency": _CURRENCY},
    FeatureRecord: {
        "key": _KEY,
        "name": _NAME,
        "measure": _choice(*FeatureKind),
        "unit": _text("seats", longest=40, default=""),
        "unit_price_minor": _number("900", default=0),
        "currency": _CURRENCY,
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
    SubscriptionRecord: {
        "tenant": _ID,
        "plan": _KEY,
        "status": _choice(*SUBSCRIPTION_STATUSES),
        "provider_customer": _CUSTOMER,
        "seats": _COUNT,
        "amount_minor": _MONEY,
        "currency": _CURRENCY,
        "started_at": _MOMENT,
        "renews_at": _MOMENT,
        "mirrored_at": _MOMENT,
    },
    SubscriptionAddOnRecord: {
        "tenant": _ID,
        "external_id": _ID,
        "add_on": _KEY,
        "quantity": _number("1", least=1, most=10**6, default=1),
        "starts_at": _MOMENT,
        "until": _MAYBE,
    },
    InvoiceRecord: {
        "tenant": _ID,
        "number": _text("INV-2026-000017", pattern=r"[A-Za-z0-9][A-Za-z0-9_/-]*", longest=64),
        "status": _choice(*INVOICE_STATUSES),
        "provider_status": _choice(*INVOICE_STATUSES),
        "amount_minor": _MONEY,
        "currency": _CURRENCY,
        "issued_at": _MOMENT,
        "due_at": _MOMENT,
        "paid_at": _MAYBE,
        "mirrored_at": _MOMENT,
    },
    DeliveryRecord: {
        "tenant": _ID,
        "message": _text("msg_2b8f", pattern=r"[A-Za-z0-9_-]+", longest=64),
        "endpoint": _text("https://hooks.acme.example/in", longest=500),
        "event_type": _text("invoice.paid", longest=100),
        "outcome": _choice(*DELIVERY_OUTCOMES),
        "status_code": _number("200", least=100, most=599, default=None),
        "attempts": _number("1", most=1000),
        "at": _MOMENT,
    },
    OverrideRecord: {
        "tenant": _ID,
        "external_id": _ID,
        "feature": _KEY,
        "value": _COUNT,
        "label": _text("Contract C-2291", longest=120),
        "reference": _text("C-2291", longest=64),
        "starts_at": _MOMENT,
        "until": _MOMENT,
        "ended_at": _MAYBE,
    },
    NoteRecord: {
        "tenant": _ID,
        "external_id": _ID,
        "author": _NAME,
        "text": _text("Called.", longest=2000),
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
        "delivery": DeliveryRecord,
        "override": OverrideRecord,
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
