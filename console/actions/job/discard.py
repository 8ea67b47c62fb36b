"""`job.discard`: give up a job for good, or all dead jobs that failed in one way."""

from console.actions.job.chosen import FIELDS, Params, build, chosen, preview_jobs
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.jobs import JobEvent
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


def preview(params: Params, tools: Tools) -> Preview:
    """Return how many jobs are given up; raises Fault."""
    return preview_jobs(
        params,
        JobEvent.DISCARD,
        tools,
        sentence="Discard {count} of {kind}",
        after="given up",
        warning="There is no way back: what they would have done is not done, and their keys stay used.",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Give the jobs up; one that moved meanwhile is left alone."""
    found = chosen(params, JobEvent.DISCARD, tools)
    done = sum(tools.books().jobs.discard(job, by=tools.requester, at=tools.now) for job in found.eligible)
    if params.job is not None and not done:
        raise Fault("job", "The job moved meanwhile; look at it again.")
    return Applied(
        sentence=f"{done:,} given up.",
        changes=(Change(field="Jobs", before=f"{found.found:,} found", after=f"{done:,} given up"),),
    )


ACTION = Action(
    key=ActionKey("job.discard"),
    version=1,
    title="Discard jobs",
    button="Discard",
    icon="circle-x",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=FIELDS,
    build=build,
    preview=preview,
    apply=apply,
    documentation="Gives up a queued or dead job, or all dead jobs of one kind that failed in the same way.",
    customer_sees="That what the job would have done does not happen.",
    place="job",
)
