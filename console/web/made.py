"""Where the page of a thing is that an action made or was about, told by its id."""

import re

from console.domain.reconciling.runs import FLEET
from console.domain.tenancy import DirectoryRow
from console.web.paths import path_of

_PAGES = {
    "run": ("replays.show", "run"),
    "whr": ("replays.show", "run"),
    "dlv": ("webhooks.delivery", "delivery"),
    "whd": ("webhooks.delivery", "delivery"),  # as imported
    "ep": ("webhooks.endpoint", "endpoint_id"),
    "whe": ("webhooks.endpoint", "endpoint_id"),  # as imported
}
_SWEEP = "acc"  # a recalculation of many tenants belongs to none of them
_ACTING = "imp"  # whoever began it goes on from there
_FINDING = "fnd"  # its page leads on to the tenant's, where it belongs to one
_MONTH = re.compile(r"\d{4}-\d{2}")


def page_of(row: DirectoryRow | None, made: str | None) -> str:
    """Return the address of a thing's page in a tenant's workspace or outside of all, "" where it has none."""
    if made == FLEET:
        return path_of("reconciliation.index")
    if made and _MONTH.fullmatch(made):
        return path_of("periods.show", period=made)
    kind, mark, _rest = (made or "").partition("_")
    if mark and kind == _FINDING:
        return path_of("reconciliation.finding", stray=made)
    if mark and kind == _ACTING:
        return path_of("impersonations.show", impersonation=made)
    if mark and kind == _SWEEP:
        return path_of("access.sweep", sweep=made)
    if row is None or not mark or kind not in _PAGES:
        return ""
    endpoint, name = _PAGES[kind]
    return path_of(endpoint, slug=row.slug, **{name: made})
