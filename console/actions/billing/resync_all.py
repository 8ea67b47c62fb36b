"""`billing.resync_all`: ask the billing provider for everything, or for what was made since a day, as a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from console.domain.billing.resyncing import JOB, QUEUE, Progress, key_of
from console.domain.changes import AccessEffect, Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`since` bounds what is asked for by when it was made; None asks for everything."""

    since: date | None


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(since=values["since"] or None)


def preview(params: Params, tools: Tools) -> Preview:
    """Return what is asked for; raises Fault for a day that has not come."""
    asked = _asked(params, tools)
    return Preview(
        sentence=f"Resync {asked} of every tenant",
        changes=(Change(field="Asked for", before=None, after=asked),),
        fingerprint={"since": "" if params.since is None else params.since.isoformat()},
        warnings=(
            "Every mirror is written; it runs as a job, page by page, and can be stopped between two pages.",
            "Objects whose customer is linked to no tenant are counted and not written.",
            "What the mirrors have and no list names is asked for one by one; what the provider has no more is marked.",
        ),
        customer="Access that follows what they paid, recalculated from the mirror.",
        target_type="mirror",
        target_id="all tenants",
        access=AccessEffect(
            sentence="Nobody can say beforehand whose access changes: each tenant's follows what the provider says of "
            "it, page by page, and is recalculated with it."
        ),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Change nothing yet: the job is queued with the outcome."""
    asked = _asked(params, tools)
    return Applied(
        sentence=f"The mirrors are being brought up to what the provider says: {asked}.",
        changes=(Change(field="Asked for", before=None, after=asked),),
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the first job of the resync."""
    since = None if params.since is None else datetime.combine(params.since, time(), tzinfo=UTC)
    first = Progress(resync=execution, since=since)
    return (JobDraft(kind=JOB, key=key_of(execution, 0), payload=first.payload(), queue=QUEUE),)


def _asked(params: Params, tools: Tools) -> str:
    if params.since is None:
        return "everything"
    if params.since > tools.now.date():
        raise Fault("since", "Choose a day that has come.")
    return f"what was made since {day_of(params.since)}"


ACTION = Action(
    key=ActionKey("billing.resync_all"),
    version=2,
    title="Resync every tenant",
    button="Resync all",
    icon="refresh-cw",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(
        ParamField(
            name="since",
            label="Made since",
            input=Input.DATE,
            help="Leave it empty to ask for everything; that takes long.",
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Asks the billing provider for everything, or what was made since a day; every mirror follows.",
    customer_sees="Access that follows what they paid.",
    place="control",
)
