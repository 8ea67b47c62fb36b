"""The filter of the product's jobs, as it stands in the address."""

from dataclasses import dataclass

from console.domain.product_jobs import ProductJobState
from console.web.forms.posted import Sent

_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductJobsForm:
    """Which jobs are wanted; `before` is the job to go on from; `fault` says what to choose instead."""

    state: ProductJobState | None
    before: str | None
    fault: str


def read_product_job_filter(query: Sent) -> ProductJobsForm:
    """Return what stands in the address; a state that there is none of is a fault and filters nothing."""
    typed, before = query.get("state", "").strip(), query.get("before", "")
    is_known = typed in set(ProductJobState)
    return ProductJobsForm(
        state=ProductJobState(typed) if is_known else None,
        before=before if before and before.isprintable() and len(before) <= _LONGEST else None,
        fault="" if is_known or not typed else "Choose one of the states.",
    )
