"""`job.retry`: queue a dead job again, or all dead jobs that failed in one way."""

from console.actions.job.chosen import FIELDS, Params, build, chosen, preview_jobs
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.jobs import JobEvent
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


def preview(params: Params, tools: Tools) -> Preview:
    """Return how many jobs run again; raises Fault."""
    return preview_jobs(
        params,
        JobEvent.RETRY,
        tools,
        sentence="Retry {count} of {kind}",
        after="queued again with fresh attempts",
        warning="Each runs under the authority under which it was queued, asked again before it does anything.",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Queue the jobs again; one that moved meanwhile is left alone."""
    found = chosen(params, JobEvent.RETRY, tools)
    done = sum(tools.books().jobs.retry(job, by=tools.requester, at=tools.now) for job in found.eligible)
    if params.job is not None and not done:
        raise Fault("job", "The job moved meanwhile; look at it again.")
    return Applied(
        sentence=f"{done:,} queued again.",
        changes=(Change(field="Jobs", before=f"{found.found:,} found", after=f"{done:,} queued again"),),
    )


ACTION = Action(
    key=ActionKey("job.retry"),
    version=1,
    title="Retry jobs",
    button="Retry",
    icon="refresh-cw",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=FIELDS,
    build=build,
    preview=preview,
    apply=apply,
    documentation="Queues a dead job again, or all dead jobs of one kind that failed in the same way.",
    customer_sees="What the job does, if it does something for them.",
    place="job",
)
