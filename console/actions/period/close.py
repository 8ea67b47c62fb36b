"""`period.close`: seal a prepared month; another person than the one who prepared it agrees."""

from dataclasses import replace

from console.actions.period.periods import (
    PERIOD_FIELD,
    Params,
    agreed,
    build,
    file_changes,
    moved,
    period_for,
    seal_job,
)
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.periods import Period, PeriodEvent, PeriodState
from console.domain.reasons import Effect
from console.domain.reconciling.closing import COUNTED_TO, MONEY_KINDS
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


def preview(params: Params, tools: Tools) -> Preview:
    """Return rows and control totals of every file; the fingerprint binds what was frozen. Raises: Fault."""
    period = _closable(params, tools)
    return Preview(
        sentence=f"Close {period.id}",
        changes=(
            moved(period, PeriodEvent.CLOSE),
            Change(field="Digest", before=None, after=period.digest),
            *file_changes(period.files, period.previous if period.times_reopened else ()),
        ),
        fingerprint={
            "period": period.id,
            "version": period.version,
            "digest": period.digest or "",
            **{each.name: each.sha256 for each in period.files},
        },
        warnings=("From then on corrections are booked in an open month; only a reopening changes this one.",),
        target_type="period",
        target_id=period.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Close the period."""
    period = _closable(params, tools)
    closed = replace(
        period,
        state=PeriodState.CLOSED,
        closed_by=tools.requester,
        closed_at=tools.now,
        request=tools.request,
        agreements=agreed(period, PeriodEvent.CLOSE, tools),
    )
    if not tools.books().periods.save(closed):
        raise Fault("period", "The period moved meanwhile; look at it again.")
    return Applied(sentence=f"{period.id} is closed.", changes=(moved(period, PeriodEvent.CLOSE),), made=period.id)


def _closable(params: Params, tools: Tools) -> Period:
    """Return the period; raises Fault while anything of its checklist is missing.

    1 prepared, and asked for by who prepared it, so that whoever agrees is somebody else · 2 compared with the provider
    since it ended · 3 nothing open that finance has to decide
    """
    # 1
    period = period_for(params, PeriodEvent.CLOSE, tools)
    if period.prepared_by != tools.requester:
        raise Fault("period", "Whoever prepared it asks for the close, so that another person agrees to it.")
    # 2
    last = tools.books().runs.last_done(None)
    if last is None or last.window_until is None or last.window_until < period.until:
        raise Fault("period", "No reconciliation over all tenants has ended since the month did; run one first.")
    # 3
    waiting = tools.books().findings.standing(MONEY_KINDS, most=COUNTED_TO)
    if waiting:
        raise Fault("period", f"{waiting:,} findings wait for finance: repair, explain or waive each of them first.")
    return period


ACTION = Action(
    key=ActionKey("period.close"),
    version=1,
    title="Close a period",
    button="Close period",
    icon="lock",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(PERIOD_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=seal_job,
    documentation="Seals a prepared month: its files, control totals and digests are what the books say from then on.",
    customer_sees="Nothing.",
    place="period",
    is_beside_its_thing=True,
    undo=ActionKey("period.reopen"),
)
