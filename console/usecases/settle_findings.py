"""The last phase of a reconciliation, before healing: the stop rule, what is gone, and waivers that ran out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import TRANSITIONS, Finding, FindingEvent, FindingId, FindingState
from console.domain.reconciling.runs import Reconciliation, RunEvent, counted
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.note_findings import tell_of_finding
from console.usecases.reconciliation_work import OvertakenError, Work, call_duty, kept, moved, tell_of_run

_AT_ONCE = 100
HEALING = frozenset(kind.key for kind in KINDS.values() if kind.heals)


def check_step(work: Work) -> Reconciliation:
    """Stop the run where so much would be healed that something else must be wrong, else go on.

    A stopped run resolves nothing and heals nothing: an adapter that misreads is not a thousand differences.
    """
    run, rules, now = work.run, work.house.book.reconciliation, work.now
    with work.house.store.write() as unit:
        findings, tenants = unit.findings.count_healable(run.id, HEALING)
        most = rules.most_tenants(run.counts.get("tenants", 0))
        if findings <= rules.heal_most_findings and tenants <= most:
            return kept(unit, replace(run, cursor={**run.cursor, "stage": "gone"}))
        because = f"{findings:,} findings of {tenants:,} tenants would be healed; {most:,} tenants is the most."
        stopped = replace(
            moved(run, RunEvent.STOP),
            because=because,
            finished_at=now,
            findings_digest=unit.sightings.digest(run.id),
            counts=counted(run.counts, healable=findings, healable_tenants=tenants),
        )
        tell_of_run(unit, "reconciliation.stopped", stopped, at=now, error="mass_difference")
        call_duty(work.house, unit, stopped, f"A reconciliation stopped and healed nothing: {because}", at=now)
        return kept(unit, stopped)


def gone_step(work: Work) -> Reconciliation:
    """Resolve some findings that the run did not see on the same ground; those of silent planes stay."""
    run, now = work.run, work.now
    silent = set(run.cursor.get("silent", "").split())
    last = run.cursor.get("finding")
    with work.house.store.write() as unit:
        found = unit.findings.unseen(
            run.id,
            before=run.began_at or now,
            tenant=run.tenant,
            after=None if last is None else FindingId(last),
            limit=_AT_ONCE,
        )
        there = [each for each in found if not _is_silent(unit, each, silent)] if silent else found
        for each in there:
            _resolve(unit, run, each, at=now)
        stage = {"stage": "gone", "finding": found[-1].id} if len(found) == _AT_ONCE else {"stage": "lapsed"}
        cursor = {name: value for name, value in run.cursor.items() if name not in {"stage", "finding"}}
        return kept(unit, replace(run, cursor={**cursor, **stage}, counts=counted(run.counts, resolved=len(there))))


def lapsed_step(work: Work) -> Reconciliation:
    """Open findings again whose waiver ran out."""
    run = work.run
    with work.house.store.write() as unit:
        found = unit.findings.lapsed(work.now, limit=_AT_ONCE)
        lapsed = open_lapsed(unit, found, at=work.now)
        stage = "lapsed" if len(found) == _AT_ONCE else "heal"
        counts = counted(run.counts, lapsed=lapsed)
        return kept(unit, replace(run, cursor={**run.cursor, "stage": stage}, counts=counts))


def open_lapsed(unit: ControlUnit, found: Sequence[Finding], *, at: datetime) -> int:
    """Open findings whose waiver ran out, each with its entry, and return how many."""
    lapsed = 0
    for each in found:
        state = TRANSITIONS[FindingState.WAIVED, FindingEvent.LAPSE]
        now = replace(each, state=state, waived_until=None, waived_by=None, owner=None)
        if unit.findings.save(now):
            tell_of_finding(unit, "finding.lapsed", now, at=at, before=each.state)
            lapsed += 1
    return lapsed


def lapse_waivers(house: House) -> int:
    """Open findings again whose waiver ran out, whether or not a run goes on; return how many."""
    now = house.clock.now()
    with house.store.write() as unit:
        return open_lapsed(unit, unit.findings.lapsed(now, limit=_AT_ONCE), at=now)


def _resolve(unit: ControlUnit, run: Reconciliation, finding: Finding, *, at: datetime) -> None:
    """Resolve a finding that is gone, with its entry. Raises: OvertakenError when somebody was faster."""
    state = TRANSITIONS[finding.state, FindingEvent.GONE]
    now = replace(finding, state=state, resolved_at=at, resolved_by=run.id, repair=None)
    if not unit.findings.save(now):
        raise OvertakenError("A finding moved meanwhile.", finding=finding.id)
    tell_of_finding(unit, "finding.resolved", now, at=at, before=finding.state, because="not_seen_again")


def _is_silent(unit: ControlUnit, finding: Finding, silent: set[str]) -> bool:
    row = None if finding.tenant is None else unit.directory.get(finding.tenant)
    return row is not None and row.plane in silent
