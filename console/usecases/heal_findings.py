"""The end of a reconciliation: what heals by itself is healed, one finding a transaction, from the provider only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import ObjectKind
from console.domain.errors import UnreadableObjectError
from console.domain.ids import ActionKey
from console.domain.reconciling.books import ObjectRef
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Finding, FindingEvent, FindingId, FindingState, after
from console.domain.reconciling.runs import Reconciliation, RunEvent, counted
from console.domain.tenancy import DirectoryRow
from console.ports.store import ControlUnit
from console.usecases.freezing import FrozenError
from console.usecases.note_findings import tell_of_finding
from console.usecases.reconciliation_work import OvertakenError, Work, kept, moved, tell_of_run
from console.usecases.scopes import scope_of_job, tenant_data
from console.usecases.settle_findings import HEALING
from console.usecases.tell_access import follow_access
from console.usecases.written_tenant import WrittenTenant, written_tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the provider says now of what a finding names; None is an object that it does not have."""

    answers: Mapping[ObjectRef, Snapshot | None]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    """The tenant of a finding, open for writing."""

    work: Work
    row: DirectoryRow
    written: WrittenTenant


Healer = Callable[[_Patient, Finding, _Said], None]


def heal_step(work: Work) -> Reconciliation:
    """Heal the next finding, or end the run. Raises: OutsideError when the provider or the plane is silent."""
    run, rules = work.run, work.house.book.reconciliation
    last = run.cursor.get("finding")
    place = None if last is None else FindingId(last)
    with work.house.store.read() as unit:
        found = unit.findings.healable(run.id, HEALING, after=place, limit=1)
        row = unit.directory.get(found[0].tenant) if found and found[0].tenant is not None else None
    if not found or run.counts.get("healed", 0) >= rules.heal_most_findings:
        return _done(work)
    finding = found[0]
    healer = _healer_of(finding)
    if row is None or healer is None or finding.times_reopened >= rules.heal_most_returns:
        return _passed_by(work, finding)
    try:
        return _healed(work, finding, row, healer)
    except FrozenError:  # its tenant is frozen: the next run finds it again
        return _passed_by(work, finding)


def resync(patient: _Patient, finding: Finding, said: _Said) -> None:
    """Let the mirror follow the provider for everything that a finding names, and access follow the mirror."""
    mirror = patient.written.plane.mirror
    for (kind, thing), snapshot in said.answers.items():
        if snapshot is None:
            mirror.mark_deleted(kind, thing, at=said.at)
        else:
            mirror.put(snapshot)
    recalculate(patient, finding, said)


def recalculate(patient: _Patient, finding: Finding, said: _Said) -> None:
    """Bring the set that the product reads up to date, and tell the tenant where it changes."""
    work = patient.work
    follow_access(work.house, work.job, patient.row, patient.written, cause=f"finding:{finding.id}", now=said.at)


HEALERS: Mapping[ActionKey, Healer] = MappingProxyType(
    {ActionKey("billing.resync"): resync, ActionKey("entitlement.recalculate"): recalculate}
)


def _healer_of(finding: Finding) -> Healer | None:
    kind = KINDS.get(finding.kind)
    return None if kind is None or kind.action is None or not kind.heals else HEALERS.get(kind.action)


def _healed(work: Work, finding: Finding, row: DirectoryRow, healer: Healer) -> Reconciliation:
    """Heal one finding: the plane first, then the finding, its entry and the run; on one database all at once.

    On a plane elsewhere a crash in between repeats the healing, which says the same twice and changes nothing more.
    """
    said = _asked(work, finding, row)
    scope = scope_of_job(work.job, row, now=work.now)
    with written_tenant(work.house, scope) as written:
        written.plane.take_turn()  # before any row of the mirror, as whoever settles a command to the provider does
        healer(_Patient(work=work, row=row, written=written), finding, said)
        if written.unit is not None:
            return _noted(work, written.unit, finding)
    with work.house.store.write() as unit:
        return _noted(work, unit, finding)


def _asked(work: Work, finding: Finding, row: DirectoryRow) -> _Said:
    """Ask the provider for what a finding names; the mirror and what was staged tell of which kind each is."""
    refs = _refs(work, finding, row)
    at = work.now
    answers: dict[ObjectRef, Snapshot | None] = {}
    for kind, thing in refs:
        try:
            answers[kind, thing] = work.house.provider.fetch(kind, thing)
        except UnreadableObjectError:
            continue  # it cannot be written; the next run says so again
    return _Said(answers=answers, at=at)


def _refs(work: Work, finding: Finding, row: DirectoryRow) -> list[tuple[ObjectKind, str]]:
    names = set(finding.objects)
    with work.house.store.read() as unit:
        with tenant_data(work.house, unit, scope_of_job(work.job, row, now=work.now)) as plane:
            known = set(plane.mirror.mirrored_at())
            customers = {link.customer for link in plane.customers.links()}
        known |= {(each.kind, each.id) for each in unit.staging.of_customers(work.run.id, customers)}
    return sorted((ref for ref in known if ref[1] in names), key=lambda ref: (ref[0].value, ref[1]))


def _noted(work: Work, unit: ControlUnit, finding: Finding) -> Reconciliation:
    """Write that a finding is healed. Raises: OvertakenError when somebody took it meanwhile: then nothing is done."""
    state = after(finding.state, FindingEvent.GONE) or FindingState.RESOLVED
    now = replace(finding, state=state, resolved_at=work.now, resolved_by=work.run.id)
    if not unit.findings.save(now):
        raise OvertakenError("A finding moved meanwhile.", finding=finding.id)
    tell_of_finding(unit, "finding.healed", now, at=work.now, before=finding.state)
    cursor = {**work.run.cursor, "finding": finding.id}
    return kept(unit, replace(work.run, cursor=cursor, counts=counted(work.run.counts, healed=1)))


def _passed_by(work: Work, finding: Finding) -> Reconciliation:
    cursor = {**work.run.cursor, "finding": finding.id}
    counts = counted(work.run.counts, left_to_people=1)
    with work.house.store.write() as unit:
        return kept(unit, replace(work.run, cursor=cursor, counts=counts))


def _done(work: Work) -> Reconciliation:
    with work.house.store.write() as unit:
        done = replace(
            moved(work.run, RunEvent.SETTLED),
            finished_at=work.now,
            findings_digest=unit.sightings.digest(work.run.id),
        )
        tell_of_run(unit, "reconciliation.done", done, at=work.now)
        return kept(unit, done)
