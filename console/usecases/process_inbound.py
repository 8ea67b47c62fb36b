"""Process one event of the inbox: it is a hint; what the provider says of the object now goes into the mirror."""

from dataclasses import dataclass, replace

from console.domain.billing.canonical_form import Snapshot, customer_of
from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind
from console.domain.billing.wording import changes_between
from console.domain.changes import Change
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import OutsideError, UnreadableObjectError
from console.domain.ids import InboundId, TenantId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import Job
from console.domain.tenancy import DirectoryRow
from console.ports.mirror import MirrorBook
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.recalculate_access import recalculate_access
from console.usecases.recording import emit_as, row_ref
from console.usecases.scopes import scope_of_job
from console.usecases.tell_access import follow_access
from console.usecases.written_tenant import WrittenTenant, written_tenant

NO_HANDLER = "no_handler"
OF_ACCOUNT = "of_account"
NO_CUSTOMER = "no_customer"
UNKNOWN_CUSTOMER = "unknown_customer"
OTHER_CUSTOMER = "other_customer"
UNLINKED_CUSTOMER = "unlinked_customer"
UNKNOWN_OBJECT = "unknown_object"
UNREADABLE = "unreadable_object"
NOT_ANSWERED = "not_answered"
FRESHER = "fresher_mirror"


@dataclass(frozen=True, slots=True)
class _Aside:
    """Where an event ends that changes no mirror."""

    state: InboundState
    because: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What the provider says now, and the one tenant that its customer is mapped to."""

    row: DirectoryRow
    customer: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class _Mirrored:
    """What the mirror said before it followed."""

    snapshot: Snapshot
    changes: tuple[Change, ...]


def process_inbound(house: House, job: Job) -> Done:
    """Let the mirror follow the provider for one event. Raises: OutsideError when the provider is silent.

    1 still open · 2 what is it about · 3 what does the provider say now, and whose is it · 4 the mirror, unless it is
    fresher
    """
    # 1
    with house.store.read() as unit:
        event = unit.inbox.get(InboundId(str(job.payload.get("event", ""))))
        if event is None or event.state is not InboundState.RECEIVED:
            return Done()
        # 2
        kind = _kind(house, unit, event)
    # 3
    said = kind if isinstance(kind, _Aside) else _said(house, event, kind)
    if isinstance(said, _Aside):
        _settle(house, event, said, tenant=None)
        return Done()
    # 4
    scope = scope_of_job(job, said.row, now=house.clock.now())
    with written_tenant(house, scope) as written:
        answer = _mirrored(written.plane.mirror, said)
        if isinstance(answer, _Mirrored):
            answer = _with_access(house, job, said.row, written, event, answer)
        if written.unit is not None:
            _record(house, written.unit, event, said.row, answer)
    if written.unit is None:
        with house.store.write() as unit:
            _record(house, unit, event, said.row, answer)
    return Done()


def _kind(house: House, unit: ControlUnit, event: InboundEvent) -> ObjectKind | _Aside:
    """Return what kind of object an event is about; a customer that nobody here knows spares the question."""
    verifier = house.inbound_verifiers.get(event.provider)
    kind = None if verifier is None else verifier.kind_of(event.event_type)
    if kind is None:
        return _Aside(InboundState.IGNORED, NO_HANDLER)
    if kind not in OF_CUSTOMERS:
        return _Aside(InboundState.IGNORED, OF_ACCOUNT)  # the next reconciliation reads the account as a whole
    if event.object_id is None:
        return _Aside(InboundState.QUARANTINED, UNKNOWN_OBJECT)
    if event.customer is not None and unit.inbox.tenant_of_customer(event.customer) is None:
        return _Aside(InboundState.QUARANTINED, UNKNOWN_CUSTOMER)
    return kind


def _said(house: House, event: InboundEvent, kind: ObjectKind) -> _Said | _Aside:
    """Return what the provider says and whose it is; the event itself is only used to look up, never to write."""
    snapshot = _asked(house, event, kind)
    if isinstance(snapshot, _Aside):
        return snapshot
    customer = customer_of(snapshot.thing)
    if customer is None:
        return _Aside(InboundState.QUARANTINED, NO_CUSTOMER)
    if event.customer not in {None, customer}:
        return _Aside(InboundState.QUARANTINED, OTHER_CUSTOMER)
    with house.store.read() as unit:
        tenant = unit.inbox.tenant_of_customer(customer)
        row = None if tenant is None else unit.directory.get(tenant)
    return _Aside(InboundState.QUARANTINED, UNKNOWN_CUSTOMER) if row is None else _Said(row, customer, snapshot)


def _asked(house: House, event: InboundEvent, kind: ObjectKind) -> Snapshot | _Aside:
    """Ask the provider; where asking again is of no use the event has failed, and its job tells of it."""
    hint = event.object_id or ""
    try:
        told = house.provider.fetch(kind, hint)
        if told is None and kind is ObjectKind.INVOICE and event.customer is not None:
            # The hint of an event that names no id is the number.
            told = house.provider.invoice_of_number(customer=event.customer, number=hint)
    except UnreadableObjectError:
        return _Aside(InboundState.QUARANTINED, UNREADABLE)
    except OutsideError as away:
        if away.permanent:
            _settle(house, event, _Aside(InboundState.FAILED, NOT_ANSWERED), tenant=None)
        raise
    return told or _Aside(InboundState.QUARANTINED, UNKNOWN_OBJECT)


def _mirrored(mirror: MirrorBook, said: _Said) -> _Mirrored | _Aside:
    """Write the provider's answer; a mirror that was written from a later answer stays."""
    if said.customer not in mirror.customers():
        return _Aside(InboundState.QUARANTINED, UNLINKED_CUSTOMER)
    before = mirror.get(said.snapshot.kind, said.snapshot.thing.id)
    if not mirror.put(said.snapshot):
        return _Aside(InboundState.PROCESSED, FRESHER)
    return _Mirrored(said.snapshot, _changes(before, said.snapshot))


def _with_access(
    house: House, job: Job, row: DirectoryRow, written: WrittenTenant, event: InboundEvent, answer: _Mirrored
) -> _Mirrored:
    """Bring what the product reads up to date with a subscription that changed; nothing else of it decides access.

    Shape: on a plane elsewhere that is an entry of its own, which no crash between the two databases can lose.
    """
    if answer.snapshot.kind is not ObjectKind.SUBSCRIPTION:
        return answer
    cause, now = f"inbound:{event.id}", house.clock.now()
    if written.unit is None:
        follow_access(house, job, row, written, cause=cause, now=now)
        return answer
    done = recalculate_access(house, written.plane, cause=cause, now=now)
    return replace(answer, changes=(*answer.changes, *done.effects.changes())) if done.is_written else answer


def _changes(before: Snapshot | None, after: Snapshot) -> tuple[Change, ...]:
    found = changes_between(None if before is None else before.thing, after.thing)
    was_there = before is not None and not before.is_deleted
    if was_there == after.is_deleted or before is None:
        there = Change(
            field="In the mirror",
            before="yes" if was_there else None,
            after="deleted at the provider" if after.is_deleted else "yes",
        )
        return (there, *found)
    return found


def _record(
    house: House, unit: ControlUnit, event: InboundEvent, row: DirectoryRow, answer: _Mirrored | _Aside
) -> None:
    if isinstance(answer, _Aside):
        _settle_in(house, unit, event, answer, tenant=row)
        return
    if not _ended(house, unit, event, InboundState.PROCESSED, because=None, tenant=row.id):
        return
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "inbound.processed",
        at=house.clock.now(),
        tenant=row_ref(row, source="directory"),
        targets=(*_target(event), TargetRef(type=answer.snapshot.kind.value, id=answer.snapshot.thing.id)),
        changes=answer.changes,
    )


def _settle(house: House, event: InboundEvent, aside: _Aside, *, tenant: DirectoryRow | None) -> None:
    with house.store.write() as unit:
        _settle_in(house, unit, event, aside, tenant=tenant)


def _settle_in(
    house: House, unit: ControlUnit, event: InboundEvent, aside: _Aside, *, tenant: DirectoryRow | None
) -> None:
    is_ours = _ended(
        house, unit, event, aside.state, because=aside.because, tenant=None if tenant is None else tenant.id
    )
    if is_ours and aside.state is InboundState.QUARANTINED:
        emit_as(
            unit,
            SYSTEM_ACTOR,
            "inbound.quarantined",
            at=house.clock.now(),
            tenant=row_ref(tenant, source="directory"),
            targets=_target(event),
            error=aside.because,
        )


def _ended(
    house: House,
    unit: ControlUnit,
    event: InboundEvent,
    state: InboundState,
    *,
    because: str | None,
    tenant: TenantId | None,
) -> bool:
    """Write how an event ended; False when somebody else was faster, who has told of it too."""
    return unit.inbox.settle(event, state, at=house.clock.now(), because=because, tenant=tenant)


def _target(event: InboundEvent) -> tuple[TargetRef, ...]:
    return (TargetRef(type="inbound_event", id=event.id, name=event.event_type),)
