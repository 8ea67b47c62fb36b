"""The filters of the trail, as they stand in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from console.domain.catalogue import Outcome
from console.domain.entries import CATALOGUE
from console.domain.ids import StaffId, TenantId
from console.ports.trail import EntryFilter
from console.web.forms.posted import Sent

FILTERS = ("tenant", "actor", "action", "outcome", "target", "correlation", "since", "until")
_LONGEST = 80
_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2200
_ID = re.compile(r"[A-Za-z0-9_|:.@-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailForm:
    """The filters as typed and as understood; `before` is the row to go on from."""

    typed: Mapping[str, str]
    wanted: EntryFilter
    before: int | None
    faults: Mapping[str, str]


def read_filters(query: Sent) -> TrailForm:
    """Return what stands in the address; a filter that cannot be understood is a fault and filters nothing."""
    typed = {name: query.get(name, "").strip()[:_LONGEST] for name in FILTERS if query.get(name, "").strip()}
    faults: dict[str, str] = {}
    for name in ("tenant", "actor", "target", "correlation"):
        if name in typed and not _ID.fullmatch(typed[name]):
            faults[name] = "Give an id, for example the one an entry page shows."
    if "action" in typed and typed["action"] not in CATALOGUE:
        faults["action"] = "There is no entry of that name."
    if "outcome" in typed and typed["outcome"] not in set(Outcome):
        faults["outcome"] = f"Choose one of {', '.join(Outcome)}."
    since, until = _day(typed, "since", faults), _day(typed, "until", faults)
    fine = {name: value for name, value in typed.items() if name not in faults}
    before = query.get("before", "")
    return TrailForm(
        typed=typed,
        wanted=EntryFilter(
            tenant=TenantId(fine["tenant"]) if "tenant" in fine else None,
            actor=StaffId(fine["actor"]) if "actor" in fine else None,
            action=fine.get("action"),
            outcome=fine.get("outcome"),
            target=fine.get("target"),
            correlation=fine.get("correlation"),
            since=since,
            until=None if until is None else until + timedelta(days=1),
        ),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,
        faults=faults,
    )


def _day(typed: Mapping[str, str], name: str, faults: dict[str, str]) -> datetime | None:
    if name not in typed:
        return None
    try:
        day = date.fromisoformat(typed[name])
    except ValueError:
        faults[name] = "Give a day like 2026-11-21."
        return None
    if not _EARLIEST_YEAR <= day.year <= _LATEST_YEAR:
        faults[name] = f"Give a day from {_EARLIEST_YEAR} to {_LATEST_YEAR}."
        return None
    return datetime.combine(day, time.min, tzinfo=UTC)
