"""Write into the manifest of an accounting period who agreed to its close and its reopening."""

from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.jobs import Job
from console.domain.periods import period_id
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.recording import emit_as

_LOCK = "period_manifest"


def seal_period(house: House, job: Job) -> Done:
    """Write all agreements as the period keeps them; once more changes nothing.

    Raises: NotFoundError where the files were taken away, OutsideError when the shelf cannot be written.
    """
    name = period_id(str(job.payload.get("period", "")))
    with house.store.write() as unit:
        unit.throttles.lock(_LOCK, name)  # else what another worker signed meanwhile is written over
        period = unit.periods.get(name)
        digest = house.ledgers.sign(period.id, period.agreements)

    def record(unit: ControlUnit) -> None:
        emit_as(
            unit,
            SYSTEM_ACTOR,
            "period.signed",
            at=house.clock.now(),
            targets=(
                TargetRef(type="period", id=period.id),
                TargetRef(type="sealed_file", id=digest, name=f"{period.id}/manifest.json"),
            ),
            correlation=job.request,
            facts={"agreements": len(period.agreements)},
        )

    return Done(record=record)
