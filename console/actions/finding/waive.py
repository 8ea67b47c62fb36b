"""`finding.waive`: let a finding stand until a date, for a reason that a second person shares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from math import ceil
from typing import Any

from console.actions.finding.chosen import FIELD, NOTE, NOTHING_SEEN, chosen, owned, shown, stepped
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.domain.reconciling.findings import FindingEvent, FindingId
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`until` is exclusive, start of day UTC; `note` says why it may stand so long."""

    finding: FindingId
    until: date
    note: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(finding=FindingId(values["finding"]), until=values["until"], note=values["note"].strip())


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would stand, and until when; raises Fault."""
    finding, to = chosen(params.finding, FindingEvent.WAIVE, tools)
    until = _until(params, tools)
    return shown(
        finding,
        to,
        tools,
        sentence=f"Let it stand until {day_of(params.until)}",
        more=(
            Change(field="Until", before=None, after=f"{day_of(params.until)}, 00:00 UTC"),
            Change(field="Because", before=None, after=params.note),
        ),
        warnings=("It opens again at that moment, and as soon as it says anything else.",),
        facts={"days": ceil((until - tools.now).total_seconds() / _DAY_S)},
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the waiver; raises Fault when the finding moved meanwhile."""
    finding, to = chosen(params.finding, FindingEvent.WAIVE, tools)
    until = _until(params, tools)
    now = replace(owned(finding, tools, to), waived_until=until, waived_by=tools.execution, explanation=params.note)
    return stepped(tools, finding, now, sentence=f"It may stand until {day_of(params.until)}")


def _until(params: Params, tools: Tools) -> datetime:
    until = datetime.combine(params.until, time(), tzinfo=UTC)
    if until <= tools.now:
        raise Fault("until", "Give a day after today.")
    return until


ACTION = Action(
    key=ActionKey("finding.waive"),
    version=1,
    title="Waive a finding",
    button="Waive",
    icon="calendar-clock",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(
        FIELD,
        ParamField(name="until", label="Until", input=Input.DATE, help="Mandatory: nothing stands for ever."),
        NOTE,
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets a finding stand until a date. Whoever approves sees the same digest; it opens again by itself.",
    customer_sees=NOTHING_SEEN,
    place="findings",
    is_beside_its_thing=True,
)
