"""What the actions on accounting periods share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.billing.money import worded
from console.domain.changes import Change
from console.domain.errors import BadValueError
from console.domain.ids import ExecutionId
from console.domain.jobs import JobDraft
from console.domain.periods import (
    Agreement,
    Period,
    PeriodEvent,
    PeriodId,
    PeriodState,
    SealedFile,
    Signer,
    after,
    period_id,
)
from console.domain.requests import Verdict
from console.ports.action_tools import Tools
from console.ports.actions import Fault, Input, ParamField

PERIOD_FIELD = ParamField(
    name="period",
    label="Period",
    input=Input.TEXT,
    help="A month in UTC.",
    least=7,
    most=7,
    pattern=r"20[0-9]{2}-(0[1-9]|1[0-2])",
    pattern_example="2026-10",
    is_fixed_by_link=True,
)
SEAL_JOB = "period.seal"
_COUNTED = ".csv"
_WORDS: Mapping[PeriodState, str] = {
    PeriodState.OPEN: "not prepared",
    PeriodState.PREPARING: "being prepared",
    PeriodState.SOFT_CLOSED: "prepared",
    PeriodState.CLOSED: "closed",
    PeriodState.REOPENED: "reopened",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`period` is a month, YYYY-MM."""

    period: PeriodId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    try:
        return Params(period=period_id(str(values["period"])))
    except BadValueError as bad:
        raise Fault("period", str(bad.facts["remedy"])) from bad


def period_for(params: Params, event: PeriodEvent, tools: Tools) -> Period:
    """Return the period; raises Fault where the event is not legal in its state."""
    period = tools.books().periods.get(params.period)
    if after(period.state, event) is None:
        raise Fault("period", f"{period.id} is {said(period)}; look at its page for what comes next.")
    return period


def said(period: Period) -> str:
    """Return the state of a period in words."""
    return _WORDS[period.state]


def moved(period: Period, event: PeriodEvent) -> Change:
    """Return the change of state as people read it."""
    to = after(period.state, event)
    return Change(field="State", before=said(period), after=None if to is None else _WORDS[to])


def agreed(period: Period, event: PeriodEvent, tools: Tools) -> tuple[Agreement, ...]:
    """Return the agreements of a period with this one: who asked now, and whose votes count."""
    approving = [vote for vote in tools.agreed if vote.verdict is Verdict.APPROVE]
    this = Agreement(
        event=event,
        asked_by=Signer(staff=tools.requester, name=tools.requester_name),
        agreed_by=tuple(Signer(staff=vote.staff, name=vote.name) for vote in approving),
        at=tools.now,
        request=tools.request,
    )
    return (*period.agreements, this)


def seal_job(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that writes into the manifest who agreed."""
    return (JobDraft(kind=SEAL_JOB, key=f"seal:{execution}", payload={"period": params.period}),)


def file_changes(files: Iterable[SealedFile], previous: Iterable[SealedFile] = ()) -> tuple[Change, ...]:
    """Return rows and control totals of each file, beside what an earlier preparation had."""
    before = {each.name: _figures(each) for each in previous}
    return tuple(
        Change(field=_titled(each), before=before.get(each.name), after=_figures(each))
        for each in files
        if each.name.endswith(_COUNTED)
    )


def _titled(file: SealedFile) -> str:
    words = file.name.removesuffix(_COUNTED).replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def _figures(file: SealedFile) -> str:
    totals = ", ".join(worded(minor, currency) for currency, minor in file.totals.items())
    return f"{file.rows:,} rows" + (f", {totals}" if totals else "")
