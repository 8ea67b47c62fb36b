"""`entitlement.resume_recalculation`: let a paused recalculation of many tenants go on."""

from console.actions.entitlement.sweeps import (
    PLACE,
    RUN_FIELD,
    RunParams,
    apply_move,
    preview_move,
    run_params,
    sweep_of,
)
from console.domain.changes import AccessEffect, Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.recalculations import SweepState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach

_FROM = (SweepState.PAUSED,)


def preview(params: RunParams, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    sweep = sweep_of(tools, params.run, _FROM)
    return preview_move(
        tools,
        sweep,
        SweepState.RUNNING,
        sentence="Resume the recalculation",
        warning="What paused it does not pause it again; who would lose more than planned is still left as it is.",
        access=AccessEffect(
            sentence=f"Access changes as each tenant's turn comes: of {sweep.planned:,} planned {sweep.gaining:,} only "
            f"gain and {sweep.losing:,} lose something; those that were reached have changed already."
        ),
    )


def apply(params: RunParams, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    sweep = sweep_of(tools, params.run, _FROM)
    return apply_move(tools, sweep, SweepState.RUNNING, sentence="The recalculation goes on.")


ACTION = Action(
    key=ActionKey("entitlement.resume_recalculation"),
    version=2,
    title="Resume the recalculation",
    button="Resume",
    icon="circle-play",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(RUN_FIELD,),
    build=run_params,
    preview=preview,
    apply=apply,
    documentation="Lets a paused recalculation of many tenants go on.",
    customer_sees="Nothing.",
    place=PLACE,
    is_beside_its_thing=True,
)
