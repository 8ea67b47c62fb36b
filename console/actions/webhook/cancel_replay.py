"""`webhook.cancel_replay`: end a bulk replay before its time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.runs import RUN_FIELD, apply_move, preview_move, replay_job, run_of
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey, ExecutionId, RunId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.domain.replays import RunState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach

_FROM = (RunState.COUNTING, RunState.PLANNED, RunState.RUNNING, RunState.PAUSED)


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
        RunState.CANCELLED,
        sentence="Cancel the replay",
        warning="What is left is skipped for good; to send it, plan again. What was sent stays sent.",
        customer="No more messages of the past.",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Change the state; raises Fault when it moved meanwhile."""
    run = run_of(tools, params.run, _FROM)
    applied = apply_move(
        tools, run, RunState.CANCELLED, because="cancelled_by_staff", sentence="The replay is cancelled."
    )
    tools.plane().webhooks.recall_items(run.id)
    return applied


def follow_up(params: Params, _execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that closes the books of a run that never began; one that runs has its job already."""
    return replay_job(params.run)


ACTION = Action(
    key=ActionKey("webhook.cancel_replay"),
    version=1,
    title="Cancel a bulk replay",
    button="Cancel replay",
    icon="circle-x",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(RUN_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Ends a replay; what is left is skipped with its reason, and the report says so.",
    customer_sees="That no more replayed messages come.",
    place="replay",
)
