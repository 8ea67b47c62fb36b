"""By what the directory finds a tenant: the keys of each kind of import record."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from console.domain.billing.objects import ObjectKind
from console.domain.import_billing import BillingCustomerRecord, BillingObjectRecord
from console.domain.imports import DeliveryRecord, InvoiceRecord, MemberRecord, Record, SubscriptionRecord, TenantRecord
from console.domain.search_terms import folded
from console.domain.tenancy import SearchKind
from console.storage.fleet.bulk_rows import tenant_id

_Fingerprint: TypeAlias = Callable[[str], str]
_Found: TypeAlias = Iterable[tuple[SearchKind, str]]


def tenant_of(record: Record) -> str | None:
    """Return the external id of the tenant that a record belongs to, or None for the catalogue's."""
    return record.external_id if isinstance(record, TenantRecord) else getattr(record, "tenant", None)


def keys_of(record: Record, fingerprint: _Fingerprint) -> Iterable[dict[str, str]]:
    """Return the directory's keys of a record."""
    told, owner = _KEYS.get(type(record)), tenant_of(record)
    if told is None or owner is None:
        return ()
    tenant = tenant_id(owner)
    return [
        {"kind": kind.value, "value": value, "tenant_id": tenant} for kind, value in told(record, fingerprint) if value
    ]


def _of_tenant(record: TenantRecord, _fingerprint: _Fingerprint) -> _Found:
    yield from ((SearchKind.DOMAIN, folded(domain)) for domain in record.domains)
    yield SearchKind.CUSTOMER, folded(record.provider_customer)


def _of_link(record: BillingCustomerRecord, _fingerprint: _Fingerprint) -> _Found:
    return ((SearchKind.CUSTOMER, folded(record.customer) if record.unlinked_at is None else ""),)


def _of_subscription(record: SubscriptionRecord, _fingerprint: _Fingerprint) -> _Found:
    return ((SearchKind.CUSTOMER, folded(record.provider_customer)),)


def _of_member(record: MemberRecord, fingerprint: _Fingerprint) -> _Found:
    return ((SearchKind.MEMBER_EMAIL, fingerprint(folded(record.email)) if record.email else ""),)


def _of_invoice(record: InvoiceRecord, _fingerprint: _Fingerprint) -> _Found:
    return ((SearchKind.INVOICE, folded(record.number)),)


def _of_object(record: BillingObjectRecord, _fingerprint: _Fingerprint) -> _Found:
    if record.object != ObjectKind.INVOICE.value or record.is_deleted:
        return ()
    named = (record.document.get(name) for name in ("number", "id"))
    return [(SearchKind.INVOICE, folded(str(name))) for name in named if name]


def _of_delivery(record: DeliveryRecord, _fingerprint: _Fingerprint) -> _Found:
    return ((SearchKind.MESSAGE, folded(record.message)),)


_KEYS: Mapping[type[Any], Callable[[Any, _Fingerprint], _Found]] = {
    TenantRecord: _of_tenant,
    BillingCustomerRecord: _of_link,
    SubscriptionRecord: _of_subscription,
    MemberRecord: _of_member,
    InvoiceRecord: _of_invoice,
    BillingObjectRecord: _of_object,
    DeliveryRecord: _of_delivery,
}
