"""`webhook.run_replay`: send the frozen list of a planned bulk replay."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.planning import duration_text
from console.actions.webhook.runs import RUN_FIELD, replay_job, run_of
from console.domain.canonical import digest_hex, normal
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId, RunId
from console.domain.jobs import JobDraft
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.domain.replays import Run, RunState, least_seconds
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`run` is a planned replay of this tenant."""

    run: RunId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(run=RunId(values["run"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be sent where; the fingerprint binds the frozen list and the addresses. Raises: Fault."""
    run = _planned(params, tools)
    endpoints = tools.plane().webhooks.endpoints(with_deleted=True)
    urls = {str(each.id): each.url for each in endpoints}
    takes = least_seconds(
        run.per_endpoint, {str(each.id): each.rate_per_s for each in endpoints}, rate_per_s=run.rate_per_s
    )
    receivers = [f"{urls.get(each, each)} {count}" for each, count in sorted(run.per_endpoint.items())]
    return Preview(
        sentence=f"Replay {run.planned:,} deliveries in bulk",
        changes=(
            Change(field="Replay", before=run.state.value, after=RunState.RUNNING.value),
            Change(field="List", before=None, after=f"{run.planned:,} deliveries, digest {run.digest}"),
            *(
                Change(field=f"To {urls.get(each, each)}", before=None, after=f"{count:,} deliveries")
                for each, count in sorted(run.per_endpoint.items())
            ),
            Change(field="At most", before=None, after=f"{run.rate_per_s} a second"),
        ),
        fingerprint={
            "run": run.id,
            "digest": run.digest,
            "planned": run.planned,
            "receivers": digest_hex(normal(receivers)),
        },
        facts={"planned": run.planned},
        warnings=(
            (
                "Exactly this frozen list is sent, oldest first, each with its old message id and a new signature: a "
                "receiver that remembers ids ignores what it has."
            ),
            (
                f"It takes {duration_text(takes)} or longer, can be paused and cancelled, "
                "and pauses by itself when a receiver fails in a row or asks for slowness."
            ),
        ),
        customer=f"Up to {run.planned:,} messages of the past, under their old ids.",
        target_type="replay_run",
        target_id=run.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Set the run going; the job that works it off is queued with the outcome."""
    run = _planned(params, tools)
    if not tools.plane().webhooks.move_run(run, RunState.RUNNING, at=tools.now, started_at=tools.now):
        raise Fault("run", "The replay moved meanwhile; look at it again.")
    return Applied(
        sentence=f"The replay {run.id} of {run.planned:,} deliveries is running.",
        changes=(Change(field="Replay", before=run.state.value, after=RunState.RUNNING.value),),
        made=run.id,
    )


def follow_up(params: Params, _execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that works the list off."""
    return replay_job(params.run)


def _planned(params: Params, tools: Tools) -> Run:
    run = run_of(tools, params.run, (RunState.PLANNED,))
    if run.expires_at <= tools.now:
        raise Fault("run", f"This plan was good until {minute_of(run.expires_at)}; plan it again.")
    if tools.plane().webhooks.frozen_digest(run.id) != run.digest:
        raise Fault("run", "The frozen list is not what was planned. Tell security; plan it again.")
    return run


ACTION = Action(
    key=ActionKey("webhook.run_replay"),
    version=1,
    title="Run a bulk replay",
    button="Run replay",
    icon="circle-play",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(RUN_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Sends exactly the frozen list of a planned replay, throttled, oldest first.",
    customer_sees="Messages of the past under their old ids, and the replay in the access log.",
    place="replay",
)
