"""The product's own jobs of a tenant, as it tells of them: shown to staff, never steered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.domain.decisions import Deny
from console.domain.field_classes import FieldClass, shown
from console.domain.ids import TenantId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.staff import Actor
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.opened_tenant import Opened, read_opened

_PAGE = 40
_LONGEST_ERROR = 300
_LONGEST_READ = 4_000  # of what a product may store without a bound


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductJobsPage:
    """One keyset page of jobs, errors redacted; `older` is the last one shown, to go on after it."""

    opened: Opened
    jobs: Sequence[ProductJob]
    older: str | None


def read_product_jobs(
    house: House, actor: Actor, *, tenant: TenantId, state: ProductJobState | None, before: str | None
) -> ProductJobsPage | Deny:
    """Return one page of the product's jobs, newest first. Raises: NotFoundError for an unknown tenant."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> ProductJobsPage:
        found = plane.product_jobs(state=state, before=before, limit=_PAGE + 1)
        return ProductJobsPage(
            opened=opened,
            jobs=[replace(job, last_error=_shown_error(job.last_error)) for job in found[:_PAGE]],
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
        )

    return read_opened(
        house, actor, tenant, page="jobs", read=read, records=lambda page: len(page.jobs), shows=(FieldClass.MIXED,)
    )


def _shown_error(error: str | None) -> str | None:
    """Return an error redacted first and cut then, so that no cut leaves half of a secret."""
    if error is None:
        return None
    read = error if len(error) <= _LONGEST_READ else error[:_LONGEST_READ].rpartition(" ")[0]
    seen = shown("plane_product_job.last_error", read) or ""
    return seen if len(seen) <= _LONGEST_ERROR else f"{seen[:_LONGEST_ERROR]}…"
