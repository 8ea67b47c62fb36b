"""Rows of webhooks as the domain knows them, and back."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from console.domain.ids import DeliveryId, EndpointId, MessageId, RunId
from console.domain.webhooks import (
    Attempt,
    AttemptOutcome,
    Bucket,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKey,
    EndpointState,
    KeyAlgorithm,
    Message,
    MessageKind,
    Trigger,
)
from console.storage.webhook_tables import AttemptRow, DeliveryRow, EndpointKeyRow, EndpointRow, MessageRow


def shown_endpoint(row: EndpointRow) -> Endpoint:
    """Return an endpoint."""
    has_bucket = row.bucket_tokens is not None and row.bucket_at is not None
    return Endpoint(
        id=EndpointId(row.id),
        url=row.url,
        description=row.description,
        event_types=tuple(row.event_types),
        state=EndpointState(row.state),
        because=row.because,
        rate_per_s=row.rate_per_s,
        created_at=row.created_at,
        version=row.version,
        disabled_at=row.disabled_at,
        failing_since=row.failing_since,
        failures_in_row=row.failures_in_row,
        warned_at=row.warned_at,
        breaker_until=row.breaker_until,
        bucket=Bucket(tokens=row.bucket_tokens or 0, at=row.bucket_at or row.created_at) if has_bucket else None,
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
    )


HEALTH = ("failing_since", "failures_in_row", "warned_at", "breaker_until", "bucket_tokens", "bucket_at")


def health_values(endpoint: Endpoint) -> dict[str, Any]:
    """Return what a sender's judgement moves; the names are HEALTH."""
    return {
        "failing_since": endpoint.failing_since,
        "failures_in_row": endpoint.failures_in_row,
        "warned_at": endpoint.warned_at,
        "breaker_until": endpoint.breaker_until,
        "bucket_tokens": None if endpoint.bucket is None else endpoint.bucket.tokens,
        "bucket_at": None if endpoint.bucket is None else endpoint.bucket.at,
    }


def endpoint_values(endpoint: Endpoint) -> dict[str, Any]:
    """Return all that may change of an endpoint, but its claim and version."""
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "state": endpoint.state.value,
        "because": endpoint.because,
        "rate_per_s": endpoint.rate_per_s,
        "disabled_at": endpoint.disabled_at,
        **health_values(endpoint),
    }


def shown_key(row: EndpointKeyRow) -> EndpointKey:
    """Return a signing key."""
    return EndpointKey(
        id=row.id,
        endpoint=EndpointId(row.endpoint),
        algorithm=KeyAlgorithm(row.algorithm),
        sealed=row.sealed,
        public=row.public,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def shown_message(row: MessageRow) -> Message:
    """Return a message."""
    return Message(
        id=MessageId(row.id),
        event_type=row.event_type,
        kind=MessageKind(row.kind),
        payload=None if row.payload is None else bytes(row.payload),
        created_at=row.created_at,
        expires_at=row.expires_at,
        replay_of=None if row.replay_of is None else MessageId(row.replay_of),
        subject=row.subject,
    )


def shown_delivery(row: DeliveryRow | Row[*tuple[Any, ...]]) -> Delivery:
    """Return a delivery."""
    return Delivery(
        id=DeliveryId(row.id),
        message=MessageId(row.message),
        endpoint=EndpointId(row.endpoint),
        event_type=row.event_type,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        trigger=Trigger(row.trigger),
        attempts=row.attempts,
        tries=row.tries,
        reason=row.reason,
        last_outcome=None if row.last_outcome is None else AttemptOutcome(row.last_outcome),
        last_status=row.last_status,
        last_at=row.last_at,
        delivered_at=row.delivered_at,
        fingerprint=row.fingerprint,
        run=None if row.run is None else RunId(row.run),
        claimed_by=row.claimed_by,
        version=row.version,
    )


def moving_values(delivery: Delivery) -> dict[str, Any]:
    """Return the fields of a delivery that move, but its version."""
    return {
        "state": delivery.state.value,
        "due_at": delivery.due_at,
        "trigger": delivery.trigger.value,
        "attempts": delivery.attempts,
        "tries": delivery.tries,
        "reason": delivery.reason,
        "last_outcome": None if delivery.last_outcome is None else delivery.last_outcome.value,
        "last_status": delivery.last_status,
        "last_at": delivery.last_at,
        "delivered_at": delivery.delivered_at,
        "fingerprint": delivery.fingerprint,
        "run": delivery.run,
        "claimed_by": delivery.claimed_by,
    }


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Return a whole delivery as it is first stored."""
    return {
        "id": delivery.id,
        "message": delivery.message,
        "endpoint": delivery.endpoint,
        "event_type": delivery.event_type,
        "created_at": delivery.created_at,
        "version": delivery.version,
        **moving_values(delivery),
    }


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as it is stored."""
    return {
        "id": attempt.id,
        "delivery": attempt.delivery,
        "endpoint": attempt.endpoint,
        "number": attempt.number,
        "trigger": attempt.trigger.value,
        "run": attempt.run,
        "started_at": attempt.started_at,
        "took_ms": attempt.took_ms,
        "outcome": attempt.outcome.value,
        "status": attempt.status,
        "error": attempt.error,
        "keys": list(attempt.keys),
        "sent_headers": [list(pair) for pair in attempt.sent_headers],
        "got_headers": [list(pair) for pair in attempt.got_headers],
        "got_body": attempt.got_body,
    }


def shown_attempt(row: AttemptRow) -> Attempt:
    """Return an attempt."""
    return Attempt(
        id=row.id,
        delivery=DeliveryId(row.delivery),
        endpoint=EndpointId(row.endpoint),
        number=row.number,
        trigger=Trigger(row.trigger),
        run=None if row.run is None else RunId(row.run),
        started_at=row.started_at,
        took_ms=row.took_ms,
        outcome=AttemptOutcome(row.outcome),
        status=row.status,
        error=row.error,
        keys=tuple(row.keys),
        sent_headers=_pairs(row.sent_headers),
        got_headers=_pairs(row.got_headers),
        got_body=row.got_body,
    )


def _pairs(stored: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in stored)
