"""Shows once what an execution reveals: rendered straight into this answer, never stored, masked again by itself."""

from flask import Response, url_for

from console.usecases.opened_tenant import Opened
from console.usecases.outcomes import Ran
from console.web import render


def shown_once(ran: Ran, *, opened: Opened | None = None) -> Response:
    """Return the page with the values that this run shows to this person."""
    masks = {change.field: change.before or "•••" for change in ran.request.preview.changes}
    values = [
        {"label": label, "value": value, "mask": masks.get(label, "•••")} for label, value in ran.applied.shown.items()
    ]
    back = url_for("tenants.members", slug=opened.tenant.slug) if opened is not None else ""
    response = render.page(
        "pages/actions/shown.html",
        opened=opened,
        tab="members",
        shown=values,
        seconds=ran.applied.remask_seconds,
        sentence=ran.applied.sentence,
        back=back,
        request_href=url_for("requests.show", request_id=ran.request.id),
    )
    # Without script the page itself must go away again.
    response.headers["Refresh"] = f"{ran.applied.remask_seconds}; url={back or url_for('home.show')}"
    return response
