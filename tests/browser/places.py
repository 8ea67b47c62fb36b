"""In which walk each page of the route table is looked at, and which addresses no person ever looks at."""

from collections.abc import Mapping

from flask import Flask
from playwright.sync_api import Page

from tests.browser.stage import Answer, Stage

# Endpoint of a GET -> the chapter of the gallery that shows it; it may be shown in others too.
SHOWN_IN: Mapping[str, str] = {
    endpoint: chapter
    for chapter, endpoints in {
        "acting": (
            "impersonations.detail", "impersonations.hand_off", "impersonations.index", "impersonations.show",
            "tenants.entries",
        ),
        "arriving": (
            "actions.create", "door.sign_in", "home.show", "leases.create", "palette.show", "search.show",
            "tenants.entitlements", "tenants.index", "tenants.jobs", "tenants.members", "tenants.notes",
            "tenants.overview",
        ),
        "changing": (
            "account.show", "account.step_up", "requests.index", "requests.revise", "requests.show", "trail.index",
            "trail.show",
        ),
        "closing": ("access.register", "access.sweep", "access.sweeps", "periods.index", "periods.show"),
        "customer": ("customer.show", "customer_links.consent", "customer_links.log", "customer_links.policy"),
        "guarding": ("freezes.index", "reviews.index", "signals.index", "signals.show"),
        "reconciling": (
            "billing.show", "findings.index", "findings.show", "reconciliation.finding", "reconciliation.findings",
            "reconciliation.index", "reconciliation.run",
        ),
        "replaying": (
            "replays.index", "replays.items", "replays.show", "webhooks.dead_letters", "webhooks.deliveries",
            "webhooks.delivery", "webhooks.endpoint", "webhooks.index",
        ),
        "ruling": (
            "actions.create_control", "operations.inbound", "operations.inbox", "operations.index", "operations.job",
            "operations.jobs", "policy.show", "staff.index",
        ),
    }.items()
    for endpoint in endpoints
}  # fmt: skip
# Endpoint of a GET -> why nobody looks at it.
NO_PAGE: Mapping[str, str] = {
    "account.step_up_identity": "leads to the identity provider",
    "customer.access_log": "JSON for the product",
    "customer_api.consents": "JSON for programs of a customer",
    "customer_api.policy": "JSON for programs of a customer",
    "door.callback": "leads on; what it refuses stands on the page of sign-in",
    "door.identity": "leads to the identity provider",
    "periods.take": "a file to keep",
    "product.keys": "keys for the product",
    "reconciliation.events": "a stream that a page follows",
    "reconciliation.progress": "figures that a page asks for again",
    "replays.events": "a stream that a page follows",
    "replays.progress": "figures that a page asks for again",
    "static": "style sheets, fonts, pictures and scripts",
    "system.health": "one word for whoever watches the server",
}


def readable(app: Flask) -> set[str]:
    """Return every endpoint that answers a GET."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


def answered(stage: Stage, page: Page) -> Answer:
    """Return the answer that stands in the browser: the last one that this address gave."""
    path = page.url.removeprefix(stage.address).partition("#")[0]
    return stage.answers[path]


def place_of(stage: Stage, page: Page) -> str | None:
    """Return the endpoint whose page stands in the browser whole; None for a refusal and the answer to a form."""
    answer = answered(stage, page)
    is_page = answer.method == "GET" and answer.status == 200 and answer.mimetype == "text/html"
    return answer.endpoint if is_page else None
