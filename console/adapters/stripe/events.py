"""The events that Stripe made, oldest first, so that a gap in what came shows."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from console.adapters.stripe.calls import PAGE, Calls, every, listed
from console.adapters.stripe.reading import Document, rows
from console.ports.inbound import ListedEvent

_PATH = "/v1/events"


class StripeEvents:
    """Asks for the events of the last 30 days; older ones Stripe does not keep."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def since(self, at: datetime, *, limit: int, after: str | None = None) -> Sequence[ListedEvent]:
        """Return events from then on, or those behind the event `after`, oldest first. Raises: OutsideError."""
        begin = int(at.timestamp())
        before = after or self._before(begin)
        if before is not None:
            params: dict[str, Any] = {"ending_before": before, "limit": min(limit, PAGE)}
            found = list(rows(listed(self._calls, _PATH, params), "data"))
        else:  # nothing is older, so the list must be read to its end
            found = list(every(self._calls, _PATH, {"created": {"gte": begin}}))
        oldest_first = [each for each in reversed(found) if _is_event(each)]
        return [_listed(each) for each in oldest_first[:limit]]

    def _before(self, begin: int) -> str | None:
        """Return the newest event that is older."""
        older = rows(listed(self._calls, _PATH, {"created": {"lt": begin}, "limit": 1}), "data")
        return str(older[0].get("id")) if older else None


def _is_event(document: Document) -> bool:
    created = document.get("created")
    return all(isinstance(document.get(name), str) for name in ("id", "type")) and isinstance(created, int)


def _listed(event: Document) -> ListedEvent:
    return ListedEvent(
        event_id=event["id"],
        event_type=event["type"],
        made_at=datetime.fromtimestamp(event["created"], tz=UTC),
        payload=json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(),
    )
