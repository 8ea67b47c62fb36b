"""What the rows of an import refer to: each must name something that is there already, or stands above it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from console.domain.ids import PlaneId
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
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
from console.domain.imports import (
    DeliveryAttemptRecord,
    DeliveryRecord,
    InvoiceRecord,
    MemberRecord,
    NoteRecord,
    Record,
    RowFault,
    SubscriptionRecord,
    TenantRecord,
    WebhookEndpointRecord,
    identity_of,
)
from console.domain.product_jobs import ProductJobRecord
from console.ports.bulk import BulkUnit

_SENT = (DeliveryRecord, DeliveryAttemptRecord)
_REFERS: Mapping[type[Record], tuple[str, ...]] = {
    TenantRecord: ("plan",),
    MemberRecord: ("tenant",),
    EntitlementRecord: ("plan", "feature"),
    AddOnRecord: ("feature",),
    SubscriptionRecord: ("tenant", "plan"),
    SubscriptionAddOnRecord: ("tenant", "add_on"),
    InvoiceRecord: ("tenant",),
    WebhookEndpointRecord: ("tenant",),
    DeliveryRecord: ("tenant",),
    DeliveryAttemptRecord: ("tenant",),
    ProductJobRecord: ("tenant",),
    OverrideRecord: ("tenant", "feature"),
    PlanVersionRecord: ("plan",),
    PlanVersionEntitlementRecord: ("plan", "feature"),
    ContractRecord: ("tenant", "plan"),
    TrialRecord: ("tenant", "feature"),
    ConditionRecord: ("tenant",),
    UsageRecord: ("tenant", "feature"),
    NoteRecord: ("tenant",),
    BillingObjectRecord: ("tenant",),
    BillingCustomerRecord: ("tenant",),
    BillingHoldRecord: ("tenant",),
    UsageEventRecord: ("tenant", "feature"),
    EffectiveSetRecord: ("tenant",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What rows may refer to; the catalogue grows with the file, tenants are asked for batch by batch.

    Shape: `seen` holds 64-bit hashes of identities, some 70 bytes a row: the one thing that grows with a file.
    """

    planes: frozenset[PlaneId]
    plans: set[str]
    features: set[str]
    add_ons: set[str]
    tenants: dict[str, PlaneId] = field(default_factory=dict)
    slugs: dict[str, str] = field(default_factory=dict)
    endpoints: set[tuple[str, str]] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, unit: BulkUnit) -> "Known":
        """Return what an import finds when it begins."""
        catalogue = unit.catalogue()
        plans, features, add_ons = set(catalogue.plans), set(catalogue.features), set(catalogue.add_ons)
        return cls(planes=unit.planes(), plans=plans, features=features, add_ons=add_ons)

    def turn_to(self, records: Sequence[Record], unit: BulkUnit) -> None:
        """Look up all that a batch refers to in a few statements and forget the batch before: memory stays the same."""
        self.tenants.clear()
        self.tenants.update(unit.tenants({name for name in map(_tenant_of, records) if name is not None}))
        self.slugs.clear()
        self.slugs.update(unit.slugs({record.slug for record in records if isinstance(record, TenantRecord)}))
        self.endpoints.clear()
        sent = [record for record in records if isinstance(record, _SENT)]
        if sent:
            self.endpoints.update(unit.endpoints({(record.tenant, record.endpoint) for record in sent}))

    def fault(self, record: Record, line: int) -> RowFault | None:
        """Return what a row refers to in vain; or None, and then later rows may refer to it."""
        wrong = self._seen_before(record, line)
        if wrong is None and isinstance(record, TenantRecord):
            wrong = _tenant_fault(self, record, line)
        for name in _REFERS.get(type(record), ()):
            key, known = getattr(record, name), self._keys(name)
            if wrong is None and key not in known:
                wrong = _missing(line, name, key=key)
        if wrong is None and isinstance(record, _SENT):
            is_known = (record.tenant, record.endpoint) in self.endpoints
            wrong = None if is_known else _missing(line, "endpoint", key=record.endpoint)
        if wrong is None:
            self._add(record)
        return wrong

    def _seen_before(self, record: Record, line: int) -> RowFault | None:
        identity = hash((type(record).__name__, *identity_of(record)))
        if identity in self.seen:
            remedy = f"{' of '.join(reversed(identity_of(record)))} stands in this file twice; keep one of the two rows"
            return RowFault(line=line, field="", remedy=remedy)
        self.seen.add(identity)
        return None

    def _keys(self, name: str) -> Collection[str]:
        if name == "tenant":  # nearly always
            return self.tenants
        return {"plan": self.plans, "feature": self.features, "add_on": self.add_ons}[name]

    def _add(self, record: Record) -> None:
        match record:
            case TenantRecord():
                self.tenants[record.external_id] = PlaneId(record.plane)
                self.slugs[record.slug] = record.external_id
            case WebhookEndpointRecord():
                self.endpoints.add((record.tenant, record.external_id))
            case PlanRecord():
                self.plans.add(record.key)
            case FeatureRecord():
                self.features.add(record.key)
            case AddOnRecord():
                self.add_ons.add(record.key)
            case _:
                pass


def _tenant_of(record: Record) -> str | None:
    return record.external_id if isinstance(record, TenantRecord) else getattr(record, "tenant", None)


def _missing(line: int, name: str, *, key: str) -> RowFault:
    remedy = f"there is no {name.replace('_', '-')} {key!r}; put its row above this one, or correct the key"
    return RowFault(line=line, field=name, remedy=remedy)


def _tenant_fault(known: Known, record: TenantRecord, line: int) -> RowFault | None:
    """Refuse an unknown plane, a move to another one, and a slug that is taken."""
    if record.plane not in known.planes:
        names = ", ".join(sorted(known.planes))
        remedy = f"there is no plane {record.plane!r}; the settings name {names}"
        return RowFault(line=line, field="plane", remedy=remedy)
    home = known.tenants.get(record.external_id, record.plane)
    if home != record.plane:
        remedy = f"the tenant lives on plane {home}; an import moves nobody to another one"
        return RowFault(line=line, field="plane", remedy=remedy)
    holder = known.slugs.get(record.slug, record.external_id)
    if holder != record.external_id:
        return RowFault(line=line, field="slug", remedy=f"the tenant {holder!r} has this slug already; choose another")
    return None
