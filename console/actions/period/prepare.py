"""`period.prepare`: freeze a month and write its files, so that it can be closed."""

from dataclasses import replace

from console.actions.period.periods import PERIOD_FIELD, Params, build, moved, period_for, said
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.moments import day_of
from console.domain.periods import Period, PeriodEvent, PeriodState, after, before
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach

JOB = "period.prepare"


def preview(params: Params, tools: Tools) -> Preview:
    """Return what is frozen; raises Fault while the month runs or the one before is open."""
    period = _ready(params, tools)
    warnings = ["What is dated in this month and comes later is booked in the next one, marked as late."]
    if period.files:
        warnings.append("The files of the earlier preparation are replaced.")
    return Preview(
        sentence=f"Prepare the close of {period.id}",
        changes=(
            moved(period, PeriodEvent.PREPARE),
            Change(field="Counted", before=None, after="every tenant, from our mirror of the provider"),
        ),
        fingerprint={"period": period.id, "state": period.state.value},
        warnings=tuple(warnings),
        target_type="period",
        target_id=period.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Let the preparation begin; the job that does it is queued with the outcome."""
    period = _ready(params, tools)
    begun = replace(
        period,
        state=PeriodState.PREPARING,
        prepared_by=tools.requester,
        prepared_at=None,
        digest=None,
        cursor=None,
        tenants=0,
        files=(),
        previous=period.files or period.previous,
        closed_by=None,
        closed_at=None,
    )
    if not tools.books().periods.save(begun):
        raise Fault("period", "The period moved meanwhile; look at it again.")
    return Applied(
        sentence=f"{period.id} is being prepared.", changes=(moved(period, PeriodEvent.PREPARE),), made=period.id
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that freezes tenant by tenant and writes the files."""
    return (JobDraft(kind=JOB, key=f"{JOB}:{execution}", payload={"period": params.period}),)


def _ready(params: Params, tools: Tools) -> Period:
    period = period_for(params, PeriodEvent.PREPARE, tools)
    if tools.now < period.until:
        raise Fault("period", f"{period.id} runs until {day_of(period.until)}, 00:00 UTC; prepare it after that.")
    books = tools.books().periods
    if not period.version and any(each.id > period.id for each in books.known(before=None, limit=1)):
        raise Fault("period", "Later months have been prepared already; the books begin with the first of them.")
    earlier = books.get(before(period.id))
    is_first = not books.known(before=period.id, limit=1)
    if not is_first and after(earlier.state, PeriodEvent.REOPEN) is None:
        raise Fault("period", f"{earlier.id} is {said(earlier)}; close it first.")
    return period


ACTION = Action(
    key=ActionKey("period.prepare"),
    version=1,
    title="Prepare a period's close",
    button="Prepare close",
    icon="list-checks",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(PERIOD_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Freezes what a month holds of every tenant and writes its files with control totals.",
    customer_sees="Nothing.",
    place="period",
    is_beside_its_thing=True,
)
