"""`webhook.resume_replay`: let a paused bulk replay go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.runs import RUN_FIELD, apply_move, preview_move, run_of
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey, RunId
from console.domain.reasons import Effect
from console.domain.replays import RunState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach

_FROM = (RunState.PAUSED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`run` is a replay of this tenant."""

    run: RunId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(run=RunId(values["run"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return the change of state; raises Fault."""
    run = run_of(tools, params.run, _FROM)
    return preview_move(
        run,
        RunState.RUNNING,
        sentence="Resume the replay",
        warning="It goes on where it stopped, under the approval that it has.",
        customer="Messages of the past arrive again.",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    run = run_of(tools, params.run, _FROM)
    return apply_move(tools, run, RunState.RUNNING, because=None, sentence="The replay goes on.")


ACTION = Action(
    key=ActionKey("webhook.resume_replay"),
    version=1,
    title="Resume a bulk replay",
    button="Resume replay",
    icon="play",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(RUN_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets a paused replay go on where it stopped, under the approval that it has.",
    customer_sees="Messages of the past again, under their old ids.",
    undo=ActionKey("webhook.pause_replay"),
    place="replay",
)
