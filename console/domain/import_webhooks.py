"""The documented fields of endpoints, deliveries and attempts in an import, and what a status says of an attempt."""

import re
from collections.abc import Mapping

from console.domain.import_shapes import ID, FieldRule, Shape, choice, moment, number, text
from console.domain.imports import DeliveryAttemptRecord, DeliveryRecord, Record, WebhookEndpointRecord
from console.domain.webhooks import AttemptOutcome

DELIVERY_OUTCOMES = ("delivered", "failed", "pending")
FAILURES = ("timeout", "dns", "connect", "tls")
ENDPOINT_STATES = ("active", "paused", "disabled")
_MESSAGE = text("msg_2b8f", pattern=r"[A-Za-z0-9_-]+", longest=64)
_STATUS = number("200", least=100, most=599, default=None)
_FAILURE = choice(*FAILURES, default=None)
_SPECIAL = {410: AttemptOutcome.GONE, 429: AttemptOutcome.SLOW_DOWN}
_CLASSES = {
    2: AttemptOutcome.SUCCESS,
    3: AttemptOutcome.REDIRECT,
    4: AttemptOutcome.REFUSED,
    5: AttemptOutcome.SERVER_ERROR,
}

WEBHOOK_RULES: Mapping[type[Record], Mapping[str, FieldRule]] = {
    WebhookEndpointRecord: {
        "tenant": ID,
        "external_id": ID,
        "url": text("https://hooks.acme.example/in", pattern=r"https?://\S+", longest=500),
        "created_at": moment(),
        "description": text("Orders", default=""),
        "event_types": FieldRule(
            shape=Shape.LIST,
            example="invoice.paid",
            pattern=re.compile(r"[A-Za-z0-9_.-]+(\.\*)?"),
            longest=100,
            default=(),
        ),
        "state": choice(*ENDPOINT_STATES, default="active"),
        "rate_per_s": number("10", least=1, most=1000, default=10),
        "failing_since": moment(default=None),
        "secret": text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", pattern=r"whs(ec|k)_\S+", longest=200, default=None),
    },
    DeliveryRecord: {
        "tenant": ID,
        "message": _MESSAGE,
        "endpoint": ID,
        "event_type": text("invoice.paid", longest=100),
        "outcome": choice(*DELIVERY_OUTCOMES),
        "status_code": _STATUS,
        "attempts": number("1", most=1000),
        "at": moment(),
        "created_at": moment(default=None),
        "failure": _FAILURE,
        "payload": text('{"type":"invoice.paid"}', longest=200_000, default=None),
        "payload_until": moment(default=None),
        "due_at": moment(default=None),
    },
    DeliveryAttemptRecord: {
        "tenant": ID,
        "message": _MESSAGE,
        "endpoint": ID,
        "number": number("1", least=1, most=1000),
        "at": moment(),
        "took_ms": number("120", most=3_600_000, default=0),
        "status_code": _STATUS,
        "failure": _FAILURE,
        "error": text("connection refused", default=None),
    },
}


def outcome_of(status: int | None, failure: str | None) -> AttemptOutcome:
    """Return how an attempt ended, from its status or from what happened instead of one."""
    if status is None:
        return AttemptOutcome(failure or AttemptOutcome.TIMEOUT)
    return _SPECIAL.get(status) or _CLASSES.get(status // 100, AttemptOutcome.REFUSED)
