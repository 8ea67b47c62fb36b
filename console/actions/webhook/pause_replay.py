"""`webhook.pause_replay`: stop a running bulk replay for a while."""

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

_FROM = (RunState.RUNNING,)


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
        RunState.PAUSED,
        sentence="Pause the replay",
        warning="What a sender holds at this moment still goes out; the rest waits.",
        customer="No more messages of the past until it goes on.",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    run = run_of(tools, params.run, _FROM)
    applied = apply_move(tools, run, RunState.PAUSED, because="paused_by_staff", sentence="The replay is paused.")
    tools.plane().webhooks.recall_items(run.id)
    return applied


ACTION = Action(
    key=ActionKey("webhook.pause_replay"),
    version=1,
    title="Pause a bulk replay",
    button="Pause replay",
    icon="pause",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(RUN_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Stops a running replay; what is left keeps its place in the frozen list.",
    customer_sees="That the replayed messages stop for a while.",
    undo=ActionKey("webhook.resume_replay"),
    place="replay",
)
