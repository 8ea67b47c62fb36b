"""`reconciliation.cancel`: end a run before its time; what it found stays found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import Reconciliation, RunEvent, RunState, after
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`run` is one that goes on."""

    run: ReconciliationId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(run=ReconciliationId(values["run"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return how far the run has come; raises Fault for one that is over."""
    run, to = _going(params, tools)
    done = f"{run.counts.get('tenants', 0):,} of {run.tenants_total:,} tenants compared"
    return Preview(
        sentence="Cancel a reconciliation",
        changes=(Change(field="Reconciliation", before=run.state.value, after=to.value),),
        fingerprint={"run": run.id},
        warnings=(f"{done}; what was found stays, nothing more is resolved or repaired.",),
        customer="Nothing.",
        target_type="reconciliation",
        target_id=run.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """End the run; raises Fault when it moved meanwhile."""
    run, to = _going(params, tools)
    if not tools.books().runs.save(replace(run, state=to, finished_at=tools.now, because="cancelled")):
        raise Fault("run", "The run moved meanwhile; try again.")
    return Applied(
        sentence="The reconciliation is cancelled.",
        changes=(Change(field="Reconciliation", before=run.state.value, after=to.value),),
    )


def _going(params: Params, tools: Tools) -> tuple[Reconciliation, RunState]:
    run = tools.books().runs.get(params.run)
    to = None if run is None else after(run.state, RunEvent.CANCEL)
    if run is None or to is None:
        raise Fault("run", "There is no such reconciliation that goes on.")
    return run, to


ACTION = Action(
    key=ActionKey("reconciliation.cancel"),
    version=1,
    title="Cancel a reconciliation",
    button="Cancel",
    icon="circle-slash",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(ParamField(name="run", label="Run", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Ends a reconciliation that goes on; what it found stays found, and nothing is repaired.",
    customer_sees="Nothing.",
    place="reconciliation",
    is_beside_its_thing=True,
)
