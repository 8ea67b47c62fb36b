"""Deliveries as their templates want them: a row, a page of rows with filters, one with every attempt."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.domain.ids import EndpointId
from console.domain.tenancy import DirectoryRow
from console.domain.webhooks import (
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryState,
    Endpoint,
    MessageKind,
    Trigger,
)
from console.usecases.offer_actions import Offer
from console.usecases.read_webhooks import DeliveriesPage, DeliveryPage
from console.web.forms.webhooks import DeliveriesForm
from console.web.paths import path_of
from console.web.shaping import View, with_query
from console.web.shaping_tenants import placed_links

OUTCOMES: Mapping[AttemptOutcome, tuple[str, str, str]] = {
    AttemptOutcome.SUCCESS: ("ok", "circle-check", "Accepted"),
    AttemptOutcome.REDIRECT: ("stop", "arrow-up-right", "Redirected, not followed"),
    AttemptOutcome.REFUSED: ("stop", "ban", "Refused"),
    AttemptOutcome.GONE: ("stop", "circle-slash", "Gone for good"),
    AttemptOutcome.SLOW_DOWN: ("warn", "gauge", "Asked to slow down"),
    AttemptOutcome.SERVER_ERROR: ("stop", "octagon-alert", "Server error"),
    AttemptOutcome.TIMEOUT: ("stop", "timer", "No answer in time"),
    AttemptOutcome.DNS: ("stop", "circle-help", "Name not found"),
    AttemptOutcome.CONNECT: ("stop", "unplug", "Not reachable"),
    AttemptOutcome.TLS: ("stop", "lock-open", "No trusted connection"),
    AttemptOutcome.TOO_LARGE: ("stop", "octagon-alert", "Answer too large"),
    AttemptOutcome.BLOCKED_ADDRESS: ("stop", "shield-alert", "Address not allowed"),
    AttemptOutcome.INTERRUPTED: ("warn", "circle-help", "Interrupted: may have arrived"),
}
TRIGGERS: Mapping[Trigger, str] = {
    Trigger.SCHEDULED: "by schedule",
    Trigger.RESEND: "resent by hand",
    Trigger.BULK: "by a bulk replay",
    Trigger.TEST: "as a test",
}
REVEAL = "webhook.reveal_payload"
# Which verbs a state leaves; the others would only be refused.
_LEGAL: Mapping[str, frozenset[DeliveryState]] = {
    "webhook.resend": frozenset(DeliveryState) - {DeliveryState.SENDING},
    "webhook.reemit": frozenset(DeliveryState) - {DeliveryState.SENDING},
    "webhook.cancel_delivery": frozenset({DeliveryState.QUEUED, DeliveryState.RETRY_SCHEDULED, DeliveryState.HELD}),
}
_KINDS: Mapping[MessageKind, str] = {
    MessageKind.EVENT: "Event",
    MessageKind.REEMIT: "Told anew under a new id",
    MessageKind.SNAPSHOT: "Snapshot of the present state",
    MessageKind.TEST: "Test",
}
REASONS: Mapping[str, str] = {
    "endpoint_disabled": "the endpoint is disabled",
    "endpoint_deleted": "the endpoint was deleted",
    "endpoint_paused": "the endpoint is paused",
    "filtered_out": "the endpoint does not subscribe to this event",
    "payload_expired": "the payload has expired",
    "cancelled_by_staff": "cancelled by hand",
    "reemitted": "told anew under a new id",
    "slow_down": "a receiver asked for slowness",
    "job_dead": "its job gave up; an engineer can retry it under Operations",
    "failures_in_row": "several deliveries failed in a row",
    "too_many_match": "more deliveries match than a plan holds; choose a shorter range",
    "nothing_to_send": "nothing that matches could be sent again",
    "imported": "the product set it so",
    "paused_by_staff": "paused by hand",
    "disabled_by_staff": "disabled by hand",
    "deleted_by_staff": "deleted by hand",
}
_STATES: Mapping[DeliveryState, str] = {state: state.words.capitalize() for state in DeliveryState}


def in_words(code: str | None) -> str:
    """Return a reason's code as words."""
    return "" if code is None else REASONS.get(code, code.replace("_", " "))


def section_views(row: DirectoryRow, current: str, *, dead: int | None = None) -> list[View]:
    """Return the pages of the webhooks tab."""
    return [
        {"label": label, "href": path_of(endpoint, slug=row.slug), "count": count, "is_current": name == current}
        for name, label, endpoint, count in (
            ("endpoints", "Endpoints", "webhooks.index", None),
            ("deliveries", "Deliveries", "webhooks.deliveries", None),
            ("dead", "Dead letters", "webhooks.dead_letters", dead),
            ("replays", "Replays", "replays.index", None),
        )
    ]


def deliveries_view(page: DeliveriesPage, form: DeliveriesForm) -> View:
    """Return one page of deliveries with its filters as chips."""
    row = page.opened.tenant
    address = path_of("webhooks.deliveries", slug=row.slug)
    names = {endpoint.id: endpoint for endpoint in page.endpoints}
    return {
        "views": section_views(row, "deliveries"),
        "rows": [delivery_row(delivery, names, row) for delivery in page.deliveries],
        "older": with_query(address, {**form.typed, "before": page.older}) if page.older else "",
        "newest": with_query(address, form.typed) if form.before else "",
        "clear_href": address,
        "chips": _chips(form.typed, names, address),
        "presets": [
            {"label": label, "href": with_query(address, {"state": state.value} if state else {}), "count": None,
             "is_current": form.typed.get("state", "") == (state.value if state else "")}
            for label, state in (("All", None), ("Gave up", DeliveryState.EXHAUSTED),
                                 ("Retry scheduled", DeliveryState.RETRY_SCHEDULED),
                                 ("Queued", DeliveryState.QUEUED), ("Held", DeliveryState.HELD))
        ],
        "typed": {name: form.typed.get(name, "") for name in (
            "endpoint", "state", "event_type", "message", "since", "until")},
        "faults": form.faults,
        "endpoints": [_any("endpoint"), *({"value": e.id, "label": e.url} for e in page.endpoints)],
        "states": [_any("state"), *({"value": state.value, "label": word} for state, word in _STATES.items())],
        "types": [_any("event"), *({"value": name, "label": name} for name in page.event_types)],
    }  # fmt: skip


def delivery_view(page: DeliveryPage, offers: Sequence[Offer]) -> View:
    """Return one delivery: what happens next, what can be done, and everything that was tried."""
    row, delivery, message = page.opened.tenant, page.delivery, page.message
    known = {"delivery": str(delivery.id), "message": str(delivery.message), "endpoint": str(delivery.endpoint)}
    links = placed_links(offers, row, "delivery", known)
    return {
        "row": delivery_row(delivery, page.endpoints, row),
        "next": _next(delivery),
        "next_at": delivery.due_at,
        "verbs": [link for link in links if _is_legal(link["key"], delivery)],
        "attempts": [_attempt(attempt, row) for attempt in page.attempts],
        "is_cut": delivery.attempts > len(page.attempts),
        "message": None if message is None else {
            "id": message.id, "kind": _KINDS[message.kind], "created_at": message.created_at,
            "expires_at": message.expires_at, "subject": message.subject or "", "replay_of": message.replay_of or "",
            "origin_href": with_query(path_of("webhooks.deliveries", slug=row.slug), {"message": message.replay_of})
            if message.replay_of else "",
        },
        "payload": page.payload,
        "bytes": page.payload_bytes,
        "reveal_href": next((link["href"] for link in links if link["key"] == REVEAL), ""),
        "siblings": [delivery_row(other, page.endpoints, row) for other in page.siblings],
        "run_href": path_of("replays.show", slug=row.slug, run=delivery.run) if delivery.run else "",
    }  # fmt: skip


def delivery_row(delivery: Delivery, endpoints: Mapping[EndpointId, Endpoint], row: DirectoryRow) -> View:
    """Return a delivery as a row of a table."""
    endpoint = endpoints.get(delivery.endpoint)
    return {
        "id": delivery.id,
        "event": delivery.event_type,
        "message": delivery.message,
        "endpoint": endpoint.url if endpoint else delivery.endpoint,
        "endpoint_href": path_of("webhooks.endpoint", slug=row.slug, endpoint_id=delivery.endpoint),
        "state": delivery.state.value,
        "reason": in_words(delivery.reason),
        "attempts": delivery.attempts,
        "outcome": outcome_view(delivery.last_outcome, delivery.last_status),
        "last_at": delivery.last_at,
        "due_at": delivery.due_at,
        "created_at": delivery.created_at,
        "fingerprint": delivery.fingerprint or "",
        "href": path_of("webhooks.delivery", slug=row.slug, delivery=delivery.id),
    }


def outcome_view(outcome: AttemptOutcome | None, status: int | None) -> View | None:
    """Return how an attempt ended, as a badge; None before the first."""
    if outcome is None:
        return None
    kind, icon, word = OUTCOMES[outcome]
    return {"kind": kind, "icon": icon, "label": word if status is None else f"{status} {word}"}


def _is_legal(key: str, delivery: Delivery) -> bool:
    return delivery.run is None and delivery.state in _LEGAL.get(key, frozenset())


def _attempt(attempt: Attempt, row: DirectoryRow) -> View:
    kind, icon, word = OUTCOMES[attempt.outcome]
    return {
        "number": attempt.number,
        "at": attempt.started_at,
        "trigger": TRIGGERS[attempt.trigger],
        "kind": kind,
        "icon": icon,
        "outcome": word if attempt.status is None else f"{attempt.status} {word}",
        "took": _took(attempt.took_ms),
        "error": attempt.error or "",
        "signed_by": list(attempt.keys),
        "sent": list(attempt.sent_headers),
        "got": list(attempt.got_headers),
        "body": attempt.got_body or "",
        "run_href": path_of("replays.show", slug=row.slug, run=attempt.run) if attempt.run else "",
    }


def _took(milliseconds: int) -> str:
    if milliseconds <= 0:
        return ""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds} ms"


def _next(delivery: Delivery) -> str:
    """Return in one sentence what happens to a delivery if nobody does anything."""
    reason = in_words(delivery.reason)
    tries = counted(delivery.tries, "try", "tries")
    sentences: dict[DeliveryState, str] = {
        DeliveryState.QUEUED: "It waits for its turn and goes out by itself.",
        DeliveryState.SENDING: "It is going out right now; should the sender vanish, it goes out again.",
        DeliveryState.RETRY_SCHEDULED: f"It failed ({tries}) and is tried again by itself.",
        DeliveryState.HELD: f"It is held: {reason or 'the endpoint is paused'}. Once released it goes out by itself.",
        DeliveryState.DELIVERED: "It arrived; nothing more happens by itself.",
        DeliveryState.EXHAUSTED: f"It gave up after {counted(delivery.attempts, 'attempt')}"
        f"{': ' + reason if reason else ''}. Nothing more happens by itself.",
        DeliveryState.SUPPRESSED: f"It was not sent: {reason or 'the endpoint was not sent to'}.",
        DeliveryState.CANCELLED: f"It was cancelled{': ' + reason if reason else ''}.",
    }
    return sentences[delivery.state]


def _chips(typed: Mapping[str, str], names: Mapping[EndpointId, Endpoint], address: str) -> list[View]:
    labels = {"endpoint": "endpoint", "state": "state", "event_type": "event", "message": "message", "since": "from",
              "until": "until"}  # fmt: skip
    shown: dict[str, Any] = {**typed}
    endpoint = names.get(EndpointId(typed.get("endpoint", "")))
    if endpoint is not None:
        shown["endpoint"] = endpoint.url
    if typed.get("state") in set(DeliveryState):
        shown["state"] = _STATES[DeliveryState(typed["state"])]
    return [
        {
            "key": labels[name],
            "value": str(shown[name]).replace("T", " ") if name in {"since", "until"} else shown[name],
            "remove_href": with_query(address, {other: value for other, value in typed.items() if other != name}),
        }
        for name in typed
    ]


def _any(what: str) -> View:
    return {"value": "", "label": f"Any {what}"}


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
