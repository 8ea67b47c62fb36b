"""`reconciliation.start_tenant`: compare one opened tenant with the billing provider now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.reconciliation.runs import RUN_JOB, no_provider_fault, run_of
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Nothing: it is the tenant that is open."""


def build(_values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params()


def preview(_params: Params, tools: Tools) -> Preview:
    """Return what would be compared; raises Fault for a tenant without a customer at the provider."""
    customers = _customers(tools)
    return Preview(
        sentence="Reconcile this tenant with the billing provider",
        changes=(
            Change(field="Reconciliation", before=None, after="queued"),
            Change(field="Customers at the provider", before=None, after=", ".join(customers) or "none"),
        ),
        fingerprint={"customers": " ".join(sorted(customers))},
        customer="Access that follows what the provider says, where it did not.",
        target_type="reconciliation",
        target_id=tools.plane().scope.tenant,
    )


def apply(_params: Params, tools: Tools) -> Applied:
    """Do nothing yet: the job that is queued with the outcome begins the run; raises Fault as preview does."""
    _customers(tools)
    return Applied(
        sentence="The reconciliation is queued.",
        changes=(Change(field="Reconciliation", before=None, after="queued"),),
    )


def follow_up(_params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that carries the run; the executor gives it the tenant."""
    run = run_of(execution)
    return (JobDraft(kind=RUN_JOB, key=f"reconciliation:{run}", payload={"run": run}),)


def _customers(tools: Tools) -> list[str]:
    """Return the tenant's customers; raises Fault without a provider, or while a run over this tenant goes on."""
    no_provider_fault(tools, "reason")
    tenant = tools.plane().scope.tenant
    if tools.control is not None and tools.control.runs.open_of(tenant) is not None:
        raise Fault("reason", "A reconciliation of this tenant goes on; wait for it, or cancel it.")
    return [link.customer for link in tools.plane().customers.links()]


ACTION = Action(
    key=ActionKey("reconciliation.start_tenant"),
    version=1,
    title="Reconcile this tenant",
    button="Reconcile",
    icon="scale",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Compares provider, mirror, access and use of one tenant; what may repair itself does.",
    customer_sees="Access that follows what the provider says.",
    place="billing",
)
