"""What an attempt makes of its delivery, its endpoint and its place in a bulk replay; no clock, no dice."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from console.domain.ids import RunId
from console.domain.replays import Excluded, ItemState
from console.domain.retries import WaitRules, is_slow, run_wait, scheduled_wait
from console.domain.webhooks import AttemptOutcome, Delivery, DeliveryState, Endpoint, EndpointState, Trigger

GAVE_UP = "gave_up"
RESEND_FAILED = "resend_failed"
TEST_FAILED = "test_failed"
REEMITTED = "reemitted"
ENDPOINT_DISABLED = "endpoint_disabled"
GONE = "gone"
FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingRules:
    """Numbers of sending. Units: in each name. Source: policies/sending.toml."""

    waits: WaitRules
    run_failures_in_row: int
    run_slice_seconds: int
    breaker_failures: int
    breaker_wait_seconds: int
    breaker_longest_seconds: int
    disable_after_hours: int
    disable_failures: int
    warn_percent: int
    endpoint_rate_per_second: int
    tenant_rate_per_second: int
    batch_deliveries: int
    batch_seconds: int
    claim_seconds: int
    payload_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How one attempt ended. Units: `retry_after_s` seconds, as the receiver asked."""

    outcome: AttemptOutcome
    status: int | None
    at: datetime
    retry_after_s: int | None = None
    fingerprint: str | None = None

    @property
    def is_success(self) -> bool:
        """Return whether the receiver took the message."""
        return self.outcome is AttemptOutcome.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAfter:
    """Where an attempt leaves an item of a bulk replay."""

    state: ItemState
    tries: int
    reason: str | None = None


def handed_over(delivery: Delivery, trigger: Trigger, *, at: datetime, run: RunId | None = None) -> Delivery:
    """Return a delivery that the sender takes next, by hand or for a run; a pending automatic retry is superseded."""
    return replace(
        delivery,
        state=DeliveryState.QUEUED,
        due_at=at,
        trigger=trigger,
        run=run,
        tries=0,
        reason=None,
    )


def told_anew(delivery: Delivery) -> Delivery:
    """Return a waiting delivery whose event goes out under a new message id instead; its own retry is superseded."""
    return _ended(delivery, DeliveryState.CANCELLED, REEMITTED)


def after_attempt(rules: SendingRules, delivery: Delivery, tried: Tried) -> Delivery:
    """Return a delivery as an attempt leaves it.

    1 taken · 2 nobody knows: again at once · 3 gone for good · 4 within a run · 5 by hand: once · 6 on schedule
    """
    if tried.is_success:  # 1, by far the most, so it is made at once
        return replace(
            delivery,
            **_counted(delivery, tried),
            tries=delivery.tries + 1,
            state=DeliveryState.DELIVERED,
            due_at=None,
            reason=None,
            run=None,
            delivered_at=delivery.delivered_at or tried.at,
        )
    counted = replace(delivery, **_counted(delivery, tried))
    if tried.outcome is AttemptOutcome.INTERRUPTED:  # 2: not the receiver's fault, therefore no try of the schedule
        return replace(counted, state=DeliveryState.RETRY_SCHEDULED, due_at=tried.at)
    counted = replace(counted, tries=delivery.tries + 1)
    if tried.outcome is AttemptOutcome.GONE:  # 3
        return _ended(counted, DeliveryState.SUPPRESSED, ENDPOINT_DISABLED)
    if delivery.trigger in {Trigger.RESEND, Trigger.TEST}:  # 5
        reason = RESEND_FAILED if delivery.trigger is Trigger.RESEND else TEST_FAILED
        return _ended(counted, DeliveryState.EXHAUSTED, reason)
    seed = f"{delivery.id}:{counted.tries}"
    find = scheduled_wait if delivery.run is None else run_wait  # 4 and 6
    wait = find(
        rules.waits,
        tries=counted.tries,
        outcome=tried.outcome,
        status=tried.status,
        retry_after_s=tried.retry_after_s,
        seed=seed,
    )
    if wait is None:
        return _ended(counted, DeliveryState.EXHAUSTED, GAVE_UP)
    return replace(counted, state=DeliveryState.RETRY_SCHEDULED, due_at=tried.at + wait)


def _counted(delivery: Delivery, tried: Tried) -> dict[str, Any]:
    """Return what every attempt changes."""
    return {
        "attempts": delivery.attempts + 1,
        "last_outcome": tried.outcome,
        "last_status": tried.status,
        "last_at": tried.at,
        "fingerprint": tried.fingerprint,
        "claimed_by": None,
    }


def _ended(delivery: Delivery, state: DeliveryState, reason: str) -> Delivery:
    """Return a delivery that nobody tries again; one that had arrived before stays delivered."""
    if delivery.delivered_at is not None:
        return replace(delivery, state=DeliveryState.DELIVERED, due_at=None, reason=None, run=None)
    return replace(delivery, state=state, due_at=None, reason=reason, run=None)


def item_after(before: Delivery, after: Delivery, tried: Tried) -> ItemAfter | None:
    """Return where an attempt leaves the item of the run that holds a delivery; None when no run does."""
    if before.run is None or tried.outcome is AttemptOutcome.INTERRUPTED:
        return None
    if tried.is_success:
        return ItemAfter(state=ItemState.SENT, tries=after.tries)
    if after.run is not None:
        return ItemAfter(state=ItemState.RELEASED, tries=after.tries)
    is_gone = tried.outcome is AttemptOutcome.GONE
    reason = Excluded.ENDPOINT_DISABLED if is_gone else Excluded.GAVE_UP
    return ItemAfter(state=ItemState.SKIPPED, tries=after.tries, reason=reason.value)


def endpoint_after(rules: SendingRules, endpoint: Endpoint, tried: Tried) -> Endpoint:
    """Return an endpoint's health after an attempt: counters, breaker, warning, and whether it is disabled by itself.

    Shape: disabling needs a duration and a count; the warning comes at a part of both.
    """
    if tried.outcome is AttemptOutcome.INTERRUPTED:
        return endpoint
    if tried.is_success:
        troubles = (endpoint.failing_since, endpoint.failures_in_row, endpoint.warned_at, endpoint.breaker_until)
        if not any(troubles):
            return endpoint
        return replace(endpoint, failing_since=None, failures_in_row=0, warned_at=None, breaker_until=None)
    failed = replace(
        endpoint,
        failing_since=endpoint.failing_since or tried.at,
        failures_in_row=endpoint.failures_in_row + 1,
    )
    failed = replace(failed, breaker_until=breaker_until(rules, failed, tried))
    if tried.outcome is AttemptOutcome.GONE:
        return _disabled(failed, GONE, tried.at)
    if _fails(rules, failed, tried.at, percent=100):
        return _disabled(failed, FAILING, tried.at)
    if failed.warned_at is None and _fails(rules, failed, tried.at, percent=rules.warn_percent):
        return replace(failed, warned_at=tried.at)
    return failed


def breaker_until(rules: SendingRules, failed: Endpoint, tried: Tried) -> datetime | None:
    """Return until when a failing endpoint is left alone: twice as long with each failure after the first ones."""
    over = failed.failures_in_row - rules.breaker_failures
    if over >= 0:
        wait = min(rules.breaker_longest_seconds, rules.breaker_wait_seconds * 2 ** min(over, 20))
        opened = tried.at + timedelta(seconds=wait)
    else:
        opened = tried.at
    if tried.outcome is AttemptOutcome.SLOW_DOWN:
        wait = min(max(tried.retry_after_s or 0, rules.waits.slow_seconds), rules.breaker_longest_seconds)
        opened = max(opened, tried.at + timedelta(seconds=wait))
    return opened if opened > tried.at else None


def stops_batch(rules: SendingRules, endpoint: Endpoint, tried: Tried) -> bool:
    """Return whether the rest of a batch had better wait: the breaker is open, or the receiver is slow."""
    if endpoint.state is not EndpointState.ACTIVE or is_slow(tried.outcome, tried.status):
        return True
    return endpoint.breaker_until is not None and endpoint.breaker_until > tried.at


def _disabled(endpoint: Endpoint, because: str, at: datetime) -> Endpoint:
    return replace(endpoint, state=EndpointState.DISABLED, because=because, disabled_at=at, breaker_until=None)


def _fails(rules: SendingRules, endpoint: Endpoint, at: datetime, *, percent: int) -> bool:
    lasts = at - (endpoint.failing_since or at) >= timedelta(hours=rules.disable_after_hours) * percent / 100
    return lasts and endpoint.failures_in_row * 100 >= rules.disable_failures * percent
