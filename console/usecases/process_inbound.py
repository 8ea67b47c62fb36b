"""Process one event of the inbox: it is a hint; what the provider says of the object now goes into the mirror."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.changes import Change
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import OutsideError
from console.domain.ids import InboundId, TenantId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import Job
from console.domain.tenancy import DirectoryRow
from console.domain.workspace import Invoice
from console.ports.billing import ProviderInvoice
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.recording import emit_as, row_ref
from console.usecases.scopes import scope_of_job
from console.usecases.written_tenant import written_tenant

_HANDLED = "invoice."
NO_HANDLER = "no_handler"
NO_CUSTOMER = "no_customer"
UNKNOWN_CUSTOMER = "unknown_customer"
UNKNOWN_OBJECT = "unknown_object"
NOT_MIRRORED = "not_mirrored"
NOT_ANSWERED = "not_answered"
FRESHER = "fresher_mirror"


@dataclass(frozen=True, slots=True)
class _Aside:
    """Where an event ends that changes no mirror."""

    state: InboundState
    because: str


@dataclass(frozen=True, slots=True)
class _Meant:
    """What an event is about: an invoice number of a customer that belongs to one tenant."""

    row: DirectoryRow
    customer: str
    number: str


def process_inbound(house: House, job: Job) -> Done:
    """Let the mirror follow the provider for one event. Raises: OutsideError when the provider is silent.

    1 still open · 2 what is it about · 3 what does the provider say now · 4 the mirror, unless it is fresher
    """
    # 1
    with house.store.read() as unit:
        event = unit.inbox.get(InboundId(str(job.payload.get("event", ""))))
        if event is None or event.state is not InboundState.RECEIVED:
            return Done()
        # 2
        meant = _meant(unit, event)
    if isinstance(meant, _Aside):
        _settle(house, event, meant, tenant=None)
        return Done()
    # 3
    asked_at = house.clock.now()
    said = _asked(house, event, meant)
    if said is None:
        _settle(house, event, _Aside(InboundState.QUARANTINED, UNKNOWN_OBJECT), tenant=meant.row)
        return Done()
    # 4
    scope = scope_of_job(job, meant.row, now=asked_at)
    with written_tenant(house, scope) as written:
        answer = _mirrored(written.plane, said, asked_at=asked_at)
        if written.unit is not None:
            _record(house, written.unit, event, meant.row, answer)
    if written.unit is None:
        with house.store.write() as unit:
            _record(house, unit, event, meant.row, answer)
    return Done()


def _asked(house: House, event: InboundEvent, meant: _Meant) -> ProviderInvoice | None:
    """Ask the provider; where asking again is of no use the event has failed, and its job tells of it."""
    try:
        return house.billing.invoice(customer=meant.customer, number=meant.number)
    except OutsideError as away:
        if away.permanent:
            _settle(house, event, _Aside(InboundState.FAILED, NOT_ANSWERED), tenant=meant.row)
        raise


def _meant(unit: ControlUnit, event: InboundEvent) -> _Meant | _Aside:
    """Return what an event is about; what it says of itself is only used to look up, never to write."""
    if not event.event_type.startswith(_HANDLED):
        return _Aside(InboundState.IGNORED, NO_HANDLER)
    if event.customer is None or event.object_id is None:
        return _Aside(InboundState.QUARANTINED, NO_CUSTOMER)
    tenant = unit.inbox.tenant_of_customer(event.customer)
    row = None if tenant is None else unit.directory.get(tenant)
    if row is None:
        return _Aside(InboundState.QUARANTINED, UNKNOWN_CUSTOMER)
    return _Meant(row, event.customer, event.object_id)


def _mirrored(plane: TenantPlane, said: ProviderInvoice, *, asked_at: datetime) -> tuple[Invoice, str] | _Aside:
    """Write the provider's answer; a mirror that was written from a later answer stays."""
    before = plane.invoice(said.number)
    if before is None:
        return _Aside(InboundState.QUARANTINED, NOT_MIRRORED)
    if not plane.mirror_invoice(said.number, status=said.status, paid_at=said.paid_at, at=asked_at):
        return _Aside(InboundState.PROCESSED, FRESHER)
    return before, said.status


def _record(
    house: House, unit: ControlUnit, event: InboundEvent, row: DirectoryRow, answer: tuple[Invoice, str] | _Aside
) -> None:
    if isinstance(answer, _Aside):
        _settle_in(house, unit, event, answer, tenant=row)
        return
    before, status = answer
    if not _ended(house, unit, event, InboundState.PROCESSED, because=None, tenant=row.id):
        return
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "inbound.processed",
        at=house.clock.now(),
        tenant=row_ref(row, source="directory"),
        targets=(*_target(event), TargetRef(type="invoice", id=before.number)),
        changes=(Change(field="Status in the mirror", before=before.status, after=status),),
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
