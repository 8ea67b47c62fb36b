"""The entries of a bulk replay, each once, and the proof that the last of them carries."""

import json
from dataclasses import dataclass
from datetime import datetime

from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.ids import Digest
from console.domain.jobs import Job
from console.domain.replays import ItemState, Run
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.usecases.recording import emit_as, tenant_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the rows of a run say. Shape: `counted` holds (state, reason, how many), `digest` is computed afresh."""

    run: Run
    digest: Digest
    counted: tuple[tuple[str, str | None, int], ...]

    @property
    def fault(self) -> str | None:
        """Return what does not add up, or None: planned = sent + skipped, and the list is the approved one."""
        if self.run.digest and self.digest != self.run.digest:  # one that was cancelled before it was whole has none
            return "list_changed"
        settled = {ItemState.SENT.value: self.run.sent, ItemState.SKIPPED.value: self.run.skipped}
        by_state = {state: self.many(state) for state in ItemState}
        if any(by_state[ItemState(state)] != many for state, many in settled.items()):
            return "counters_differ"
        return None if sum(by_state.values()) == self.run.planned else "items_missing"

    def many(self, state: ItemState) -> int:
        """Return how many items stand in a state."""
        return sum(count for found, _reason, count in self.counted if found == state.value)


def record_replay(unit: ControlUnit, action: str, run: Run, job: Job, *, proof: Proof | None, at: datetime) -> None:
    """Write an entry about a run unless the same one stands already: a job may come to the same place twice."""
    if _stands(unit, action, run):
        return
    asked = None if job.request is None else unit.requests.get(job.request)
    facts: dict[str, str | int | bool] = {"planned": run.planned, "version": run.version, "job": job.id}
    if proof is not None:
        facts |= {"sent": run.sent, "skipped": run.skipped, "digest": proof.digest, "adds_up": proof.fault is None}
        facts |= {
            f"skipped_{reason}": many
            for state, reason, many in proof.counted
            if state == ItemState.SKIPPED.value and reason
        }
    if run.counting is not None and proof is None:
        facts |= {"looked_at": run.counting.looked_at, "digest": run.digest}
    told = {"replay.paused", "replay.not_planned"}
    error = run.because if action in told else proof.fault if proof is not None else None
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        tenant=tenant_ref(unit, job.tenant, source="job"),
        reason=None if asked is None else asked.reason,
        targets=(TargetRef(type="replay_run", id=run.id),),
        correlation=job.request,
        error=error,
        facts=facts,
    )


def _stands(unit: ControlUnit, action: str, run: Run) -> bool:
    """Return whether the newest entry of this kind about the run tells of the same version of it; it begins once."""
    found = unit.reader.page(EntryFilter(action=action, target=run.id), before=None, limit=1)
    return bool(found) and (
        action == "replay.started" or json.loads(found[0].body)["facts"].get("version") == run.version
    )
