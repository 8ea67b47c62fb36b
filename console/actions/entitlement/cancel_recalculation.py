"""`entitlement.cancel_recalculation`: end a recalculation of many tenants before its time."""

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

_FROM = (
    SweepState.PLANNING,
    SweepState.PLANNED,
    SweepState.RUNNING,
    SweepState.PAUSED,
)


def preview(params: RunParams, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    sweep = sweep_of(tools, params.run, _FROM)
    return preview_move(
        tools,
        sweep,
        SweepState.CANCELLED,
        sentence="Cancel the recalculation",
        warning="What is recalculated stays so; the others are left as they are.",
        access=no_access_change("The tenants that were not reached yet keep what they have."),
    )


def apply(params: RunParams, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    sweep = sweep_of(tools, params.run, _FROM)
    return apply_move(
        tools,
        sweep,
        SweepState.CANCELLED,
        sentence="The recalculation is cancelled.",
        because=BY_STAFF,
        finished_at=tools.now,
    )


ACTION = Action(
    key=ActionKey("entitlement.cancel_recalculation"),
    version=2,
    title="Cancel the recalculation",
    button="Cancel",
    icon="circle-x",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(RUN_FIELD,),
    build=run_params,
    preview=preview,
    apply=apply,
    documentation="Ends a recalculation of many tenants; those that had their turn stay recalculated.",
    customer_sees="Nothing.",
    place=PLACE,
    is_beside_its_thing=True,
)
