"""What the actions on bulk replays share."""

from collections.abc import Collection

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ExecutionId, RunId
from console.domain.jobs import JobDraft
from console.domain.replays import Run, RunState
from console.ports.action_tools import Tools
from console.ports.actions import Fault, Input, ParamField

JOB = "webhook.replay"
PLAN_JOB = "webhook.plan"
RUN_FIELD = ParamField(name="run", label="Replay", input=Input.TEXT, most=64, is_fixed_by_link=True)


def replay_job(run: RunId) -> tuple[JobDraft, ...]:
    """Return the job that works a list off, or closes its books; its key lets a run have one and no second."""
    return (JobDraft(kind=JOB, key=f"replay:{run}", payload={"run": run}, queue="webhooks"),)


def run_id_of(execution: ExecutionId) -> RunId:
    """Return the run that an execution plans: named after it, so that its job knows it from the execution alone."""
    return RunId(f"whr_{execution.removeprefix('exe_')}")


def plan_job(execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that counts a list which is too long to be frozen at once; for any other it has nothing to do."""
    run = run_id_of(execution)
    return (JobDraft(kind=PLAN_JOB, key=f"plan:{run}", payload={"run": run}, queue="webhooks"),)


def run_of(tools: Tools, run: RunId, states: Collection[RunState]) -> Run:
    """Return a bulk replay of this tenant that stands in one of some states; raises Fault."""
    found = tools.plane().webhooks.run(run)
    if found is None:
        raise Fault("run", "This tenant has no such replay.")
    if found.state not in states:
        raise Fault("run", f"This replay is {found.state.value}; look at its page for what can be done.")
    return found


def preview_move(run: Run, to: RunState, *, sentence: str, warning: str, customer: str) -> Preview:
    """Return a change of a run's state; its progress is told beside it, because that moves on by itself."""
    progress = f"{run.sent:,} sent, {run.skipped:,} skipped, {run.left:,} left of {run.planned:,}"
    return Preview(
        sentence=sentence,
        changes=(Change(field="Replay", before=run.state.value, after=to.value),),
        fingerprint={"run": run.id, "state": run.state.value},
        warnings=(f"So far: {progress}.", warning),
        customer=customer,
        target_type="replay_run",
        target_id=run.id,
    )


def apply_move(tools: Tools, run: Run, to: RunState, *, because: str | None, sentence: str) -> Applied:
    """Change a run's state; raises Fault when it moved meanwhile."""
    if not tools.plane().webhooks.move_run(run, to, at=tools.now, because=because):
        raise Fault("run", "The replay moved meanwhile; look at it again.")
    return Applied(sentence=sentence, changes=(Change(field="Replay", before=run.state.value, after=to.value),))
