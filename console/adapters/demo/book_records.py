"""What of a tenant's books an import brings: the mirror, links, raw use, and the set that the product reads."""

from collections.abc import Iterator

from console.adapters.demo.books import DemoBooks
from console.domain.billing.canonical_form import document, kind_of
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingObjectRecord,
    BillingRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.reconciling.books import StoredSet


def book_records(tenant: str, books: DemoBooks) -> Iterator[BillingRecord]:
    """Yield the records of a tenant's own side; `tenant` is its id in the customer list."""
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
            document=document(thing),
            fetched_at=books.mirrored_at[kind, thing.id],
        )
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


def _stored(tenant: str, stored: StoredSet) -> EffectiveSetRecord:
    return EffectiveSetRecord(
        tenant=tenant,
        version=stored.version,
        computed_at=stored.computed_at,
        valid_until=stored.valid_until,
        inputs_digest=stored.inputs_digest,
        source_version=stored.source_version,
        cause="import",
        rows=tuple({"feature": row.feature, "value": row.value, "access": row.access} for row in stored.rows),
    )
