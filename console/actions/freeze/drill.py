"""`freeze.drill`: rehearse a freeze of everything, refuse nobody, and measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.freeze.freezes import PLACE
from console.domain.changes import Applied, Change, Preview
from console.domain.freezes import DRILL_MINUTES, Door, Freeze, FreezeScope
from console.domain.ids import ActionKey, ExecutionId, FreezeId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach

JOB = "freeze.drill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Nothing to choose: a drill is of everything."""


def build(_values: Mapping[str, Any]) -> Params:
    """Return no parameters."""
    return Params()


def preview(_params: Params, _tools: Tools) -> Preview:
    """Return what is rehearsed."""
    return Preview(
        sentence="Rehearse a freeze of everything",
        changes=(Change(field="Drill", before=None, after=f"{len(Door)} places measured"),),
        fingerprint={},
        facts={},
        warnings=("Nobody is refused and nothing is ended; the trail says that it was a drill.",),
        target_type="freeze",
        target_id="drill",
    )


def apply(_params: Params, tools: Tools) -> Applied:
    """Store the drill; the job that is queued with the outcome measures every place."""
    drill = Freeze(
        id=drill_of(tools.execution or ExecutionId("")),
        scope=FreezeScope.ALL,
        subject="",
        name="Everything",
        is_drill=True,
        reason=tools.reason,
        set_by=tools.requester,
        set_at=tools.now,
    )
    tools.books().freeze(drill)
    return Applied(
        sentence=f"The drill has begun; it is over after {DRILL_MINUTES} minutes.",
        changes=(Change(field="Drill", before=None, after="begun"),),
    )


def drill_of(execution: ExecutionId) -> FreezeId:
    """Return the id of the drill that an execution begins."""
    return FreezeId(f"frz_{execution.removeprefix('exe_')}")


def follow_up(_params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that measures."""
    return (JobDraft(kind=JOB, key=f"drill:{execution}", payload={"drill": drill_of(execution)}),)


ACTION = Action(
    key=ActionKey("freeze.drill"),
    version=1,
    title="Rehearse a freeze",
    button="Rehearse freeze",
    icon="siren",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Measures how long a freeze of everything takes until every place would refuse; nobody is refused.",
    customer_sees="Nothing.",
    place=PLACE,
)
