"""The filters of a tenant's deliveries, as they stand in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.domain.ids import DeliveryId, EndpointId, MessageId
from console.domain.webhooks import DeliveryState
from console.ports.webhooks import DeliveryFilter
from console.web.forms.posted import Sent

FILTERS = ("endpoint", "state", "event_type", "message", "since", "until")
_LONGEST = 80
_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2200
_ID = re.compile(r"[A-Za-z0-9_-]+")
_TYPE = re.compile(r"[A-Za-z0-9_.:*-]+")
_REMEDIES = {"endpoint": "Choose one of the endpoints.", "message": "Give a message id, like msg_01J8…"}
_MOMENT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesForm:
    """The filters as typed and as understood; `before` is the delivery to go on from."""

    typed: Mapping[str, str]
    which: DeliveryFilter
    before: DeliveryId | None
    faults: Mapping[str, str]


def read_deliveries_filters(query: Sent) -> DeliveriesForm:
    """Return what stands in the address; a filter that cannot be understood is a fault and filters nothing."""
    typed = {name: query.get(name, "").strip()[:_LONGEST] for name in FILTERS if query.get(name, "").strip()}
    faults = {name: _REMEDIES[name] for name in _REMEDIES if name in typed and not _ID.fullmatch(typed[name])}
    if "event_type" in typed and not _TYPE.fullmatch(typed["event_type"]):
        faults["event_type"] = "Choose one of the event types."
    if "state" in typed and typed["state"] not in set(DeliveryState):
        faults["state"] = "Choose one of the states."
    since, until = moment(typed, "since", faults), moment(typed, "until", faults)
    if since is not None and until is not None and until <= since:
        faults["until"] = "The end lies before the beginning: swap them."
        until = None
    fine = {name: value for name, value in typed.items() if name not in faults}
    before = query.get("before", "")
    return DeliveriesForm(
        typed=typed,
        which=DeliveryFilter(
            endpoint=EndpointId(fine["endpoint"]) if "endpoint" in fine else None,
            state=DeliveryState(fine["state"]) if "state" in fine else None,
            event_type=fine.get("event_type"),
            message=MessageId(fine["message"]) if "message" in fine else None,
            since=since,
            until=until,
        ),
        before=DeliveryId(before) if _ID.fullmatch(before) and len(before) <= _LONGEST else None,
        faults=faults,
    )


def moment(typed: Mapping[str, str], name: str, faults: dict[str, str]) -> datetime | None:
    """Return a moment in UTC as a browser's field or a person writes it; what is none is a fault."""
    if name not in typed:
        return None
    try:
        at = datetime.strptime(typed[name].replace("T", " ")[:16], _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        faults[name] = "Give a moment in UTC, like 2026-11-21 02:00."
        return None
    if not _EARLIEST_YEAR <= at.year <= _LATEST_YEAR:
        faults[name] = f"Give a year from {_EARLIEST_YEAR} to {_LATEST_YEAR}."
        return None
    return at


def moment_text(at: datetime) -> str:
    """Return a moment as filters and actions take it."""
    return at.strftime(_MOMENT)
