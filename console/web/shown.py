"""Shows once what an execution reveals: rendered straight into this answer, never stored, masked again by itself."""

from datetime import timedelta

from flask import Response, url_for

from console.usecases.opened_tenant import Opened
from console.usecases.outcomes import Ran
from console.web import asking, render
from console.web.made import page_of


def shown_once(ran: Ran, *, opened: Opened | None = None) -> Response:
    """Return the page with the values that this run shows to this person."""
    masks = {change.field: change.before or "•••" for change in ran.request.preview.changes}
    values = [
        {"label": label, "value": value, "mask": masks.get(label, "•••")} for label, value in ran.applied.shown.items()
    ]
    back, label, tab = _way_back(ran, opened)
    house = asking.house()
    seconds = house.book.limits.reveal_remask_seconds
    response = render.page(
        "pages/actions/shown.html",
        opened=opened,
        tab=tab,
        shown=values,
        seconds=seconds,
        until=house.clock.now() + timedelta(seconds=seconds),
        sentence=ran.applied.sentence,
        back=back,
        back_label=label,
        request_href=url_for("requests.show", request_id=ran.request.id),
    )
    # Without script the page itself must go away again.
    response.headers["Refresh"] = f"{seconds}; url={back or url_for('home.show')}"
    return response


def _way_back(ran: Ran, opened: Opened | None) -> tuple[str, str, str]:
    """Return where somebody goes on from here: the address, what it is called, and the tab it stands under."""
    if opened is None:
        return "", "", ""
    slug = opened.tenant.slug
    if ran.request.action.startswith("webhook."):
        made = page_of(opened.tenant, ran.applied.made)
        return (
            (made, "To its page", "webhooks")
            if made
            else (url_for("webhooks.index", slug=slug), "Back to webhooks", "webhooks")
        )
    return url_for("tenants.members", slug=slug), "Back to members", "members"
