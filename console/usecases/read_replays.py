"""Bulk replays of a tenant: the list, one run with its plan and its report, and its counters while it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from console.domain.decisions import Deny, DenyCode
from console.domain.entries import TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import Digest, EndpointId, RunId, StaffId, TenantId
from console.domain.replays import ItemState, Run, RunItem, RunState
from console.domain.requests import Request
from console.domain.staff import Actor
from console.domain.webhooks import Endpoint
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query, refusal_of
from console.usecases.house import House
from console.usecases.opened_tenant import Opened, one, read_opened
from console.usecases.scopes import NEEDS_LEASE, scope_of_lease, tenant_data

_RUNS = 25
_ITEMS = 60
_BUCKET = "replay.watched"
_RECORDED_EVERY = timedelta(minutes=5)
_OVER = frozenset({RunState.FINISHED, RunState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the rows themselves say at the end of a run, computed afresh: not what its counters say."""

    digest: Digest
    tally: Mapping[tuple[ItemState, str | None], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaysPage:
    """The newest runs, with the names of those who planned them."""

    opened: Opened
    runs: Sequence[Run]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPage:
    """One run; `proof` is there once it is over, `request` once somebody asked to run it and it began."""

    opened: Opened
    run: Run
    endpoints: Mapping[EndpointId, Endpoint]
    planner: str
    request: Request | None
    proof: Proof | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsPage:
    """One page of the frozen list; `further` is the position to go on from."""

    opened: Opened
    run: Run
    items: Sequence[RunItem]
    further: int | None
    endpoints: Mapping[EndpointId, Endpoint]


def is_settled(run: Run) -> bool:
    """Return whether a run is over and every planned delivery has its end, so that the books can be held together."""
    return run.state in _OVER and run.started_at is not None and run.left <= 0


def is_moving(run: Run) -> bool:
    """Return whether a run's counters may still move: its list is made first, and a cancelled one is wound up."""
    return run.state in {RunState.COUNTING, RunState.RUNNING, RunState.PAUSED} or is_winding_up(run)


def is_winding_up(run: Run) -> bool:
    """Return whether a run was ended while deliveries of it are still out or have no reason yet."""
    return run.state in _OVER and run.started_at is not None and run.left > 0


def read_replays(house: House, actor: Actor, *, tenant: TenantId) -> ReplaysPage | Deny:
    """Return the newest runs. Raises: NotFoundError for an unknown tenant."""

    def read(unit: ControlUnit, opened: Opened, plane: TenantPlane) -> ReplaysPage:
        runs = plane.webhooks.runs(limit=_RUNS)
        return ReplaysPage(opened=opened, runs=runs, names=planners(unit, runs))

    return read_opened(house, actor, tenant, page="replays", read=read, records=lambda page: len(page.runs))


def read_replay(house: House, actor: Actor, *, tenant: TenantId, run: RunId) -> ReplayPage | Deny:
    """Return one run. Raises: NotFoundError for an unknown tenant or run."""

    def read(unit: ControlUnit, opened: Opened, plane: TenantPlane) -> ReplayPage:
        book = plane.webhooks
        found = _existing(plane, run)
        proof = Proof(digest=book.frozen_digest(run), tally=book.tally(run)) if is_settled(found) else None
        return ReplayPage(
            opened=opened,
            run=found,
            endpoints={endpoint.id: endpoint for endpoint in book.endpoints(with_deleted=True)},
            planner=planners(unit, [found]).get(found.planned_by, found.planned_by),
            request=None if found.request is None else unit.requests.get(found.request),
            proof=proof,
        )

    return read_opened(house, actor, tenant, page="replay", read=read, records=one, about=_about(run))


def read_items(
    house: House, actor: Actor, *, tenant: TenantId, run: RunId, state: ItemState | None, after: int
) -> ItemsPage | Deny:
    """Return a page of the frozen list. Raises: NotFoundError for an unknown tenant or run."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> ItemsPage:
        book = plane.webhooks
        found = _existing(plane, run)
        items = book.items(run, state=state, after=after, limit=_ITEMS + 1)
        return ItemsPage(
            opened=opened,
            run=found,
            items=items[:_ITEMS],
            further=items[_ITEMS - 1].position if len(items) > _ITEMS else None,
            endpoints={endpoint.id: endpoint for endpoint in book.endpoints(with_deleted=True)},
        )

    return read_opened(
        house, actor, tenant, page="replay list", read=read, records=lambda page: len(page.items), about=_about(run)
    )


def watch(house: House, actor: Actor, *, tenant: TenantId, run: RunId) -> Run | Deny:
    """Return a run's counters for somebody who follows them, recorded once in a while; a refusal each time.

    Raises: NotFoundError.
    """
    now = house.clock.now()
    key = f"{actor.staff}/{run}"
    with house.store.read() as unit:
        is_recorded = unit.throttles.count(_BUCKET, key, since=now - _RECORDED_EVERY) > 0
    found = glance(house, actor, tenant=tenant, run=run) if is_recorded else None
    if isinstance(found, Run):
        return found

    def read(unit: ControlUnit, _opened: Opened, plane: TenantPlane) -> Run:
        unit.throttles.hit(_BUCKET, key, at=now)
        return _existing(plane, run)

    return read_opened(
        house, actor, tenant, page="replay progress", read=read, records=one, about=_about(run), is_activity=False
    )


def glance(house: House, actor: Actor, *, tenant: TenantId, run: RunId) -> Run | Deny:
    """Return a run's counters between two recorded looks: lease and policy are asked again, nothing is written.

    Raises: NotFoundError.
    """
    now = house.clock.now()
    with house.store.read() as unit:
        row = unit.directory.get(tenant)
        lease = unit.leases.open_on(actor.staff, tenant)
        if row is None or lease is None or lease.ended_because(now) is not None:
            remedy = "Open the tenant again with a reason."
            return denied(DenyCode.LEASE_ENDED, "The lease has ended.", remedy, rules=NEEDS_LEASE)
        asked = query(
            actor,
            "tenant.read",
            now=now,
            tenant=tenant,
            leased=lease.tenant,
            reason=lease.reason.code,
            facts={"page": "replay progress"},
        )
        refusal = refusal_of(ask(house, asked, unit))
        if isinstance(refusal, Deny):
            return refusal
        with tenant_data(house, unit, scope_of_lease(lease, row)) as plane:
            return _existing(plane, run)


def planners(unit: ControlUnit, runs: Sequence[Run]) -> Mapping[str, str]:
    """Return the names of those who planned some runs, by staff id."""
    members = [unit.staff.get(StaffId(staff)) for staff in sorted({run.planned_by for run in runs})]
    return {member.id: member.name for member in members if member is not None}


def _existing(plane: TenantPlane, run: RunId) -> Run:
    found = plane.webhooks.run(run)
    if found is None:
        raise NotFoundError("There is no such replay on this tenant.")
    return found


def _about(run: RunId) -> tuple[TargetRef, ...]:
    return (TargetRef(type="replay_run", id=run),)
