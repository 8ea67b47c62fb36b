"""The records that bring a mirror of the provider, links to its customers, raw use, and what the product reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from console.domain.billing.canonical_form import MalformedObjectError, Snapshot, restored
from console.domain.billing.objects import ObjectKind
from console.domain.import_shapes import CONTROL

_LARGEST = 10**18
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingObjectRecord:
    """One object of the provider: its canonical document, and beside it what the provider said word for word."""

    tenant: str
    object: str
    document: Mapping[str, Any]
    fetched_at: datetime
    raw: Mapping[str, Any] = field(default_factory=dict)
    api_version: str = "import"
    is_deleted: bool = False

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.tenant, self.object, str(self.document.get("id"))

    def snapshot(self) -> Snapshot:
        """Return what the provider said. Raises: MalformedObjectError."""
        return Snapshot(
            thing=restored(ObjectKind(self.object), self.document),
            raw=self.raw,
            api_version=self.api_version,
            fetched_at=self.fetched_at,
            is_deleted=self.is_deleted,
        )

    def fault(self) -> tuple[str, str] | None:
        """Return which field is wrong in the light of the others and what to do, or None."""
        wrong = _unfit(self.document)
        if wrong is not None:
            return "document", wrong
        try:
            self.snapshot()
        except MalformedObjectError as malformed:
            broken = malformed.__cause__
            named = f": {broken}" if isinstance(broken, KeyError) else ""
            return "document", f"write the canonical document of one {self.object}, with every field it has{named}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingCustomerRecord:
    """That a customer of the provider is this tenant; `unlinked_at` says when that ended."""

    tenant: str
    customer: str
    linked_at: datetime
    because: str
    unlinked_at: datetime | None

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.tenant, self.customer, self.linked_at.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEventRecord:
    """One row of raw use; `event` is the product's id of what happened, which two rows share by mistake only."""

    tenant: str
    external_id: str
    event: str
    feature: str
    quantity: int
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetRecord:
    """What the product was told that a tenant may use; `rows` name `feature`, `value` and `access` each."""

    tenant: str
    version: int
    computed_at: datetime
    valid_until: datetime | None
    inputs_digest: str
    source_version: int
    cause: str
    rows: tuple[Mapping[str, Any], ...]

    def fault(self) -> tuple[str, str] | None:
        """Return which field is wrong in the light of the others and what to do, or None."""
        for row in self.rows:
            told = (row.get("feature"), row.get("value"), row.get("access"))
            if [type(each) for each in told] != [str, int, str]:
                return "rows", "give every row a feature, a whole value and an access"
            wrong = _unfit(row)
            if wrong is not None:
                return "rows", wrong
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingHoldRecord:
    """What was noted of a dispute; `outcome` is won or lost once it is over, `reversals` counts what was taken back."""

    tenant: str
    dispute: str
    payment: str
    amount_minor: int
    currency: str
    opened_at: datetime
    outcome: str | None
    reversals: int
    plan_at_purchase: str | None
    plan_used: str | None
    noted_at: datetime

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the key that no other record of the kind may have."""
        return self.tenant, self.dispute


BillingRecord: TypeAlias = (
    BillingObjectRecord | BillingCustomerRecord | BillingHoldRecord | UsageEventRecord | EffectiveSetRecord
)


def _unfit(plain: object) -> str | None:
    """Return what is wrong with a plain value that is stored in columns, or None."""
    rest = [plain]
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            rest += value.values()
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, str) and (len(value) > _LONGEST or CONTROL.search(value)):
            return f"use texts of at most {_LONGEST} characters, without control characters"
        elif isinstance(value, int) and abs(value) > _LARGEST:
            return "use smaller numbers"
    return None
