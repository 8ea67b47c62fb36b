"""What imported endpoints, deliveries and attempts become: endpoint and key, message, delivery and attempt."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from console.domain.fingerprints import fingerprint_of
from console.domain.import_webhooks import outcome_of
from console.domain.imports import (
    DeliveryAttemptRecord,
    DeliveryRecord,
    WebhookEndpointRecord,
    attempt_id_of,
    delivery_id_of,
    endpoint_id_of,
    tenant_id_of,
    webhook_key_id_of,
)
from console.domain.webhooks import AttemptOutcome, DeliveryState, KeyAlgorithm, MessageKind, Trigger
from console.ports.sending import NewKey

_PAYLOAD_KEPT = timedelta(days=30)
_ASYMMETRIC = "whsk_"
_STATES = {"delivered": DeliveryState.DELIVERED, "failed": DeliveryState.EXHAUSTED, "pending": DeliveryState.QUEUED}


def endpoint_row(record: WebhookEndpointRecord) -> dict[str, Any]:
    """Return an endpoint as it is first stored."""
    is_disabled = record.state == "disabled"
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "id": endpoint_id_of(record.tenant, record.external_id),
        "url": record.url,
        "description": record.description,
        "event_types": list(record.event_types),
        "state": record.state,
        "because": "imported" if is_disabled else None,
        "rate_per_s": record.rate_per_s,
        "created_at": record.created_at,
        "version": 1,
        "disabled_at": (record.failing_since or record.created_at) if is_disabled else None,
        "failing_since": record.failing_since,
        "failures_in_row": 0,
    }


def key_row(
    record: WebhookEndpointRecord, *, seal: Callable[[str], NewKey], fingerprint: Callable[[str], str]
) -> dict[str, Any] | None:
    """Return the signing key of an endpoint, sealed, or None where it brings no secret. Raises: BadValueError."""
    if record.secret is None:
        return None
    sealed = seal(record.secret)
    is_asymmetric = record.secret.startswith(_ASYMMETRIC)
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "id": webhook_key_id_of(record.tenant, record.external_id, fingerprint(record.secret)),
        "endpoint": endpoint_id_of(record.tenant, record.external_id),
        "algorithm": (KeyAlgorithm.V1A if is_asymmetric else KeyAlgorithm.V1).value,
        "sealed": sealed.sealed,
        "public": sealed.public,
        "created_at": record.created_at,
        "expires_at": None,
    }


def message_row(record: DeliveryRecord) -> dict[str, Any]:
    """Return the message of a delivery; one without a payload counts as expired from the beginning."""
    created_at = record.created_at or record.at
    kept_until = record.payload_until or created_at + _PAYLOAD_KEPT
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "id": record.message,
        "event_type": record.event_type,
        "kind": MessageKind.EVENT.value,
        "payload": None if record.payload is None else record.payload.encode(),
        "created_at": created_at,
        "expires_at": created_at if record.payload is None else kept_until,
        "fanned_at": created_at,
    }


def delivery_row(record: DeliveryRecord) -> dict[str, Any]:
    """Return a delivery as it stood with the product."""
    outcome = outcome_of(record.status_code, record.failure) if record.attempts else None
    is_failed = outcome not in {None, AttemptOutcome.SUCCESS}
    state = _STATES[record.outcome]
    if record.outcome == "pending" and record.attempts:
        state = DeliveryState.RETRY_SCHEDULED
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "id": delivery_id_of(record.tenant, record.message, record.endpoint),
        "message": record.message,
        "endpoint": endpoint_id_of(record.tenant, record.endpoint),
        "event_type": record.event_type,
        "state": state.value,
        "created_at": record.created_at or record.at,
        "due_at": record.due_at if record.outcome == "pending" else None,
        "trigger": Trigger.SCHEDULED.value,
        "attempts": record.attempts,
        "tries": record.attempts,
        "reason": None,
        "last_outcome": None if outcome is None else outcome.value,
        "last_status": record.status_code,
        "last_at": record.at if record.attempts else None,
        "delivered_at": record.at if record.outcome == "delivered" else None,
        "fingerprint": fingerprint_of(outcome.value, str(record.status_code or "")) if outcome and is_failed else None,
        "version": 1,
    }


def last_attempt_row(record: DeliveryRecord) -> dict[str, Any] | None:
    """Return the attempt that a delivery brings with it, or None where there was none."""
    if not record.attempts:
        return None
    return attempt_row(
        DeliveryAttemptRecord(
            tenant=record.tenant, message=record.message, endpoint=record.endpoint, number=record.attempts,
            at=record.at, status_code=record.status_code, failure=record.failure,
        )
    )  # fmt: skip


def attempt_row(record: DeliveryAttemptRecord) -> dict[str, Any]:
    """Return one earlier attempt."""
    return {
        "tenant_id": tenant_id_of(record.tenant),
        "id": attempt_id_of(record.tenant, record.message, record.endpoint, number=record.number),
        "delivery": delivery_id_of(record.tenant, record.message, record.endpoint),
        "endpoint": endpoint_id_of(record.tenant, record.endpoint),
        "number": record.number,
        "trigger": Trigger.SCHEDULED.value,
        "run": None,
        "started_at": record.at,
        "took_ms": record.took_ms,
        "outcome": outcome_of(record.status_code, record.failure).value,
        "status": record.status_code,
        "error": record.error,
        "keys": [],
        "sent_headers": [],
        "got_headers": [],
        "got_body": None,
    }
