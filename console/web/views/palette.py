"""What the command palette lists."""

from flask import Blueprint, Response, request, url_for

from console.domain.search_terms import SHORTEST_FRAGMENT
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import offer_actions
from console.usecases.read_home import Surroundings, read_surroundings
from console.usecases.search_directory import SearchAnswer, search_directory
from console.web import asking, gate, render
from console.web.shaping import View, tenant_view
from console.web.shaping_home import palette_groups, search_view

bp = Blueprint("palette", __name__)
_PLACES = (
    ("requests", "Requests", "inbox", "requests.index"),
    ("reconciliation", "Reconciliation", "scale", "reconciliation.index"),
    ("findings", "Findings", "list-checks", "reconciliation.findings"),
    ("periods", "Accounting periods", "calendar-clock", "periods.index"),
    ("trail", "Trail", "scroll-text", "trail.index"),
    ("staff", "Staff", "users", "staff.index"),
    ("policy", "Policy", "scale", "policy.show"),
    ("access", "Register of overrides", "sliders-horizontal", "access.register"),
    ("access", "Recalculations of many tenants", "list-checks", "access.sweeps"),
    ("operations", "Operations", "activity", "operations.index"),
    ("operations", "Jobs", "cog", "operations.jobs"),
    ("operations", "Inbox of providers", "inbox", "operations.inbox"),
)


@bp.get("/palette")
@gate.signed_in
def show() -> Response:
    """List tenants, pages and allowed actions by name; a fragment for the dialog, a page without script."""
    typed = request.args.get("q", "").strip()
    around = read_surroundings(asking.house(), asking.actor())
    opened = _opened(around)
    offers = [
        *(offer_actions(asking.house(), asking.actor(), tenant=opened) if opened is not None else ()),
        *offer_actions(asking.house(), asking.actor(), tenant=None),
    ]
    tenants = _tenants(around, typed)
    groups = palette_groups(pages=_pages(around), tenants=tenants, offers=offers, opened=opened, typed=typed)
    template = "fragments/palette.html" if render.wants_fragment() else "pages/palette/show.html"
    return render.page(template, groups=groups, typed=typed)


def _opened(around: Surroundings) -> DirectoryRow | None:
    """Return the open tenant whose page the palette was called on, else the one that was opened last."""
    path = "/" + request.headers.get("HX-Current-URL", "").partition("://")[2].partition("/")[2]
    newest_first = sorted(around.leases, key=lambda pair: pair[0].opened_at, reverse=True)
    rows = [row for _lease, row in newest_first if row is not None]
    here = (row for row in rows if path.startswith(url_for("tenants.overview", slug=row.slug)))
    return next(here, rows[0] if rows else None)


def _tenants(around: Surroundings, typed: str) -> list[View]:
    """Return open tenants, and once three characters are typed what the directory finds."""
    opened = [tenant_view(row) | {"is_open": True} for _lease, row in around.leases if row is not None]
    if len(typed) < SHORTEST_FRAGMENT or "search" not in around.pages:
        return [t for t in opened if typed.casefold() in f"{t['name']} {t['slug']}".casefold()]
    answer = search_directory(asking.house(), asking.actor(), typed=typed)
    return search_view(answer, typed=typed)["rows"][:8] if isinstance(answer, SearchAnswer) else []


def _pages(around: Surroundings) -> list[tuple[str, str, str]]:
    found = [
        ("Home", "house", url_for("home.show")),
        ("Your account and sessions", "key-round", url_for("account.show")),
    ]
    if "tenants" in around.pages:
        found.append(("Tenants", "building-2", url_for("tenants.index")))
    found += [(label, icon, url_for(endpoint)) for page, label, icon, endpoint in _PLACES if page in around.pages]
    return found
