"""Rows of the mirror as snapshots and back."""

from typing import Any

from console.domain.billing.canonical_form import MalformedObjectError, Snapshot, document, restored
from console.domain.billing.objects import ObjectKind
from console.domain.billing.particulars import particulars
from console.domain.canonical import canonical_bytes, sha256_hex
from console.storage.types import Spelt


def mirror_values(snapshot: Snapshot, canonical: dict[str, Any] | None = None) -> dict[str, object]:
    """Return the columns of a snapshot; `canonical` is its document where that is written already.

    Raises: BadValueError for an object that belongs to no customer.
    """
    shown = particulars(snapshot.thing)
    if canonical is None:
        canonical = document(snapshot.thing)
    spelt = canonical_bytes(canonical)
    return {
        "kind": snapshot.kind.value,
        "id": snapshot.thing.id,
        "customer": shown.customer,
        "parent": shown.parent,
        "number": shown.number,
        "status": shown.status,
        "currency": shown.currency,
        "amount_minor": shown.amount_minor,
        "at": shown.at,
        # The canonical spelling and the stored one part only at what is not printable ASCII.
        "canonical": Spelt(spelt.decode()) if spelt.isascii() and b"\x7f" not in spelt else canonical,
        "digest": sha256_hex(spelt),
        "raw": dict(snapshot.raw),
        "api_version": snapshot.api_version,
        "fetched_at": snapshot.fetched_at,
        "is_deleted": snapshot.is_deleted,
    }


def shown_snapshot(row: Any) -> Snapshot | None:  # noqa: ANN401  a row of any making
    """Return what a row says, or None where its document no longer fits its kind."""
    try:
        thing = restored(ObjectKind(row.kind), row.canonical)
    except (MalformedObjectError, ValueError):
        return None
    return Snapshot(
        thing=thing,
        raw=row.raw,
        api_version=row.api_version,
        fetched_at=row.fetched_at,
        is_deleted=row.is_deleted,
    )
