"""Let the directory follow the link of a customer of the billing provider, so that search and webhooks find it."""

from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.jobs import Job
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done, JobRefusedError
from console.usecases.recording import emit_as, row_ref
from console.usecases.scopes import directory_row, scope_of_job, tenant_data


def follow_link(house: House, job: Job) -> Done:
    """Write the key that a tenant's own links ask for; once more changes nothing.

    Raises: JobRefusedError for a job that names nothing, OutsideError when the plane does not answer.
    """
    customer = job.payload.get("customer")
    if job.tenant is None or not isinstance(customer, str):
        raise JobRefusedError("The job names no tenant or no customer.")
    now = house.clock.now()
    with house.store.write() as unit:
        row = directory_row(unit, job.tenant)
        with tenant_data(house, unit, scope_of_job(job, row, now=now)) as plane:
            is_linked = any(link.customer == customer for link in plane.customers.links())
        if is_linked:
            unit.directory.link_customer(row.id, customer)
        else:
            unit.directory.unlink_customer(row.id, customer)

    def record(ending: ControlUnit) -> None:
        emit_as(
            ending,
            SYSTEM_ACTOR,
            "directory.followed",
            at=now,
            tenant=row_ref(row, source="job"),
            targets=(TargetRef(type="customer", id=customer),),
            correlation=job.request,
            facts={"is_linked": is_linked},
        )

    return Done(record=record)
