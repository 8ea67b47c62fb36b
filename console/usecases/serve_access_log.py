"""Serve a tenant's access log to its own programs, in the order in which it was shown, recorded as every reading is."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.entries import Exposure
from console.domain.ids import TenantId
from console.domain.staff import Origin
from console.domain.tenancy import DirectoryRow
from console.domain.trust.links import LinkKind
from console.usecases.access_lines import ShownAccess, access_lines
from console.usecases.customer_door import Caller, Guest, NotKnown, TooOften, caller_in, guest_of
from console.usecases.house import House
from console.usecases.recording import emit_as, row_ref

MOST = 200
_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """One page. Shape: `after` is the number to ask from next, also when nothing new came."""

    tenant: TenantId
    slug: str
    lines: Sequence[ShownAccess]
    after: int
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSheet:
    """One page of the log as the customer reads it, newest first. Shape: `older` is where the next begins."""

    tenant: DirectoryRow
    lines: Sequence[ShownAccess]
    older: int | None


def show_access_log(house: House, *, link: str, before: int | None, origin: Origin) -> LogSheet | NotKnown | TooOften:
    """Return a page of the log to an administrator who follows a link; it is recorded. Raises: OutsideError."""
    guest = guest_of(house, link, LinkKind.LOG, origin)
    if not isinstance(guest, Guest):
        return guest
    with house.store.write() as unit:
        shown = unit.disclosures.shown(guest.row.id, before=before, limit=_PAGE + 1)
        lines = access_lines(house, unit, shown[:_PAGE])
        emit_as(
            unit,
            guest.ref,
            "customer.log_read",
            at=house.clock.now(),
            origin=origin,
            tenant=row_ref(guest.row, source="link"),
            exposure=Exposure(records=len(lines), fields=("access",)),
            facts={"before": before or 0},
        )
    return LogSheet(tenant=guest.row, lines=lines, older=shown[_PAGE - 1].number if len(shown) > _PAGE else None)


def serve_access_log(
    house: House, *, token: str, after: int, limit: int, origin: Origin
) -> LogPage | NotKnown | TooOften:
    """Return the lines above number `after`, at most `limit` of them; what is read is recorded."""
    most = max(1, min(limit, MOST))
    with house.store.write() as unit:
        caller = caller_in(house, unit, token, origin)
        if not isinstance(caller, Caller):
            return caller
        shown = unit.disclosures.shown_after(caller.row.id, number=after, limit=most + 1)
        lines = access_lines(house, unit, shown[:most])
        if lines:
            emit_as(
                unit,
                caller.ref,
                "customer.log_read",
                at=house.clock.now(),
                origin=origin,
                tenant=row_ref(caller.row, source="token"),
                exposure=Exposure(records=len(lines), fields=("access",)),
                facts={"after": after, "last": lines[-1].disclosure.number or after},
            )
    return LogPage(
        tenant=caller.row.id,
        slug=caller.row.slug,
        lines=lines,
        after=(lines[-1].disclosure.number if lines else after) or after,
        has_more=len(shown) > most,
    )
