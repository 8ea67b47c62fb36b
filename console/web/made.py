"""Where the page of a thing is that an action made or was about, told by its id."""

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


def page_of(row: DirectoryRow | None, made: str | None) -> str:
    """Return the address of a thing's page in a tenant's workspace or outside of all, "" where it has none."""
    kind, mark, _rest = (made or "").partition("_")
    if mark and kind == _SWEEP:
        return path_of("access.sweep", sweep=made)
    if row is None or not mark or kind not in _PAGES:
        return ""
    endpoint, name = _PAGES[kind]
    return path_of(endpoint, slug=row.slug, **{name: made})
