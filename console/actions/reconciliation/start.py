"""`reconciliation.start`: compare all tenants with the billing provider now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.reconciliation.runs import RUN_JOB, no_provider_fault, run_of
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.domain.reconciling.runs import FLEET
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Nothing: it is all tenants."""


def build(_values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params()


def preview(_params: Params, tools: Tools) -> Preview:
    """Return what would be compared; raises Fault while a run goes on."""
    _check(tools)
    return Preview(
        sentence="Compare all tenants with the billing provider",
        changes=(Change(field="Reconciliation", before=None, after="queued"),),
        fingerprint={"scope": FLEET},
        warnings=("What may be repaired by itself is repaired at the end, within the bounds that policy sets.",),
        customer="Access that follows what the provider says, where it did not.",
        target_type="reconciliation",
        target_id=FLEET,
    )


def apply(_params: Params, tools: Tools) -> Applied:
    """Do nothing yet: the job that is queued with the outcome begins the run; raises Fault while one goes on."""
    _check(tools)
    return Applied(
        sentence="The reconciliation is queued.",
        changes=(Change(field="Reconciliation", before=None, after="queued"),),
        made=FLEET,
    )


def follow_up(_params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that carries the run."""
    run = run_of(execution)
    return (JobDraft(kind=RUN_JOB, key=f"reconciliation:{run}", payload={"run": run}),)


def _check(tools: Tools) -> None:
    no_provider_fault(tools, "reason")
    if tools.books().runs.open_of(FLEET) is not None:
        raise Fault("reason", "A reconciliation of all tenants goes on; wait for it, or cancel it.")


ACTION = Action(
    key=ActionKey("reconciliation.start"),
    version=1,
    title="Reconcile all tenants",
    button="Reconcile",
    icon="scale",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Compares provider, mirror, access and use of every tenant; what may repair itself does.",
    customer_sees="Access that follows what the provider says.",
    place="reconciliation",
)
