"""The sender: works off what is due, one endpoint at a time, and settles each batch in one transaction."""

from datetime import datetime, timedelta
from zlib import crc32

from console.domain.errors import ConsoleError
from console.domain.fingerprints import fingerprint_of
from console.domain.header_redaction import redacted_headers
from console.domain.redaction import redacted_text
from console.domain.retries import retry_after_of
from console.domain.sending import Tried, after_attempt, endpoint_after, stops_batch
from console.domain.webhooks import Attempt, AttemptOutcome, Delivery
from console.ports.sending import Answer, DueEndpoint
from console.ports.webhooks import Settled
from console.usecases.claim_deliveries import Batch, claimed_batch
from console.usecases.house import House
from console.usecases.settle_batch import Tally, settle_batch

_ENDPOINTS = 64
_AGENT = "Sallyport-Webhooks/1"


def send_due(house: House, *, sender: str) -> int:
    """Work off each endpoint that has something due once and return how many attempts were made.

    Shape: `sender` names one thread of one process; several start at different places of the same list.
    """
    due = house.webhook_fleet.due(house.clock.now(), limit=_ENDPOINTS)
    start = crc32(sender.encode()) % len(due) if due else 0
    return sum(send_endpoint(house, each, sender=sender) for each in (*due[start:], *due[:start]))


def send_endpoint(house: House, due: DueEndpoint, *, sender: str) -> int:
    """Send one batch to one endpoint and return how many attempts were made."""
    batch = claimed_batch(house, due, sender=sender)
    if batch is None:
        return 0
    tally = _sent(house, batch)
    settle_batch(house, batch, tally)
    return len(tally.results)


def _sent(house: House, batch: Batch) -> Tally:
    """Send in order until the time of a batch is over or the endpoint had better be left alone."""
    rules = house.book.sending
    stop_at = house.clock.now() + timedelta(seconds=rules.batch_seconds)
    endpoint = batch.endpoint
    results: list[Settled] = []
    tries: list[Tried] = []
    expired: list[Delivery] = []
    is_over = False
    for place, delivery in enumerate(batch.claimed):
        if is_over:
            return Tally(endpoint, results, tries, expired, batch.claimed[place:])
        message = batch.messages.get(delivery.message)
        if message is None or message.payload is None:
            expired.append(delivery)
            continue
        settled, tried = _attempt(house, batch, delivery, message.payload)
        results.append(settled)
        tries.append(tried)
        endpoint = endpoint_after(rules, endpoint, tried)
        is_over = stops_batch(rules, endpoint, tried) or tried.at >= stop_at
    return Tally(endpoint, results, tries, expired, ())


def _attempt(house: House, batch: Batch, delivery: Delivery, payload: bytes) -> tuple[Settled, Tried]:
    started_at = house.clock.now()
    headers = {"content-type": "application/json", "user-agent": _AGENT}
    try:
        headers |= house.webhook_keys.headers(batch.keys, message=delivery.message, at=started_at, body=payload)
    except ConsoleError as unsigned:  # no key, or one that was sealed elsewhere: it must not leave unsigned
        answer = Answer(outcome=AttemptOutcome.CONNECT, status=None, took_ms=0, error=f"Not signed: {unsigned}")
    else:
        answer = house.outbound.post(batch.endpoint.url, headers=headers, body=payload)
    tried = _tried(answer, at=house.clock.now())
    attempt = Attempt(
        id=house.ids.new("wha"),
        delivery=delivery.id,
        endpoint=delivery.endpoint,
        number=delivery.attempts + 1,
        trigger=delivery.trigger,
        run=delivery.run,
        started_at=started_at,
        took_ms=answer.took_ms,
        outcome=answer.outcome,
        status=answer.status,
        error=None if answer.error is None else redacted_text(answer.error),
        keys=tuple(key.id for key in batch.keys),
        sent_headers=redacted_headers(headers.items()),
        got_headers=answer.headers,
        got_body=None if answer.body is None else redacted_text(answer.body),
    )
    return Settled(attempt=attempt, delivery=after_attempt(house.book.sending, delivery, tried)), tried


def _tried(answer: Answer, *, at: datetime) -> Tried:
    if answer.outcome is AttemptOutcome.SUCCESS:
        return Tried(outcome=answer.outcome, status=answer.status, at=at)
    asked = next((value for name, value in answer.headers if name == "retry-after"), None)
    said = answer.error or f"{answer.status}"
    return Tried(
        outcome=answer.outcome,
        status=answer.status,
        at=at,
        retry_after_s=retry_after_of(asked, now=at),
        fingerprint=fingerprint_of(f"{answer.outcome.value} {answer.status or ''}", said),
    )
