"""`entitlement.pause_recalculation`: hold a recalculation of many tenants."""

from console.actions.entitlement.sweeps import (
    PLACE,
    RUN_FIELD,
    RunParams,
    apply_move,
    preview_move,
    run_params,
    sweep_of,
)
from console.domain.access_changes import no_access_change
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.recalculations import BY_STAFF, SweepState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach

_FROM = (SweepState.RUNNING,)


def preview(params: RunParams, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    sweep = sweep_of(tools, params.run, _FROM)
    return preview_move(
        tools,
        sweep,
        SweepState.PAUSED,
        sentence="Pause the recalculation",
        warning="What is recalculated stays so; the others wait until it is resumed.",
        access=no_access_change("The tenants that were not reached yet keep what they have until it is resumed."),
    )


def apply(params: RunParams, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    sweep = sweep_of(tools, params.run, _FROM)
    return apply_move(tools, sweep, SweepState.PAUSED, sentence="The recalculation is paused.", because=BY_STAFF)


ACTION = Action(
    key=ActionKey("entitlement.pause_recalculation"),
    version=2,
    title="Pause the recalculation",
    button="Pause",
    icon="circle-pause",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(RUN_FIELD,),
    build=run_params,
    preview=preview,
    apply=apply,
    documentation="Holds a recalculation of many tenants until it is resumed.",
    customer_sees="Nothing.",
    place=PLACE,
    is_beside_its_thing=True,
)
