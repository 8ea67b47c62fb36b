"""Webhooks of demo tenants: endpoints, what they were told, and the night in which Acme's endpoint was down."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b

from console.adapters.demo.receiver import RECEIVER_URL
from console.adapters.demo.sketches import Sketch
from console.domain.imports import DeliveryAttemptRecord, DeliveryRecord, WebhookEndpointRecord

WebhookRecord = WebhookEndpointRecord | DeliveryRecord | DeliveryAttemptRecord

MAIN, ANALYTICS, RETIRED = "main", "analytics", "retired"
MISSED = 412  # deliveries that gave up during the outage
UNSUBSCRIBED, EXPIRED, FLAPPED = 6, 5, 28  # of those: no longer subscribed, payload gone; and some that did get through
OUTAGE_HOURS = 3
_EVENTS = ("invoice.paid", "invoice.created", "member.joined", "project.updated", "usage.threshold_reached")
_SUBSCRIBED = ("invoice.*", "member.*", "project.updated", "usage.threshold_reached")
_DROPPED_EVENT = "project.archived"
_TRIES = (timedelta(0), timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=4))
_USUAL = timedelta(minutes=3)
_USUAL_HOURS = 30
_RETIRED_DAYS = 9


def outage_began(now: datetime) -> datetime:
    """Return the last 02:00 UTC since when more than three hours and a quarter have passed."""
    at = now.replace(hour=2, minute=0, second=0, microsecond=0)
    return at if now - at >= timedelta(hours=OUTAGE_HOURS, minutes=15) else at - timedelta(days=1)


def webhooks(sketch: Sketch, *, now: datetime, receiver: str = RECEIVER_URL) -> Iterator[WebhookRecord]:
    """Yield a tenant's endpoints and newest deliveries; one endpoint in twelve is down, Acme's was."""
    if sketch.index == 0:
        yield from _acme(sketch, now=now, receiver=receiver)
        return
    if sketch.plan == "free":
        return
    dice = sketch.draw("delivery")
    is_down = dice.random() < 1 / 12
    first = now - timedelta(minutes=7 + 6 * 53, seconds=3000)
    yield _endpoint(
        sketch, MAIN, url=f"https://hooks.{sketch.domain}/in", failing_since=max(first, sketch.created_at)
        if is_down else None,
    )  # fmt: skip
    for number in range(3 + int(dice.random() * 4)):
        is_failed = is_down or dice.random() < 0.03
        event = _EVENTS[int(dice.random() * len(_EVENTS))]
        at = now - timedelta(minutes=7 + number * 53, seconds=int(dice.random() * 3000))
        yield DeliveryRecord(
            tenant=sketch.external_id,
            message=f"msg_{sketch.index:07d}{number:02d}{sketch.seed & 0xFFFFFF:06x}",
            endpoint=MAIN,
            event_type=event,
            outcome="failed" if is_failed else "delivered",
            status_code=(503 if dice.random() < 0.7 else None) if is_failed else 200,
            attempts=5 if is_failed else 1,
            at=at,
            payload=_payload(sketch, event, number, at=at),
        )


def _acme(sketch: Sketch, *, now: datetime, receiver: str) -> Iterator[WebhookRecord]:
    yield _endpoint(
        sketch, MAIN, url=f"{receiver}/acme/orders", description="Orders and invoices", event_types=_SUBSCRIBED
    )
    yield _endpoint(
        sketch, ANALYTICS, url=f"{receiver}/acme/analytics", description="Analytics", event_types=("usage.*",)
    )
    retired_at = now - timedelta(days=_RETIRED_DAYS)
    yield _endpoint(
        sketch, RETIRED, url="https://shop.acme.example/hooks", description="Old shop", state="disabled",
        failing_since=retired_at,
    )  # fmt: skip
    yield from _usual(sketch, now=now)
    yield from _missed(sketch, began=outage_began(now), now=now)
    for number in range(4):
        at = retired_at + timedelta(hours=number)
        yield _delivery(
            sketch, f"msg_acme0retired{number:02d}", RETIRED, "invoice.paid", at=at, number=number, status=410
        )


def _usual(sketch: Sketch, *, now: datetime) -> Iterator[WebhookRecord]:
    """Yield what arrived around the outage: every few minutes something, now and then after a second try."""
    began = outage_began(now)
    ended = began + timedelta(hours=OUTAGE_HOURS)
    count = int(timedelta(hours=_USUAL_HOURS) / _USUAL)
    for number in range(count):
        at = now - _USUAL * (number + 1)
        if began <= at < ended:
            continue
        event = _EVENTS[number % len(_EVENTS)]
        message = f"msg_acme0usual{number:05d}"
        yield _delivery(sketch, message, MAIN, event, at=at, number=number)
        if event.startswith("usage."):
            yield _delivery(sketch, message, ANALYTICS, event, at=at, number=number)


def _missed(sketch: Sketch, *, began: datetime, now: datetime) -> Iterator[WebhookRecord]:
    """Yield the outage: server errors at first, then nobody there, at last answers that came too late."""
    span = timedelta(hours=OUTAGE_HOURS) - _TRIES[-1] - timedelta(minutes=2)
    for number in range(MISSED):
        at = began + span * number / MISSED
        share = number / MISSED
        status, failure = (503, None) if share < 0.25 else (None, "connect") if share < 0.85 else (None, "timeout")
        is_dropped = number % (MISSED // UNSUBSCRIBED) == 30
        event = _DROPPED_EVENT if is_dropped else _EVENTS[number % len(_EVENTS)]
        is_expired = number % (MISSED // EXPIRED) == 40
        yield _delivery(
            sketch, f"msg_acme0night{number:05d}", MAIN, event, at=at, number=number, status=status, failure=failure,
            attempts=len(_TRIES), payload_until=now - timedelta(hours=1) if is_expired else None,
        )  # fmt: skip
        yield from _earlier_tries(sketch, f"msg_acme0night{number:05d}", at=at, status=status, failure=failure)
    for number in range(FLAPPED):
        at = began + timedelta(minutes=20, seconds=20 * number)
        event = _EVENTS[number % len(_EVENTS)]
        yield _delivery(sketch, f"msg_acme0flap{number:05d}", MAIN, event, at=at, number=number)


def _earlier_tries(
    sketch: Sketch, message: str, *, at: datetime, status: int | None, failure: str | None
) -> Iterator[DeliveryAttemptRecord]:
    for number, wait in enumerate(_TRIES[:-1], start=1):
        yield DeliveryAttemptRecord(
            tenant=sketch.external_id,
            message=message,
            endpoint=MAIN,
            number=number,
            at=at + wait,
            took_ms=15_000 if failure == "timeout" else 40,
            status_code=status,
            failure=failure,
            error={"connect": "connection refused", "timeout": "no answer within 15 s"}.get(failure or ""),
        )


def _endpoint(
    sketch: Sketch,
    external_id: str,
    *,
    url: str,
    description: str = "",
    event_types: tuple[str, ...] = (),
    state: str = "active",
    failing_since: datetime | None = None,
) -> WebhookEndpointRecord:
    secret = blake2b(f"{sketch.seed}:{external_id}".encode(), digest_size=32).digest()
    return WebhookEndpointRecord(
        tenant=sketch.external_id,
        external_id=external_id,
        url=url,
        created_at=sketch.created_at,
        description=description,
        event_types=event_types,
        state=state,
        failing_since=failing_since,
        secret=f"whsec_{b64encode(secret).decode()}",
    )


def _delivery(
    sketch: Sketch,
    message: str,
    endpoint: str,
    event: str,
    *,
    at: datetime,
    number: int,
    status: int | None = 200,
    failure: str | None = None,
    attempts: int = 1,
    payload_until: datetime | None = None,
) -> DeliveryRecord:
    is_failed = status != 200
    return DeliveryRecord(
        tenant=sketch.external_id,
        message=message,
        endpoint=endpoint,
        event_type=event,
        outcome="failed" if is_failed else "delivered",
        status_code=status,
        failure=failure,
        attempts=attempts,
        at=at + (_TRIES[-1] if attempts > 1 else timedelta(0)),
        created_at=at,
        payload=_payload(sketch, event, number, at=at),
        payload_until=payload_until,
    )


def _payload(sketch: Sketch, event: str, number: int, *, at: datetime) -> str:
    noun = event.partition(".")[0]
    person = {"name": f"Contact {number % 40 + 1}", "email": f"contact{number % 40 + 1}@{sketch.domain}"}
    data: dict[str, object] = {"object": noun, "id": f"{noun[:3]}_{sketch.index:05d}{number:05d}"}
    if noun == "invoice":
        data |= {"number": f"INV-{at:%Y}-{number:06d}", "amount_minor": 4_900 + number, "currency": "EUR",
                 "billed_to": person}  # fmt: skip
    elif noun == "member":
        data |= {"member": person, "role": "member"}
    else:
        data |= {"status": "changed", "changed_by": person}
    return json.dumps({"type": event, "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}", "data": data}, separators=(",", ":"))
