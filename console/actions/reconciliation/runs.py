"""What the actions on runs share: which run comes of an execution, and that somebody is there to be asked."""

from console.domain.ids import ExecutionId
from console.domain.reconciling.findings import ReconciliationId
from console.ports.action_tools import Tools
from console.ports.actions import Fault
from console.ports.billing import NO_PROVIDER

RUN_JOB = "reconciliation.run"


def run_of(execution: ExecutionId) -> ReconciliationId:
    """Return the run that an execution starts."""
    return ReconciliationId(f"rcn_{execution.removeprefix('exe_')}")


def no_provider_fault(tools: Tools, field: str) -> None:
    """Raise Fault where no billing provider is connected."""
    if tools.provider.name == NO_PROVIDER:
        raise Fault(field, "No billing provider is connected, so there is nothing to compare.")
