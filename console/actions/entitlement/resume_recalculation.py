"""`entitlement.resume_recalculation`: let a paused recalculation of many tenants go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.entitlement.sweeps import PLACE, RUN_FIELD, apply_move, preview_move, sweep_of
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey, RunId
from console.domain.reasons import Effect
from console.domain.recalculations import SweepState
from console.ports.actions import Action, Reach, Tools

_FROM = (SweepState.PAUSED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`run` is a recalculation."""

    run: RunId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(run=RunId(values["run"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    sweep = sweep_of(tools, params.run, _FROM)
    return preview_move(
        tools,
        sweep,
        SweepState.RUNNING,
        sentence="Resume the recalculation",
        warning="What paused it does not pause it again; who would lose more than planned is still left as it is.",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    sweep = sweep_of(tools, params.run, _FROM)
    return apply_move(tools, sweep, SweepState.RUNNING, sentence="The recalculation goes on.")


ACTION = Action(
    key=ActionKey("entitlement.resume_recalculation"),
    version=1,
    title="Resume the recalculation",
    button="Resume",
    icon="circle-play",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(RUN_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets a paused recalculation of many tenants go on.",
    customer_sees="Nothing.",
    place=PLACE,
    is_beside_its_thing=True,
)
