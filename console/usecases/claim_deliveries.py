"""Take one endpoint and a batch of what is due there, within its rates; what a vanished sender held comes free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.domain.buckets import taken
from console.domain.ids import MessageId
from console.domain.sending import SendingRules, Tried, after_attempt
from console.domain.tenancy import TenantScope
from console.domain.webhooks import (
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKey,
    EndpointState,
    Message,
)
from console.ports.sending import DueEndpoint
from console.ports.webhooks import Settled, WebhookBook
from console.usecases.house import House
from console.usecases.scopes import scope_of_sender
from console.usecases.written_tenant import written_tenant

_INTERRUPTED = "The sender stopped in the middle; nobody knows whether it arrived."


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one sender works off: an endpoint of its own until `until`, and deliveries as they stood before."""

    scope: TenantScope
    sender: str
    endpoint: Endpoint
    claimed: Sequence[Delivery]
    before: Mapping[str, Delivery]
    messages: Mapping[MessageId, Message]
    keys: Sequence[EndpointKey]
    until: datetime


def claimed_batch(house: House, due: DueEndpoint, *, sender: str) -> Batch | None:
    """Claim an endpoint and what may be sent to it now; None when there is nothing, or another sender has it."""
    now, rules = house.clock.now(), house.book.sending
    scope = scope_of_sender(due.tenant, due.plane, now=now)
    until = now + timedelta(seconds=rules.claim_seconds)
    with written_tenant(house, scope) as tenant:
        book = tenant.plane.webhooks
        is_mine = book.claim_endpoint(due.endpoint, by=sender, now=now, until=until)
        endpoint = book.endpoint(due.endpoint) if is_mine else None
        if endpoint is None:
            return None
        found = _sendable(house, book, endpoint, now=now)
        endpoint, granted = _within_rates(rules, book, endpoint, wanted=len(found), now=now)
        claimed = book.claim_deliveries(found[:granted], by=sender, until=until) if granted else ()
        if not claimed:
            book.release_endpoint(endpoint, by=sender)
            return None
        return Batch(
            scope=scope,
            sender=sender,
            endpoint=endpoint,
            claimed=claimed,
            before={each.id: each for each in found},
            messages=book.messages([each.message for each in claimed]),
            keys=book.keys(endpoint.id, now=now),
            until=until,
        )


def _sendable(house: House, book: WebhookBook, endpoint: Endpoint, *, now: datetime) -> Sequence[Delivery]:
    """Return what is due, oldest first: nothing while the breaker is open, one as a probe when it has just closed."""
    is_resting = endpoint.breaker_until is not None and endpoint.breaker_until > now
    if endpoint.state is not EndpointState.ACTIVE or is_resting:
        return ()
    limit = house.book.sending.batch_deliveries if endpoint.breaker_until is None else 1
    found = book.due(endpoint.id, now=now, limit=limit)
    lapsed = [each for each in found if each.state is DeliveryState.SENDING]
    if not lapsed:
        return found
    free_lapsed(house, book, lapsed, now=now)
    again = book.due(endpoint.id, now=now, limit=limit)
    return [each for each in again if each.state is not DeliveryState.SENDING]


def free_lapsed(house: House, book: WebhookBook, lapsed: Sequence[Delivery], *, now: datetime) -> None:
    """Write of each delivery whose sender vanished that nobody knows how it ended, and make it due again."""
    tried = Tried(outcome=AttemptOutcome.INTERRUPTED, status=None, at=now)
    for holder in dict.fromkeys(each.claimed_by or "" for each in lapsed):
        held = [each for each in lapsed if (each.claimed_by or "") == holder]
        results = [
            Settled(
                attempt=Attempt(
                    id=house.ids.new("wha"),
                    delivery=each.id,
                    endpoint=each.endpoint,
                    number=each.attempts + 1,
                    trigger=each.trigger,
                    run=each.run,
                    started_at=now,
                    took_ms=0,
                    outcome=tried.outcome,
                    status=None,
                    error=_INTERRUPTED,
                    keys=(),
                    sent_headers=(),
                    got_headers=(),
                    got_body=None,
                ),
                delivery=after_attempt(house.book.sending, each, tried),
            )
            for each in held
        ]
        book.settle(results, by=holder)


def _within_rates(
    rules: SendingRules, book: WebhookBook, endpoint: Endpoint, *, wanted: int, now: datetime
) -> tuple[Endpoint, int]:
    """Return the endpoint with its bucket used, and how many may be sent by its own rate and its tenant's."""
    if not wanted:
        return endpoint, 0
    whole = book.tenant_bucket()
    _bucket, by_endpoint = taken(endpoint.bucket, rate_per_s=endpoint.rate_per_s, wanted=wanted, now=now)
    whole, granted = taken(whole, rate_per_s=rules.tenant_rate_per_second, wanted=by_endpoint, now=now)
    own, granted = taken(endpoint.bucket, rate_per_s=endpoint.rate_per_s, wanted=granted, now=now)
    if granted:
        book.keep_tenant_bucket(whole)
    return replace(endpoint, bucket=own), granted
