"""`period.reopen`: open a closed month again; its files stay until another preparation takes their place."""

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
from console.domain.periods import Period, PeriodEvent, PeriodState, following
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


def preview(params: Params, tools: Tools) -> Preview:
    """Return what is opened; raises Fault while a later month stands on it."""
    period = _reopenable(params, tools)
    return Preview(
        sentence=f"Reopen {period.id}",
        changes=(
            moved(period, PeriodEvent.REOPEN),
            Change(field="Digest", before=period.digest, after=None),
            *(
                Change(field=each.field, before=each.after, after="prepared again")
                for each in file_changes(period.files)
            ),
        ),
        fingerprint={"period": period.id, "version": period.version, "digest": period.digest or ""},
        warnings=(
            "What differs then stands beside the old totals, file by file, before anybody closes it again.",
            "Whoever received the sealed files must be told: their digests no longer hold.",
        ),
        target_type="period",
        target_id=period.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Reopen the period; its files are kept to be compared with."""
    period = _reopenable(params, tools)
    opened = replace(
        period,
        state=PeriodState.REOPENED,
        times_reopened=period.times_reopened + 1,
        previous=period.files,
        agreements=agreed(period, PeriodEvent.REOPEN, tools),
    )
    if not tools.books().periods.save(opened):
        raise Fault("period", "The period moved meanwhile; look at it again.")
    return Applied(sentence=f"{period.id} is open again.", changes=(moved(period, PeriodEvent.REOPEN),), made=period.id)


def _reopenable(params: Params, tools: Tools) -> Period:
    period = period_for(params, PeriodEvent.REOPEN, tools)
    later = tools.books().periods.get(following(period.id))
    if later.state not in {PeriodState.OPEN, PeriodState.REOPENED}:
        raise Fault(
            "period", f"{later.id} stands on it and is {later.state.value.replace('_', ' ')}; reopen that first."
        )
    return period


ACTION = Action(
    key=ActionKey("period.reopen"),
    version=1,
    title="Reopen a period",
    button="Reopen period",
    icon="lock-open",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(PERIOD_FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=seal_job,
    documentation="Opens a closed month again, so that it can be prepared and closed anew with the difference shown.",
    customer_sees="Nothing.",
    place="period",
    is_beside_its_thing=True,
)
