"""What the steps of a reconciliation share: where it stands, how a step is kept, and its entries."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.entries import SYSTEM_ACTOR, TargetRef
from console.domain.errors import ConsoleError
from console.domain.jobs import Job
from console.domain.reconciling.runs import Reconciliation, RunEvent, after
from console.domain.staff import Role
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.recording import emit_as, tenant_ref

RECONCILE_JOB = "reconciliation.run"
ON_DUTY = frozenset({Role.FINANCE_LEAD, Role.ON_CALL})


class OvertakenError(ConsoleError):
    """The run moved meanwhile: somebody cancelled it, or another worker took it over; the step is rolled back."""

    code = "reconciliation_overtaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One step of one run, under one claim of its job."""

    house: House
    job: Job
    run: Reconciliation

    @property
    def now(self) -> datetime:
        """Return the moment."""
        return self.house.clock.now()

    @property
    def window(self) -> timedelta:
        """Return how long a difference may be on its way."""
        return timedelta(minutes=self.house.book.reconciliation.in_flight_minutes)


def kept(unit: ControlUnit, run: Reconciliation) -> Reconciliation:
    """Write how far a run has come and return it as stored. Raises: OvertakenError, which rolls the unit back."""
    if not unit.runs.save(run):
        raise OvertakenError("The run moved meanwhile.", run=run.id)
    return replace(run, version=run.version + 1)


def moved(run: Reconciliation, event: RunEvent) -> Reconciliation:
    """Return a run in the state that follows, at its first step. Raises: OvertakenError where that is not legal."""
    to = after(run.state, event)
    if to is None:
        raise OvertakenError("The run is over.", run=run.id)
    return replace(run, state=to, cursor={})


def tell_of_run(unit: ControlUnit, action: str, run: Reconciliation, *, at: datetime, error: str | None = None) -> None:
    """Write an entry about a run into the open unit."""
    figures = {name.replace(".", "_"): many for name, many in run.counts.items() if not name.startswith("pulled.")}
    digests = {
        name: digest
        for name, digest in (("inputs_digest", run.inputs_digest), ("findings_digest", run.findings_digest))
        if digest is not None
    }
    emit_as(
        unit,
        SYSTEM_ACTOR,
        action,
        at=at,
        tenant=tenant_ref(unit, run.tenant, source="job"),
        targets=(TargetRef(type="reconciliation", id=run.id, name=run.scope),),
        correlation=run.request,
        error=error,
        facts={**figures, **digests, "rules_version": run.rules_version},
    )


def call_duty(house: House, unit: ControlUnit, run: Reconciliation, sentence: str, *, at: datetime) -> None:
    """Tell finance leads and on-call engineers that a run needs somebody to look."""
    for member in unit.staff.eligible(ON_DUTY):
        path = f"/reconciliation/runs/{run.id}"
        tell(house, unit, member.id, kind="reconciliation_stopped", sentence=sentence, path=path, at=at)
