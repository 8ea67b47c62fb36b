"""The product's jobs as their template wants them."""

from collections.abc import Mapping

from console.domain.product_jobs import ProductJob, ProductJobState
from console.usecases.read_product_jobs import ProductJobsPage
from console.web.forms.product_jobs import ProductJobsForm
from console.web.paths import path_of
from console.web.shaping import View, with_query

_STATES: Mapping[ProductJobState, str] = {
    ProductJobState.QUEUED: "Queued",
    ProductJobState.RUNNING: "Running",
    ProductJobState.SUCCEEDED: "Succeeded",
    ProductJobState.FAILED: "Failed",
}


def product_jobs_view(page: ProductJobsPage, form: ProductJobsForm) -> View:
    """Return one page of the product's jobs with the states to choose from."""
    address = path_of("tenants.jobs", slug=page.opened.tenant.slug)
    chosen = {"state": form.state.value} if form.state else {}
    return {
        "presets": [
            {"label": label, "href": with_query(address, {"state": state.value} if state else {}), "count": None,
             "is_current": form.state is state}
            for label, state in (("All", None), *((word, state) for state, word in _STATES.items()))
        ],
        "rows": [_row(job) for job in page.jobs],
        "older": with_query(address, {**chosen, "before": page.older}) if page.older else "",
        "newest": with_query(address, chosen) if form.before else "",
        "clear_href": address,
        "is_filtered": bool(chosen or form.before),
        "fault": form.fault,
    }  # fmt: skip


def _row(job: ProductJob) -> View:
    return {
        "id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state.value,
        "label": _STATES[job.state],
        "attempts": job.attempts,
        "error": job.last_error or "",
        "created_at": job.created_at,
        "run_at": job.run_at,
        "finished_at": job.finished_at,
    }
