"""Runs of reconciliation as pages show them: the list, and one run with how far it has come and what it saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.domain.decisions import Allow, Decision, Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import StaffId, TenantId
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Kind, ReconciliationId
from console.domain.reconciling.runs import FLEET, KindTotal, Reconciliation
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse

_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """One keyset page of runs, newest first; `running` is the fleet's run that is under way, `totals` what stands."""

    runs: Sequence[Reconciliation]
    tenants: Mapping[TenantId, DirectoryRow]
    names: Mapping[StaffId, str]
    older: ReconciliationId | None
    running: Reconciliation | None
    totals: Sequence["KindLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLine:
    """One kind with how many there are and what is at risk; `kind` is None for one that the catalogue no longer has."""

    key: str
    kind: Kind | None
    total: KindTotal


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """One run. Shape: `pulled` are staged objects by kind; `percent` of the tenants that were compared, to 100."""

    run: Reconciliation
    tenant: DirectoryRow | None
    started_by: str | None
    kinds: Sequence[KindLine]
    pulled: Mapping[str, int]
    percent: int
    is_same_as_previous: bool | None


def read_runs(
    house: House, actor: Actor, *, tenant: TenantId | None, before: ReconciliationId | None
) -> RunsPage | Deny:
    """Return one page of runs, of one tenant or all; figures only, nothing of a tenant but its directory row."""
    decision = asked(house, actor, page="runs")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.runs.page(tenant=tenant, before=before, limit=_PAGE + 1)
        shown = found[:_PAGE]
        recorded(house, unit, actor, decision, page="runs", records=len(shown))
        return RunsPage(
            runs=shown,
            tenants=unit.directory.many(sorted({run.tenant for run in shown if run.tenant is not None})),
            names=_names(unit, shown),
            older=shown[-1].id if len(found) > _PAGE else None,
            running=unit.runs.open_of(FLEET),
            totals=kind_lines(unit.findings.totals(KINDS)),
        )


def read_run(house: House, actor: Actor, *, run: ReconciliationId) -> RunPage | Deny:
    """Return one run: progress, counts and amounts by kind. Raises: NotFoundError."""
    decision = asked(house, actor, page="run")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.runs.get(run)
        if found is None:
            raise NotFoundError("There is no such run.")
        about = (TargetRef(type="reconciliation", id=run),)
        recorded(house, unit, actor, decision, page="run", records=1, about=about)
        before = None if found.previous is None else unit.runs.get(found.previous)
        return RunPage(
            run=found,
            tenant=None if found.tenant is None else unit.directory.get(found.tenant),
            started_by=None if found.started_by is None else _names(unit, [found]).get(found.started_by),
            kinds=kind_lines(found.found),
            pulled={
                name.removeprefix("pulled."): many
                for name, many in found.counts.items()
                if name.startswith("pulled.")
            },
            percent=_percent(found),
            is_same_as_previous=_is_same(found, before),
        )  # fmt: skip


def watch_run(house: House, actor: Actor, *, run: ReconciliationId) -> Reconciliation | Deny:
    """Return a run for somebody who begins to follow it; a refusal is recorded, a look is not: it shows figures only.

    Raises: NotFoundError.
    """
    decision = asked(house, actor, page="run")
    return decision if isinstance(decision, Deny) else glance_at_run(house, actor, run=run)


def glance_at_run(house: House, actor: Actor, *, run: ReconciliationId) -> Reconciliation | Deny:
    """Return a run between two looks of somebody who follows it: policy is asked again, nothing is written.

    Raises: NotFoundError.
    """
    decision = ask(house, query(actor, "reconciliation.read", now=house.clock.now(), facts={"page": "run"}))
    if isinstance(decision, Deny):
        return decision
    with house.store.read() as unit:
        found = unit.runs.get(run)
    if found is None:
        raise NotFoundError("There is no such run.")
    return found


def kind_lines(totals: Mapping[str, KindTotal]) -> tuple[KindLine, ...]:
    """Return kinds in the order of the catalogue, then those that it no longer has."""
    places = {key: place for place, key in enumerate(KINDS)}
    ordered = sorted(totals, key=lambda key: (places.get(key, len(places)), key))
    return tuple(KindLine(key=key, kind=KINDS.get(key), total=totals[key]) for key in ordered)


def asked(house: House, actor: Actor, *, page: str) -> Decision:
    """Ask policy for a page of reconciliation; a refusal is recorded."""
    decision = ask(house, query(actor, "reconciliation.read", now=house.clock.now(), facts={"page": page}))
    if isinstance(decision, Deny):
        target = TargetRef(type="page", id=page, name=page)
        refuse(house, actor, "reconciliation.read_refused", decision, targets=(target,))
    return decision


def recorded(
    house: House,
    unit: ControlUnit,
    actor: Actor,
    decision: Decision,
    *,
    page: str,
    records: int,
    about: tuple[TargetRef, ...] = (),
) -> None:
    """Record that a page of reconciliation was read; no value of a tenant is on it."""
    emit(
        unit,
        actor,
        "reconciliation.read",
        at=house.clock.now(),
        authorisation=authorised(house, decision),
        targets=(TargetRef(type="page", id=page, name=page), *about),
        exposure=Exposure(records=records, fields=("directory",)),
    )


def sees(house: House, actor: Actor, *, page: str) -> bool:
    """Return whether a page of reconciliation is open to somebody."""
    return isinstance(
        ask(house, query(actor, "reconciliation.read", now=house.clock.now(), facts={"page": page})), Allow
    )


def _names(unit: ControlUnit, runs: Sequence[Reconciliation]) -> dict[StaffId, str]:
    people = sorted({run.started_by for run in runs if run.started_by is not None})
    members = [unit.staff.get(staff) for staff in people]
    return {member.id: member.name for member in members if member is not None}


def _percent(run: Reconciliation) -> int:
    if not run.is_open:
        return 100
    return min(100, run.counts.get("tenants", 0) * 100 // run.tenants_total) if run.tenants_total else 0


def _is_same(run: Reconciliation, before: Reconciliation | None) -> bool | None:
    """Return whether a run saw exactly what the run before saw; None where that cannot be said."""
    if before is None or run.findings_digest is None or before.findings_digest is None or before.scope != run.scope:
        return None
    return run.findings_digest == before.findings_digest
