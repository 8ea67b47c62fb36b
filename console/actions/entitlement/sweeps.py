"""What the actions on recalculations of many tenants share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import AccessEffect, Applied, Change, Preview
from console.domain.ids import RunId
from console.domain.recalculations import Progress, Sweep, SweepState
from console.ports.action_tools import Tools
from console.ports.actions import Fault, Input, ParamField

RUN_FIELD = ParamField(name="run", label="Recalculation", input=Input.TEXT, most=80, is_fixed_by_link=True)
PLACE = "recalculation"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParams:
    """`run` is a recalculation."""

    run: RunId


def run_params(values: Mapping[str, Any]) -> RunParams:
    """Return typed parameters from parsed values."""
    return RunParams(run=RunId(values["run"]))


def sweep_of(tools: Tools, run: RunId, states: Collection[SweepState]) -> Sweep:
    """Return a recalculation that stands in one of some states; raises Fault."""
    found = tools.books().recalculations.get(run)
    if found is None:
        raise Fault("run", "There is no such recalculation.")
    if found.state not in states:
        raise Fault("run", f"This recalculation is {found.state.value}; look at its page for what can be done.")
    return found


def progress_text(progress: Progress) -> str:
    """Return how far a run has come, in words."""
    return (
        f"{progress.done:,} done, {progress.failed:,} failed, {progress.held:,} held, "
        f"{progress.waiting:,} left of {progress.total:,}"
    )


def preview_move(
    tools: Tools, sweep: Sweep, to: SweepState, *, sentence: str, warning: str, access: AccessEffect
) -> Preview:
    """Return a change of a run's state; its progress is told beside it, because that moves on by itself."""
    progress = tools.books().recalculations.progress(sweep.id)
    return Preview(
        sentence=sentence,
        changes=(Change(field="Recalculation", before=sweep.state.value, after=to.value),),
        fingerprint={"run": sweep.id, "state": sweep.state.value},
        warnings=(f"So far: {progress_text(progress)}.", warning),
        target_type="recalculation",
        target_id=sweep.id,
        access=access,
    )


def apply_move(tools: Tools, sweep: Sweep, to: SweepState, *, sentence: str, **fields: object) -> Applied:
    """Change a run's state; raises Fault when it moved meanwhile."""
    if not tools.books().recalculations.move(sweep, to, **fields):
        raise Fault("run", "The recalculation moved meanwhile; look at it again.")
    return Applied(
        sentence=sentence,
        changes=(Change(field="Recalculation", before=sweep.state.value, after=to.value),),
        made=sweep.id,
    )
