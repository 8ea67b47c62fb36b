"""Rows of billing that an import brings: the mirror, links, raw use and what the product reads."""

from typing import Any

from console.domain.billing.canonical_form import ObjectDocument
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.imports import tenant_id_of
from console.storage.billing_tables import (
    BillingCustomerRow,
    BillingHoldRow,
    BillingObjectRow,
    EffectiveSetRow,
    UsageEventRow,
)
from console.storage.fleet.targets import Target
from console.storage.fleet.upserts import Clash
from console.storage.mirror_rows import mirror_values
from console.storage.own_tables import IMPORTER

_BY_ID = ("tenant_id", "kind", "id")


def mirror_row(record: BillingObjectRecord) -> dict[str, Any]:
    """Return an object of the mirror."""
    known = record.document
    canonical = dict(known) if isinstance(known, ObjectDocument) else None
    return {"tenant_id": tenant_id_of(record.tenant), **mirror_values(record.snapshot(), canonical)}


def link_row(record: BillingCustomerRecord) -> dict[str, Any]:
    """Return that a customer is a tenant."""
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "customer": record.customer,
        "linked_at": record.linked_at,
        "linked_by": IMPORTER,
        "because": record.because,
        "unlinked_at": record.unlinked_at,
    }


def hold_row(record: BillingHoldRecord) -> dict[str, Any]:
    """Return what was noted of a dispute."""
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "dispute": record.dispute,
        "payment": record.payment,
        "amount_minor": record.amount_minor,
        "currency": record.currency,
        "opened_at": record.opened_at,
        "outcome": record.outcome,
        "reversals": record.reversals,
        "plan_at_purchase": record.plan_at_purchase,
        "plan_used": record.plan_used,
        "updated_at": record.noted_at,
    }


def usage_event_row(record: UsageEventRecord) -> dict[str, Any]:
    """Return a row of raw use."""
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "row": record.external_id,
        "id": record.event,
        "feature_key": record.feature,
        "quantity": record.quantity,
        "at": record.at,
        "received_at": record.received_at,
    }


def effective_set_row(record: EffectiveSetRecord) -> dict[str, Any]:
    """Return what the product reads."""
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "version": record.version,
        "computed_at": record.computed_at,
        "valid_until": record.valid_until,
        "inputs_digest": record.inputs_digest,
        "source_version": record.source_version,
        "cause": record.cause,
        "rows": [dict(row) for row in record.rows],
    }


BILLING_TARGETS: dict[type[Any], tuple[Target, ...]] = {
    BillingCustomerRecord: (Target(BillingCustomerRow, ("tenant_id", "customer", "linked_at"), link_row),),
    BillingObjectRecord: (Target(BillingObjectRow, _BY_ID, mirror_row, Clash.REPLACE_OLDER),),
    BillingHoldRecord: (Target(BillingHoldRow, ("tenant_id", "dispute"), hold_row),),
    UsageEventRecord: (Target(UsageEventRow, ("tenant_id", "row"), usage_event_row),),
    EffectiveSetRecord: (Target(EffectiveSetRow, ("tenant_id",), effective_set_row),),
}
