"""`entitlement.plan_recalculation`: find out who would gain and who would lose if many tenants were recalculated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.actions.entitlement.sweeps import PLACE
from console.domain.access_changes import no_access_change
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId, RunId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.domain.recalculations import Sweep, SweepState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Input, ParamField, Reach

JOB = "entitlement.plan_recalculation"
_DEFAULT_RATE = 10
_MOST_RATE = 50
_VALID = timedelta(hours=24)
_EVERYBODY = "all tenants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`plan` is the key of a plan, empty for all tenants. Units: `rate_per_s` tenants a second."""

    plan: str
    rate_per_s: int


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(plan=values["plan"], rate_per_s=values["rate_per_s"] or _DEFAULT_RATE)


def preview(params: Params, _tools: Tools) -> Preview:
    """Return whom the plan would look at; nothing is recalculated by it."""
    return Preview(
        sentence=f"Plan a recalculation of {_whom(params)}",
        changes=(
            Change(field="Looked at", before=None, after=_whom(params)),
            Change(field="Later, at most", before=None, after=f"{params.rate_per_s} tenants a second"),
        ),
        fingerprint={},
        warnings=("Only those are planned whose stored access is not up to date. A plan is good for 24 hours.",),
        target_type="recalculation",
        access=no_access_change("A plan only looks at what recalculating would change."),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the plan; its job looks at the tenants one by one."""
    sweep = Sweep(
        id=_run(tools.execution),
        state=SweepState.PLANNING,
        plan=params.plan or None,
        rate_per_s=params.rate_per_s,
        planned_by=tools.requester,
        planned_at=tools.now,
        expires_at=tools.now + _VALID,
        version=1,
    )
    tools.books().recalculations.add(sweep)
    return Applied(
        sentence=f"The plan {sweep.id} is being made; it lists who gains and who loses once it is done.",
        changes=(Change(field="Recalculation", before=None, after=SweepState.PLANNING.value),),
        made=sweep.id,
    )


def follow_up(_params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that looks at the tenants."""
    run = _run(execution)
    return (JobDraft(kind=JOB, key=f"plan:{run}", payload={"run": run}),)


def _run(execution: ExecutionId | None) -> RunId:
    """Return the run of an execution: named after it, so that its job knows it from the execution alone."""
    return RunId(f"acc_{str(execution).removeprefix('exe_')}")


def _whom(params: Params) -> str:
    return f"the tenants of plan {params.plan}" if params.plan else _EVERYBODY


ACTION = Action(
    key=ActionKey("entitlement.plan_recalculation"),
    version=2,
    title="Plan a recalculation of many tenants",
    button="Plan recalculation",
    icon="list-checks",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(
        ParamField(
            name="plan",
            label="Plan",
            input=Input.TEXT,
            help="The key of one plan, as the directory has it; empty: all tenants.",
            pattern="[a-z0-9][a-z0-9_-]{0,63}",
            pattern_example="team",
            is_required=False,
        ),
        ParamField(
            name="rate_per_s",
            label="Most per second",
            input=Input.INTEGER,
            help=f"{_DEFAULT_RATE} when left empty.",
            unit="tenants",
            least=1,
            most=_MOST_RATE,
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Looks at all tenants, or those of one plan, and lists who would gain and who would lose.",
    customer_sees="Nothing.",
    place=PLACE,
)
