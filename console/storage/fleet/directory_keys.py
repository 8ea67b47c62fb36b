"""By what the directory finds a tenant: the keys of each kind of import record."""

from collections.abc import Callable, Iterable

from console.domain.billing.objects import ObjectKind
from console.domain.import_billing import BillingCustomerRecord, BillingObjectRecord
from console.domain.imports import DeliveryRecord, InvoiceRecord, MemberRecord, Record, SubscriptionRecord, TenantRecord
from console.domain.search_terms import folded
from console.domain.tenancy import SearchKind
from console.storage.fleet.bulk_rows import tenant_id


def tenant_of(record: Record) -> str | None:
    """Return the external id of the tenant that a record belongs to, or None for the catalogue's."""
    return record.external_id if isinstance(record, TenantRecord) else getattr(record, "tenant", None)


def keys_of(record: Record, fingerprint: Callable[[str], str]) -> Iterable[dict[str, str]]:
    """Return the directory's keys of a record."""
    owner = tenant_of(record)
    if owner is None:
        return
    tenant = tenant_id(owner)
    for kind, value in _keys(record, fingerprint):
        if value:
            yield {"kind": kind.value, "value": value, "tenant_id": tenant}


def _keys(record: Record, fingerprint: Callable[[str], str]) -> Iterable[tuple[SearchKind, str]]:
    match record:
        case TenantRecord():
            yield from ((SearchKind.DOMAIN, folded(domain)) for domain in record.domains)
            yield SearchKind.CUSTOMER, folded(record.provider_customer)
        case BillingCustomerRecord():
            yield SearchKind.CUSTOMER, folded(record.customer) if record.unlinked_at is None else ""
        case SubscriptionRecord():
            yield SearchKind.CUSTOMER, folded(record.provider_customer)
        case MemberRecord():
            yield SearchKind.MEMBER_EMAIL, fingerprint(folded(record.email)) if record.email else ""
        case InvoiceRecord():
            yield SearchKind.INVOICE, folded(record.number)
        case BillingObjectRecord() if record.object == ObjectKind.INVOICE.value and not record.is_deleted:
            named = (record.document.get(name) for name in ("number", "id"))
            yield from ((SearchKind.INVOICE, folded(str(name))) for name in named if name)
        case DeliveryRecord():
            yield SearchKind.MESSAGE, folded(record.message)
        case _:
            return
