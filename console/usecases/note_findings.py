"""Turn what a run saw twice into findings: new ones, the same ones again, and those that came back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from console.domain.changes import Change
from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.reconciling.findings import (
    LONGEST_VALUE,
    Candidate,
    Finding,
    FindingEvent,
    FindingState,
    ReconciliationId,
    after,
    digest_of,
)
from console.domain.reconciling.runs import How, Reconciliation, Sighting, counted, grown
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.usecases.access_lines import body_of_entry
from console.usecases.bind_repair import without_repair
from console.usecases.reconciliation_work import OvertakenError
from console.usecases.recording import emit_as, tenant_ref

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REOPENED = "finding.reopened"
_OVER = frozenset({FindingState.RESOLVED, FindingState.EXPLAINED, FindingState.WAIVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A candidate that persisted, and how the run took it."""

    candidate: Candidate
    how: How


def note_seen(
    unit: ControlUnit, run: Reconciliation, seen: Iterable[Seen], *, at: datetime, window: timedelta
) -> Reconciliation:
    """Keep sightings and findings in the open unit and return the run with its figures; the caller keeps the run.

    Shape: what says not when it happened is in flight for `window` from when it was first seen, or came back; what
    was in flight, and arrived, and is in flight with something else, came back.
    """
    things = list(seen)
    known = unit.findings.many({each.candidate.id for each in things})
    counts, found = dict(run.counts), dict(run.found)
    for each in things:
        candidate = each.candidate
        before = known.get(candidate.id)
        how = each.how
        stands = before if before is not None and before.state is not FindingState.RESOLVED else None
        if how is How.SETTLING and stands is not None:
            how = How.SEEN
        waits = stands if how is How.IN_FLIGHT else None
        if waits and not _is_another(waits, ours=candidate.ours) and at - _since(unit, waits) >= window:
            how = How.SEEN  # one that was resolved may be on its way again, as if for the first time
        fresh = _new(candidate, run.id, at=at, how=how)
        sighting = Sighting(
            finding=candidate.id, kind=candidate.kind, tenant=candidate.tenant, objects=candidate.objects,
            digest=digest_of(fresh), how=how,
        )  # fmt: skip
        unit.sightings.add(run.id, [sighting])
        if how is How.SETTLING:
            counts = counted(counts, settling=1)
            continue
        counts = counted(counts, seen=1, in_flight=int(how is How.IN_FLIGHT))
        found = grown(found, candidate.kind, candidate.at_risk_minor, candidate.currency)
        counts = counted(counts, **{_written(unit, before, fresh, how, at=at): 1})
    return replace(run, counts=counts, found=found)


def tell_of_finding(
    unit: ControlUnit,
    action: str,
    finding: Finding,
    *,
    at: datetime,
    before: FindingState | None = None,
    because: str | None = None,
) -> None:
    """Write an entry about a finding, with the digest of what it says, into the open unit."""
    moved = Change(field="State", before=None if before is None else before.value, after=finding.state.value)
    money = {} if finding.currency is None else {"at_risk_minor": finding.at_risk_minor, "currency": finding.currency}
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        tenant=tenant_ref(unit, finding.tenant, source="job"),
        targets=(TargetRef(type="finding", id=finding.id, name=finding.kind),),
        changes=(moved,),
        facts={
            "digest": digest_of(finding), "run": finding.last_run, **money,
            **({} if because is None else {"because": because}),
        },
    )  # fmt: skip


def _is_another(stands: Finding, *, ours: str) -> bool:
    """Return whether our side followed since a finding was in flight: then what is there now is on its way anew."""
    return stands.state is FindingState.IN_FLIGHT and stands.ours != ours[:LONGEST_VALUE]


def _since(unit: ControlUnit, finding: Finding) -> datetime:
    """Return since when a finding stands: since it was first seen, or since the entry that says that it came back."""
    if not finding.times_reopened:
        return finding.first_seen_at
    told = EntryFilter(action=_REOPENED, target=finding.id)
    newest = next(iter(unit.reader.page(told, before=None, limit=1)), None)
    if newest is None:
        return finding.first_seen_at
    return _EPOCH + timedelta(microseconds=body_of_entry(newest.body)["ts_us"])


def _written(unit: ControlUnit, before: Finding | None, fresh: Finding, how: How, *, at: datetime) -> str:
    """Store one finding and return under which figure it counts. Raises: OvertakenError when somebody was faster."""
    if before is None:
        unit.findings.add(fresh)
        tell_of_finding(unit, "finding.opened", fresh, at=at)
        return "opened"
    before = without_repair(unit, before)
    event = FindingEvent.SEEN_IN_FLIGHT if how is How.IN_FLIGHT else FindingEvent.SEEN
    state = after(before.state, event) or before.state
    says_other = digest_of(fresh) != digest_of(before)
    if says_other and state in {FindingState.EXPLAINED, FindingState.WAIVED}:  # what was judged is not what is there
        state = after(state, FindingEvent.REOPEN) or state
    comes_back = (state is FindingState.IN_FLIGHT and _is_another(before, ours=fresh.ours)) or (
        state in {FindingState.OPEN, FindingState.IN_FLIGHT} and before.state in _OVER
    )
    now = replace(
        before,
        ours=fresh.ours,
        theirs=fresh.theirs,
        at_risk_minor=fresh.at_risk_minor,
        currency=fresh.currency,
        direction=fresh.direction,
        params=fresh.params,
        evidence=fresh.evidence,
        state=state,
        last_seen_at=fresh.last_seen_at,
        last_run=fresh.last_run,
    )
    if comes_back:
        now = _forgotten(now)
    if not unit.findings.save(now):
        raise OvertakenError("A finding moved meanwhile.", finding=before.id)
    if comes_back:
        tell_of_finding(unit, _REOPENED, now, at=at, before=before.state)
        return "reopened"
    return "again"


def _forgotten(finding: Finding) -> Finding:
    """Return a finding that came back: nobody has it, and what was said of it no longer holds."""
    return replace(
        finding,
        times_reopened=finding.times_reopened + 1,
        owner=None,
        waived_until=None,
        waived_by=None,
        explanation=None,
        resolved_at=None,
        resolved_by=None,
        repair=None,
    )


def _new(candidate: Candidate, run: ReconciliationId, *, at: datetime, how: How) -> Finding:
    return Finding(
        id=candidate.id,
        kind=candidate.kind,
        tenant=candidate.tenant,
        objects=candidate.objects,
        differs=candidate.differs,
        ours=candidate.ours[:LONGEST_VALUE],
        theirs=candidate.theirs[:LONGEST_VALUE],
        at_risk_minor=candidate.at_risk_minor,
        currency=candidate.currency,
        direction=candidate.direction,
        params=dict(candidate.params),
        evidence=dict(candidate.evidence),
        state=FindingState.IN_FLIGHT if how is How.IN_FLIGHT else FindingState.OPEN,
        version=1,
        first_seen_at=at,
        last_seen_at=at,
        first_run=run,
        last_run=run,
    )
