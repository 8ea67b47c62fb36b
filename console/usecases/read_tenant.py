"""Read one page of an opened tenant: the lease, the entry and the data, in that order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.decisions import Deny
from console.domain.field_classes import FieldClass, shown
from console.domain.ids import MemberId, TenantId
from console.domain.requests import Request, State
from console.domain.staff import Actor
from console.domain.webhooks import Delivery, Endpoint
from console.domain.workspace import Account, Invoice, Member, Note, Subscription
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter, StoredEntry
from console.ports.webhooks import DeliveryFilter
from console.usecases.health import Symptom, symptoms
from console.usecases.house import House
from console.usecases.latest_changes import TenantChange, latest_changes
from console.usecases.opened_tenant import Opened, read_opened

_SHOWN = 20
_DELIVERIES = 15
_WAITING = 5  # the newest; the inbox has them all
_PAGE = 50
_MEMBERS = 25
_NOTES = 20  # each may be a page of text
_LATEST = 8
_COUNT_AT_MOST = 10_000
_SIGNAL = b'"action":"signal.'  # in canonical bytes nothing but an entry's own name reads so


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The first page of a tenant."""

    opened: Opened
    account: Account
    subscription: Subscription | None
    member_count: int
    invoices: Sequence[Invoice]
    deliveries: Sequence[Delivery]
    endpoints: Sequence[Endpoint]
    symptoms: Sequence[Symptom]
    requests: Sequence[Request]
    entries: Sequence[StoredEntry]
    changes: Sequence[TenantChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """A member with every personal field masked; cleartext never reaches a page from here."""

    id: MemberId
    name: str
    email: str
    phone: str | None
    role: str
    is_active: bool
    joined_at: datetime
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """One keyset page; `older` is the key to ask for what follows, None at the end."""

    opened: Opened
    items: Sequence[MemberLine] | Sequence[StoredEntry]
    older: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesPage:
    """One keyset page of notes; `older` is the note to ask for what follows, None at the end."""

    opened: Opened
    notes: Sequence[Note]
    older: str | None


def read_overview(house: House, actor: Actor, *, tenant: TenantId) -> Overview | Deny:
    """Return the overview of an opened tenant. Raises: NotFoundError for an unknown tenant."""

    def read(unit: ControlUnit, opened: Opened, plane: TenantPlane) -> Overview:
        now = house.clock.now()
        account, subscription = plane.account(), plane.subscription()
        invoices = plane.invoices(limit=_SHOWN)
        deliveries = plane.webhooks.deliveries(DeliveryFilter(), before=None, limit=_DELIVERIES)
        endpoints = plane.webhooks.endpoints(with_deleted=True)
        return Overview(
            opened=opened,
            account=account,
            subscription=subscription,
            invoices=invoices,
            deliveries=deliveries,
            endpoints=endpoints,
            member_count=plane.member_count(most=_COUNT_AT_MOST),
            symptoms=symptoms(account, subscription, invoices, deliveries, now=now, endpoints=endpoints),
            requests=unit.requests.recent(
                states=(State.PENDING, State.APPROVED), tenant=tenant, after=None, limit=_WAITING
            ),
            entries=_open_to_all(unit.reader.page(EntryFilter(tenant=tenant), before=None, limit=_LATEST)),
            changes=latest_changes(account, subscription, invoices, endpoints, now=now, most=_LATEST),
        )

    return read_opened(house, actor, tenant, page="overview", read=read, records=_of_overview)


def read_members(house: House, actor: Actor, *, tenant: TenantId, after: MemberId | None) -> Paged | Deny:
    """Return a page of members, masked. Raises: NotFoundError for an unknown tenant."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> Paged:
        found = plane.members(after=after, limit=_MEMBERS + 1)
        older = found[_MEMBERS - 1].id if len(found) > _MEMBERS else None
        return Paged(opened=opened, items=[_masked(member) for member in found[:_MEMBERS]], older=older)

    return read_opened(house, actor, tenant, page="members", read=read, records=_of_list, shows=(FieldClass.NAMED,))


def read_notes(house: House, actor: Actor, *, tenant: TenantId, before: str | None) -> NotesPage | Deny:
    """Return a page of notes, newest first. Raises: NotFoundError for an unknown tenant."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> NotesPage:
        found = plane.notes(before=before, limit=_NOTES + 1)
        older = found[_NOTES - 1].id if len(found) > _NOTES else None
        return NotesPage(opened=opened, notes=found[:_NOTES], older=older)

    shows = (FieldClass.BUSINESS, FieldClass.NAMED)
    return read_opened(house, actor, tenant, page="notes", read=read, records=lambda page: len(page.notes), shows=shows)


def read_tenant_entries(house: House, actor: Actor, *, tenant: TenantId, before: int | None) -> Paged | Deny:
    """Return a page of this tenant's entries. Raises: NotFoundError for an unknown tenant."""

    def read(unit: ControlUnit, opened: Opened, _plane: TenantPlane) -> Paged:
        found = unit.reader.page(EntryFilter(tenant=tenant), before=before, limit=_PAGE + 1)
        older = str(found[_PAGE - 1].id) if len(found) > _PAGE else None
        return Paged(opened=opened, items=_open_to_all(found[:_PAGE]), older=older)

    return read_opened(house, actor, tenant, page="entries", read=read, records=_of_list)


def _open_to_all(entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Leave out what signals say: whoever opens a tenant may be the one whom they are about."""
    return [entry for entry in entries if _SIGNAL not in entry.body]


def _of_overview(page: Overview) -> int:
    lists = (page.invoices, page.deliveries, page.requests, page.entries)
    return 1 + sum(len(each) for each in lists)


def _of_list(page: Paged) -> int:
    return len(page.items)


def _masked(member: Member) -> MemberLine:
    return MemberLine(
        id=member.id,
        name=member.name,
        email=shown("plane_member.email", member.email) or "",
        phone=shown("plane_member.phone", member.phone),
        role=member.role,
        is_active=member.is_active,
        joined_at=member.joined_at,
        last_seen_at=member.last_seen_at,
    )
