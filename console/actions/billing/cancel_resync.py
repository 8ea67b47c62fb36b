"""`billing.cancel_resync`: let a resync of many objects end before its next pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.access_changes import no_access_change
from console.domain.billing.resyncing import JOB, QUEUE, STOP_JOB, Progress, key_of, progress_of, stop_key
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft, JobState
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach

_OPEN = frozenset({JobState.QUEUED, JobState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`resync` is the id that its jobs carry."""

    resync: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(resync=values["resync"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return how far the resync has come; raises Fault for one that is over."""
    progress = _going_on(params, tools)
    return Preview(
        sentence=f"Stop the resync {progress.resync}",
        changes=(Change(field="Resync", before=progress.sentence(), after="stopped before its next pages"),),
        fingerprint={"resync": progress.resync},
        warnings=("What it has written stays: every page of it is what the provider said.",),
        target_type="resync",
        target_id=progress.resync,
        access=no_access_change("What it has written has been recalculated already."),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Change nothing yet: what the resync looks for is queued with the outcome."""
    progress = _going_on(params, tools)
    return Applied(
        sentence=f"The resync {progress.resync} stops before its next pages.",
        changes=(Change(field="Resync", before=progress.sentence(), after="stopped before its next pages"),),
    )


def follow_up(params: Params, _execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job whose key asks the resync to stop."""
    return (JobDraft(kind=STOP_JOB, key=stop_key(params.resync), payload={"resync": params.resync}, queue=QUEUE),)


def _going_on(params: Params, tools: Tools) -> Progress:
    """Return how far a resync has come, from the last of its jobs, found by halves."""
    jobs = tools.books().jobs
    low, high = 0, 1
    if jobs.by_key(key_of(params.resync, 0)) is None:
        raise Fault("resync", "There is no such resync.")
    while jobs.by_key(key_of(params.resync, high)) is not None:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if jobs.by_key(key_of(params.resync, middle)) is not None else (low, middle)
    last = jobs.by_key(key_of(params.resync, low))
    if last is None or last.kind != JOB or last.state not in _OPEN:
        raise Fault("resync", "This resync is over; a job of it that is dead is discarded under Operations.")
    if jobs.by_key(stop_key(params.resync)) is not None:
        raise Fault("resync", "Somebody has asked this resync to stop already.")
    return progress_of(last.payload)


ACTION = Action(
    key=ActionKey("billing.cancel_resync"),
    version=2,
    title="Stop a resync",
    button="Stop resync",
    icon="circle-x",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(ParamField(name="resync", label="Resync", input=Input.TEXT, most=64),),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Lets a resync of a tenant or of all tenants end before its next pages; what it wrote stays.",
    customer_sees="Nothing.",
    place="control",
)
