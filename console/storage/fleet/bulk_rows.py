"""What each kind of import record becomes: rows of a plane, and the directory's row of a tenant."""

from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from console.domain.import_entitlements import (
    AddOnRecord,
    ConditionRecord,
    ContractRecord,
    EntitlementRecord,
    FeatureRecord,
    OverrideRecord,
    OwnedEntitlementRecord,
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
    SubscriptionRecord,
    TenantRecord,
    WebhookEndpointRecord,
    member_id_of,
    tenant_id_of,
)
from console.domain.product_jobs import ProductJobRecord
from console.domain.search_terms import folded
from console.storage.entitlement_tables import (
    ConditionRow,
    ContractRow,
    FeatureRuleRow,
    PlanVersionEntitlementRow,
    PlanVersionRow,
    TrialRow,
    UsageRow,
)
from console.storage.fleet.billing_rows import BILLING_TARGETS
from console.storage.fleet.targets import Target
from console.storage.fleet.upserts import Clash
from console.storage.fleet.webhook_rows import attempt_row, delivery_row, endpoint_row, last_attempt_row, message_row
from console.storage.own_tables import IMPORTER, NoteRow, OverrideRow, TenantLinkRow
from console.storage.tenant_tables import (
    AccountRow,
    AddOnEntitlementRow,
    AddOnRow,
    FeatureRow,
    InvoiceRow,
    MemberRow,
    PlanEntitlementRow,
    PlanRow,
    ProductJobRow,
    SubscriptionAddOnRow,
    SubscriptionRow,
)
from console.storage.webhook_tables import AttemptRow, DeliveryRow, EndpointRow, MessageRow

TenantsRecord = (
    MemberRecord
    | SubscriptionRecord
    | InvoiceRecord
    | WebhookEndpointRecord
    | DeliveryRecord
    | DeliveryAttemptRecord
    | ProductJobRecord
    | NoteRecord
    | OwnedEntitlementRecord
)


# A run of records names the same few tenants again and again, and each member twice: for the row and for its key.
tenant_id = lru_cache(4_096)(tenant_id_of)
member_id = lru_cache(16_384)(member_id_of)


def _kept(record: TenantsRecord, *left_out: str, **added: object) -> dict[str, Any]:
    names, values_of = _kept_fields(type(record), left_out)  # type: ignore[arg-type]  # every class can be hashed
    return {"tenant_id": tenant_id(record.tenant), **dict(zip(names, values_of(record), strict=True)), **added}


@cache
def _kept_fields(
    kind: type[Any], left_out: tuple[str, ...]
) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Return the fields of a kind of record that are columns by the same name, and what takes their values."""
    # asdict copies deeply, which is half of an import's time; these values are immutable.
    names = tuple(name for name in kind.__dataclass_fields__ if name not in {"tenant", *left_out})
    return names, attrgetter(*names)


def _account(record: TenantRecord) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id(record.external_id),
        "name": record.name,
        "status": record.status,
        "status_because": None,
        "country": record.country,
        "created_at": record.created_at,
    }


def _link(record: TenantRecord) -> dict[str, Any]:
    return {"tenant_id": tenant_id(record.external_id), "external_id": record.external_id}


def directory_values(record: TenantRecord) -> dict[str, Any]:
    """Return the directory row of a tenant."""
    return {
        "id": tenant_id(record.external_id),
        "external_id": record.external_id,
        "slug": record.slug,
        "name": record.name,
        "name_folded": folded(record.name),
        "region": record.region,
        "plan": record.plan,
        "status": record.status,
        "tier": record.tier,
        "plane": record.plane,
    }


def _member(record: MemberRecord) -> dict[str, Any]:
    return _kept(record, "external_id", id=member_id(record.tenant, record.external_id))


def _subscription(record: SubscriptionRecord) -> dict[str, Any]:
    return _kept(record, "plan", plan_key=record.plan)


def _bought(record: SubscriptionAddOnRecord) -> dict[str, Any]:
    return _kept(record, "external_id", "add_on", id=record.external_id, add_on_key=record.add_on, ended_at=None)


def _override(record: OverrideRecord) -> dict[str, Any]:
    granted = {"id": record.external_id, "granted_by": IMPORTER, "granted_at": record.starts_at}
    return _kept(record, "external_id", **granted)


def _job(record: ProductJobRecord) -> dict[str, Any]:
    return _kept(record, "external_id", "job", id=record.external_id, kind=record.job)


def _note(record: NoteRecord) -> dict[str, Any]:
    return _kept(record, "external_id", id=record.external_id)


def _feature(record: FeatureRecord) -> dict[str, Any]:
    return {
        "key": record.key,
        "name": record.name,
        "kind": record.measure,
        "unit": record.unit,
        "unit_price_minor": record.unit_price_minor,
        "currency": record.currency,
    }


def _feature_rule(record: FeatureRecord) -> dict[str, Any]:
    return {
        "feature_key": record.key,
        "combining": record.combining,
        "default_value": record.default_value,
        "hard_percent": record.hard_percent,
        "options": list(record.options),
        "owner": record.owner,
    }


def _plan_version(record: PlanVersionRecord) -> dict[str, Any]:
    return {
        "plan_key": record.plan,
        "version": record.version,
        "starts_at": record.starts_at,
        "until": record.until,
    }


def _version_gives(record: PlanVersionEntitlementRecord) -> dict[str, Any]:
    return {
        "plan_key": record.plan,
        "version": record.version,
        "feature_key": record.feature,
        "value": record.value,
    }


def _contract(record: ContractRecord) -> dict[str, Any]:
    return _kept(record, "external_id", "plan", id=record.external_id, plan_key=record.plan)


def _trial(record: TrialRecord) -> dict[str, Any]:
    return _kept(record, "external_id", "feature", id=record.external_id, feature_key=record.feature)


def _condition(record: ConditionRecord) -> dict[str, Any]:
    return _kept(record, "external_id", "condition", id=record.external_id, kind=record.condition)


def _usage(record: UsageRecord) -> dict[str, Any]:
    return _kept(record, "feature", feature_key=record.feature)


def _plan(record: PlanRecord) -> dict[str, Any]:
    return {"key": record.key, "name": record.name}


def _add_on(record: AddOnRecord) -> dict[str, Any]:
    return {"key": record.key, "name": record.name}


def _add_on_gives(record: AddOnRecord) -> dict[str, Any]:
    return {"add_on_key": record.key, "feature_key": record.feature, "value": record.value}


def _plan_gives(record: EntitlementRecord) -> dict[str, Any]:
    return {"plan_key": record.plan, "feature_key": record.feature, "value": record.value}


LINK = Target(TenantLinkRow, ("tenant_id",), _link)
CATALOGUE_TARGETS: dict[type[Any], tuple[Target, ...]] = {
    PlanRecord: (Target(PlanRow, ("key",), _plan),),
    FeatureRecord: (
        Target(FeatureRow, ("key",), _feature),
        Target(FeatureRuleRow, ("feature_key",), _feature_rule),
    ),
    EntitlementRecord: (Target(PlanEntitlementRow, ("plan_key", "feature_key"), _plan_gives),),
    AddOnRecord: (
        Target(AddOnRow, ("key",), _add_on),
        Target(AddOnEntitlementRow, ("add_on_key", "feature_key"), _add_on_gives),
    ),
    PlanVersionRecord: (Target(PlanVersionRow, ("plan_key", "version"), _plan_version),),
    PlanVersionEntitlementRecord: (
        Target(PlanVersionEntitlementRow, ("plan_key", "version", "feature_key"), _version_gives),
    ),
}
_BY_ID = ("tenant_id", "id")
# In this order: an attempt that has a record of its own wins over what its delivery says of it.
TENANT_TARGETS: dict[type[Any], tuple[Target, ...]] = {
    TenantRecord: (Target(AccountRow, ("tenant_id",), _account),),
    MemberRecord: (Target(MemberRow, _BY_ID, _member),),
    SubscriptionRecord: (Target(SubscriptionRow, ("tenant_id",), _subscription),),
    SubscriptionAddOnRecord: (Target(SubscriptionAddOnRow, _BY_ID, _bought),),
    InvoiceRecord: (Target(InvoiceRow, ("tenant_id", "number"), _kept),),
    WebhookEndpointRecord: (Target(EndpointRow, _BY_ID, endpoint_row, Clash.REPLACE_UNMOVED),),
    DeliveryAttemptRecord: (Target(AttemptRow, _BY_ID, attempt_row, Clash.KEEP),),
    DeliveryRecord: (
        Target(MessageRow, _BY_ID, message_row, Clash.KEEP),
        Target(DeliveryRow, _BY_ID, delivery_row, Clash.REPLACE_UNMOVED),
        Target(AttemptRow, _BY_ID, last_attempt_row, Clash.KEEP),
    ),
    ProductJobRecord: (Target(ProductJobRow, _BY_ID, _job),),
    OverrideRecord: (Target(OverrideRow, _BY_ID, _override),),
    ContractRecord: (Target(ContractRow, _BY_ID, _contract),),
    TrialRecord: (Target(TrialRow, _BY_ID, _trial),),
    ConditionRecord: (Target(ConditionRow, _BY_ID, _condition),),
    UsageRecord: (Target(UsageRow, ("tenant_id", "feature_key", "starts_at"), _usage),),
    **BILLING_TARGETS,
    NoteRecord: (Target(NoteRow, _BY_ID, _note),),
}
