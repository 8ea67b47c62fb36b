"""What of a tenant's books an import brings: the mirror, links, holds, what decides access, use, and the stored set.

A contract, add-ons and the plan come with the tenant; no break of the books touches them.
"""

from collections.abc import Iterator
from itertools import chain

from console.adapters.demo.books import DemoBooks
from console.domain.billing.canonical_form import ObjectDocument, kind_of
from console.domain.entitlements import Condition, Grant, GrantSource, Inputs
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    BillingRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.import_entitlements import (
    ConditionRecord,
    OverrideRecord,
    OwnedEntitlementRecord,
    TrialRecord,
    UsageRecord,
)
from console.domain.reconciling.books import Hold, StoredSet

OF_STATUS = "account status"  # a condition that follows from the tenant's status, and is no row of its own


def book_records(tenant: str, books: DemoBooks) -> Iterator[BillingRecord | OwnedEntitlementRecord]:
    """Yield the records of a tenant's own side; `tenant` is its id in the customer list."""
    return chain(_billed(tenant, books), _decided(tenant, books.inputs))


def _billed(tenant: str, books: DemoBooks) -> Iterator[BillingRecord]:
    for link in books.links:
        yield BillingCustomerRecord(
            tenant=tenant,
            customer=link.customer,
            linked_at=link.linked_at,
            because="Signed up with it",
            unlinked_at=None,
        )
    for thing in books.mirror:
        kind = kind_of(thing)
        yield BillingObjectRecord(
            tenant=tenant,
            object=kind.value,
            document=ObjectDocument(thing),
            fetched_at=books.mirrored_at[kind, thing.id],
        )
    for hold in books.holds:
        yield _hold(tenant, hold)
    for number, event in enumerate(books.usage_events):
        yield UsageEventRecord(
            tenant=tenant,
            external_id=f"{tenant}-use-{number + 1}",
            event=event.id,
            feature=event.feature,
            quantity=event.quantity,
            at=event.at,
            received_at=event.received_at,
        )
    if books.stored is not None:
        yield _stored(tenant, books.stored)


def _decided(tenant: str, inputs: Inputs) -> Iterator[OwnedEntitlementRecord]:
    for grant in inputs.grants:
        if grant.source is GrantSource.OVERRIDE:
            yield _override(tenant, grant)
        elif grant.source is GrantSource.TRIAL and grant.until is not None:
            yield TrialRecord(
                tenant=tenant,
                external_id=grant.id,
                feature=grant.feature,
                value=grant.value,
                label=grant.label,
                starts_at=grant.starts_at,
                until=grant.until,
            )
    for condition in inputs.conditions:
        if condition.id != OF_STATUS:
            yield _condition(tenant, condition)
    for count in inputs.usage:
        yield UsageRecord(
            tenant=tenant,
            feature=count.feature,
            used=count.used,
            starts_at=count.starts_at,
            until=count.until,
            as_of=count.as_of,
        )


def _override(tenant: str, grant: Grant) -> OverrideRecord:
    return OverrideRecord(
        tenant=tenant,
        external_id=grant.id,
        feature=grant.feature,
        value=grant.value,
        label=grant.label,
        reference=grant.reference,
        starts_at=grant.starts_at,
        until=grant.until,
        ended_at=grant.ended_at,
        op=grant.op.value,
        owner=grant.owner,
    )


def _condition(tenant: str, condition: Condition) -> ConditionRecord:
    return ConditionRecord(
        tenant=tenant,
        external_id=condition.id,
        condition=condition.kind.value,
        cause=condition.cause,
        starts_at=condition.starts_at,
        until=condition.until,
    )


def _hold(tenant: str, hold: Hold) -> BillingHoldRecord:
    return BillingHoldRecord(
        tenant=tenant,
        dispute=hold.dispute,
        payment=hold.payment,
        amount_minor=hold.amount_minor,
        currency=hold.currency,
        opened_at=hold.opened_at,
        outcome=hold.outcome,
        reversals=hold.reversals,
        plan_at_purchase=hold.plan_at_purchase,
        plan_used=hold.plan_used,
        noted_at=hold.opened_at,
    )


def _stored(tenant: str, stored: StoredSet) -> EffectiveSetRecord:
    return EffectiveSetRecord(
        tenant=tenant,
        version=stored.version,
        computed_at=stored.computed_at,
        valid_until=stored.valid_until,
        inputs_digest=stored.inputs_digest,
        source_version=stored.source_version,
        cause="import",
        rows=tuple(
            {
                "feature": row.feature,
                "value": row.value,
                "access": row.access,
                "hard": row.hard,
                "is_frozen": row.is_frozen,
            }
            for row in stored.rows
        ),
    )
