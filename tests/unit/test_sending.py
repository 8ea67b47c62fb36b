"""What an attempt makes of its delivery, its endpoint and its run; schedules, rates and what headers may say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.addressing import addressed, wants
from console.domain.buckets import BURST_SECONDS, taken, tokens_now
from console.domain.fingerprints import fingerprint_of, normalised
from console.domain.header_redaction import HIDDEN, redacted_headers
from console.domain.ids import DeliveryId, EndpointId, MessageId, RunId
from console.domain.replays import ItemState
from console.domain.retries import WaitRules, fraction_of, outcome_of_status, retry_after_of, run_wait, scheduled_wait
from console.domain.sending import (
    ENDPOINT_DISABLED,
    FAILING,
    GAVE_UP,
    GONE,
    RESEND_FAILED,
    TEST_FAILED,
    SendingRules,
    Tried,
    after_attempt,
    endpoint_after,
    handed_over,
    item_after,
    stops_batch,
)
from console.domain.webhooks import (
    AttemptOutcome,
    Bucket,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Message,
    MessageKind,
    Trigger,
)
from console.policy.sending import read_jobs, read_sending
from console.policy.tables import Table

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WAITS = WaitRules(
    retry_seconds=(5, 300, 1_800),
    retry_spread_percent=20,
    run_retry_seconds=(5, 30),
    slow_seconds=60,
    retry_after_most_percent=200,
)
RULES = SendingRules(
    waits=WAITS,
    run_failures_in_row=5,
    run_slice_seconds=2,
    breaker_failures=5,
    breaker_wait_seconds=60,
    breaker_longest_seconds=900,
    disable_after_hours=120,
    disable_failures=20,
    warn_percent=50,
    endpoint_rate_per_second=50,
    tenant_rate_per_second=200,
    batch_deliveries=50,
    batch_seconds=15,
    claim_seconds=60,
    payload_days=90,
)
ENDPOINT = Endpoint(
    id=EndpointId("whe_1"), url="https://a.example", description="", event_types=(), state=EndpointState.ACTIVE,
    because=None, rate_per_s=50, created_at=NOON, version=3,
)  # fmt: skip
CLAIMED = Delivery(
    id=DeliveryId("whd_1"), message=MessageId("msg_1"), endpoint=ENDPOINT.id, event_type="invoice.paid",
    state=DeliveryState.SENDING, created_at=NOON, due_at=NOON + timedelta(minutes=1), claimed_by="s1",
)  # fmt: skip
RUN = RunId("whr_1")
FAILURES = [each for each in AttemptOutcome if each not in {AttemptOutcome.SUCCESS, AttemptOutcome.INTERRUPTED}]
HARD = [each for each in FAILURES if each is not AttemptOutcome.GONE]


def tried(outcome: AttemptOutcome, **other: object) -> Tried:
    base = Tried(outcome=outcome, status=None, at=NOON, fingerprint="f")
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


@pytest.mark.parametrize("trigger", list(Trigger))
def test_a_success_ends_a_delivery_whatever_caused_the_attempt(trigger: Trigger) -> None:
    before = replace(CLAIMED, trigger=trigger, run=RUN if trigger is Trigger.BULK else None)
    after = after_attempt(RULES, before, tried(AttemptOutcome.SUCCESS, status=204, fingerprint=None))
    assert (after.state, after.due_at, after.run, after.claimed_by) == (DeliveryState.DELIVERED, None, None, None)
    assert (after.attempts, after.last_status, after.delivered_at) == (1, 204, NOON)
    later = tried(AttemptOutcome.SUCCESS, at=NOON + timedelta(days=1))
    again = after_attempt(RULES, replace(after, trigger=Trigger.RESEND), later)
    assert again.delivered_at == NOON  # when it first arrived


@pytest.mark.parametrize("outcome", HARD)
def test_the_schedule_goes_on_until_it_is_exhausted(outcome: AttemptOutcome) -> None:
    delivery = CLAIMED
    waits = []
    for _each in range(3):
        delivery = after_attempt(RULES, replace(delivery, state=DeliveryState.SENDING), tried(outcome))
        assert delivery.state is DeliveryState.RETRY_SCHEDULED
        assert delivery.due_at is not None
        waits.append((delivery.due_at - NOON).total_seconds())
    assert waits == sorted(waits)
    end = after_attempt(RULES, delivery, tried(outcome))
    assert (end.state, end.due_at, end.reason, end.tries) == (DeliveryState.EXHAUSTED, None, GAVE_UP, 4)


@pytest.mark.parametrize(("trigger", "reason"), [(Trigger.RESEND, RESEND_FAILED), (Trigger.TEST, TEST_FAILED)])
def test_what_was_sent_by_hand_is_not_retried(trigger: Trigger, reason: str) -> None:
    end = after_attempt(RULES, replace(CLAIMED, trigger=trigger), tried(AttemptOutcome.SERVER_ERROR))
    assert (end.state, end.due_at, end.reason) == (DeliveryState.EXHAUSTED, None, reason)
    arrived = replace(CLAIMED, trigger=trigger, delivered_at=NOON)
    assert after_attempt(RULES, arrived, tried(AttemptOutcome.SERVER_ERROR)).state is DeliveryState.DELIVERED


def test_an_interrupted_attempt_is_due_again_at_once_and_no_try() -> None:
    after = after_attempt(RULES, replace(CLAIMED, trigger=Trigger.RESEND), tried(AttemptOutcome.INTERRUPTED))
    assert (after.state, after.due_at, after.tries, after.attempts) == (DeliveryState.RETRY_SCHEDULED, NOON, 0, 1)
    assert after.trigger is Trigger.RESEND
    assert endpoint_after(RULES, ENDPOINT, tried(AttemptOutcome.INTERRUPTED)) == ENDPOINT


def test_gone_ends_the_delivery_and_disables_the_endpoint() -> None:
    assert after_attempt(RULES, CLAIMED, tried(AttemptOutcome.GONE)).reason == ENDPOINT_DISABLED
    after = endpoint_after(RULES, ENDPOINT, tried(AttemptOutcome.GONE))
    assert (after.state, after.because, after.disabled_at) == (EndpointState.DISABLED, GONE, NOON)
    assert stops_batch(RULES, after, tried(AttemptOutcome.GONE))


def test_a_run_tries_three_times_and_then_skips() -> None:
    delivery = handed_over(replace(CLAIMED, state=DeliveryState.EXHAUSTED, tries=8), Trigger.BULK, at=NOON, run=RUN)
    assert (delivery.tries, delivery.state, delivery.due_at, delivery.run) == (0, DeliveryState.QUEUED, NOON, RUN)
    states = []
    for _each in range(3):
        before, result = delivery, tried(AttemptOutcome.SERVER_ERROR)
        delivery = after_attempt(RULES, before, result)
        item = item_after(before, delivery, result)
        assert item is not None
        states.append((item.state, item.tries, item.reason))
    assert states == [
        (ItemState.RELEASED, 1, None), (ItemState.RELEASED, 2, None), (ItemState.SKIPPED, 3, "gave_up"),
    ]  # fmt: skip
    assert (delivery.state, delivery.run) == (DeliveryState.EXHAUSTED, None)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (AttemptOutcome.SUCCESS, (ItemState.SENT, None)),
        (AttemptOutcome.GONE, (ItemState.SKIPPED, "endpoint_disabled")),
        (AttemptOutcome.INTERRUPTED, None),
    ],
)
def test_an_item_follows_its_delivery(outcome: AttemptOutcome, expected: tuple[ItemState, str | None] | None) -> None:
    before = replace(CLAIMED, trigger=Trigger.BULK, run=RUN)
    item = item_after(before, after_attempt(RULES, before, tried(outcome)), tried(outcome))
    assert (None if item is None else (item.state, item.reason)) == expected
    assert item_after(CLAIMED, CLAIMED, tried(outcome)) is None  # no run holds it


@given(outcomes=st.lists(st.sampled_from(list(AttemptOutcome)), max_size=60), trigger=st.sampled_from(list(Trigger)))
def test_whatever_happens_a_delivery_ends_or_is_due(outcomes: list[AttemptOutcome], trigger: Trigger) -> None:
    delivery = replace(CLAIMED, trigger=trigger, run=RUN if trigger is Trigger.BULK else None)
    ends = {DeliveryState.DELIVERED, DeliveryState.EXHAUSTED, DeliveryState.SUPPRESSED}
    for number, outcome in enumerate(outcomes, start=1):
        delivery = after_attempt(RULES, delivery, tried(outcome))
        assert delivery.attempts == number
        assert (delivery.due_at is None) == (delivery.state in ends)
        assert delivery.state in ends or delivery.state is DeliveryState.RETRY_SCHEDULED
        assert (delivery.state is DeliveryState.DELIVERED) == (delivery.delivered_at is not None)
        if delivery.state in ends:
            assert delivery.run is None
            return


@given(
    tries=st.integers(1, 5), outcome=st.sampled_from(HARD), asked=st.none() | st.integers(0, 10**9),
    seed=st.text(max_size=20),
)  # fmt: skip
def test_a_wait_stays_within_what_was_planned(
    tries: int, outcome: AttemptOutcome, asked: int | None, seed: str
) -> None:
    wait = scheduled_wait(WAITS, tries=tries, outcome=outcome, retry_after_s=asked, seed=seed)
    if tries > 3:
        assert wait is None
        return
    assert wait is not None
    base = WAITS.retry_seconds[tries - 1]
    is_slow = outcome in {AttemptOutcome.SLOW_DOWN, AttemptOutcome.TIMEOUT}
    planned = max(base, 60) if is_slow else base
    least = max(base * 0.8, 60 if is_slow else 0, 0 if asked is None else planned)
    assert least - 0.001 <= wait.total_seconds() <= max(base * 1.2, planned * (2 if asked is not None else 1)) + 0.001


@pytest.mark.parametrize(("status", "is_slow"), [(502, True), (504, True), (500, False), (503, False)])
def test_what_an_overloaded_gateway_says_gives_time(status: int, is_slow: bool) -> None:
    said = tried(AttemptOutcome.SERVER_ERROR, status=status)
    after = after_attempt(RULES, CLAIMED, said)
    assert after.due_at is not None
    assert (after.due_at - NOON >= timedelta(seconds=60)) == is_slow
    assert stops_batch(RULES, ENDPOINT, said) == is_slow


def test_waits_are_spread_and_repeatable() -> None:
    waits = [
        scheduled_wait(WAITS, tries=2, outcome=AttemptOutcome.DNS, retry_after_s=None, seed=f"whd_{n}:2")
        for n in range(200)
    ]
    seconds = sorted(wait.total_seconds() for wait in waits if wait is not None)
    assert 240 <= seconds[0] < 250
    assert 350 < seconds[-1] <= 360
    assert fraction_of("same") == fraction_of("same")
    assert run_wait(WAITS, tries=3, outcome=AttemptOutcome.DNS, retry_after_s=None, seed="x") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("9" * 40, 10**9), ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0), ("Sat, 21 Nov 2026 12:00:30 -0000", 30), ("soon", None), ("-5", None),
        ("1.5", None), ("", None), (None, None), ("٣", None), ("Fri, 31 Dec 9999 99:99:99 GMT", None),
    ],
)  # fmt: skip
def test_it_reads_retry_after(value: str | None, expected: int | None) -> None:
    assert retry_after_of(value, now=NOON) == expected


@given(st.text(max_size=60))
def test_it_survives_any_retry_after(value: str) -> None:
    asked = retry_after_of(value, now=NOON)
    assert asked is None or asked >= 0


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "2xx"), (299, "2xx"), (301, "3xx"), (304, "3xx"), (400, "4xx"), (404, "4xx"), (410, "410"), (429, "429"),
     (500, "5xx"), (599, "5xx"), (101, "5xx"), (999, "5xx")],
)  # fmt: skip
def test_it_classifies_answers(status: int, outcome: str) -> None:
    assert outcome_of_status(status).value == outcome


def test_the_breaker_opens_doubles_and_closes() -> None:
    endpoint = ENDPOINT
    for number in range(1, 11):
        result = tried(AttemptOutcome.SERVER_ERROR)
        endpoint = endpoint_after(RULES, endpoint, result)
        assert stops_batch(RULES, endpoint, result) == (number >= 5)
        expected = None if number < 5 else NOON + timedelta(seconds=min(900, 60 * 2 ** (number - 5)))
        assert endpoint.breaker_until == expected
    assert endpoint.failures_in_row == 10
    healed = endpoint_after(RULES, endpoint, tried(AttemptOutcome.SUCCESS))
    assert (healed.breaker_until, healed.failures_in_row, healed.failing_since) == (None, 0, None)


def test_a_receiver_that_asks_for_time_gets_it_within_bounds() -> None:
    for asked, expected in ((None, 60), (5, 60), (300, 300), (10**9, 900)):
        after = endpoint_after(RULES, ENDPOINT, tried(AttemptOutcome.SLOW_DOWN, retry_after_s=asked))
        assert after.breaker_until == NOON + timedelta(seconds=expected)
    assert stops_batch(RULES, ENDPOINT, tried(AttemptOutcome.TIMEOUT))
    assert not stops_batch(RULES, ENDPOINT, tried(AttemptOutcome.REFUSED))


@pytest.mark.parametrize(
    ("failures", "hours", "state", "is_warned"),
    [
        (18, 200, EndpointState.ACTIVE, True),  # long enough, not often enough
        (19, 119, EndpointState.ACTIVE, True),  # often enough, not long enough
        (19, 120, EndpointState.DISABLED, False),
        (8, 60, EndpointState.ACTIVE, False),
        (9, 60, EndpointState.ACTIVE, True),
        (9, 59, EndpointState.ACTIVE, False),
    ],
)
def test_disabling_needs_a_duration_and_a_count(
    failures: int, hours: int, state: EndpointState, is_warned: bool
) -> None:
    failing = replace(ENDPOINT, failures_in_row=failures, failing_since=NOON - timedelta(hours=hours))
    after = endpoint_after(RULES, failing, tried(AttemptOutcome.TIMEOUT))
    assert (after.state, after.warned_at is not None) == (state, is_warned)
    assert after.because == (FAILING if state is EndpointState.DISABLED else None)
    told = replace(failing, warned_at=NOON - timedelta(days=1))
    assert endpoint_after(RULES, told, tried(AttemptOutcome.TIMEOUT)).warned_at == told.warned_at  # once


@given(
    rate=st.integers(1, 500),
    steps=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 300)), min_size=1, max_size=40),
)
def test_a_bucket_never_gives_more_than_its_rate(rate: int, steps: list[tuple[int, int]]) -> None:
    now, bucket, total = NOON, None, 0
    for milliseconds, wanted in steps:
        now += timedelta(milliseconds=milliseconds)
        bucket, granted = taken(bucket, rate_per_s=rate, wanted=wanted, now=now)
        assert 0 <= granted <= wanted
        total += granted
    assert total <= rate * (BURST_SECONDS + (now - NOON).total_seconds()) + 1


def test_a_bucket_does_not_mind_a_clock_that_went_back() -> None:
    bucket, granted = taken(Bucket(tokens=2_000, at=NOON), rate_per_s=1, wanted=5, now=NOON - timedelta(hours=1))
    assert (granted, bucket.at) == (2, NOON)
    assert tokens_now(bucket, rate_per_s=1, now=NOON) == 0


def test_failures_of_one_cause_share_a_fingerprint() -> None:
    one = fingerprint_of("webhook", "No answer from https://a.example/1 for whd_01jqk2m4n6p8r0t2v4x6z8a0b2 after 15 s")
    other = fingerprint_of("webhook", "No answer from https://b.example/2 for whd_9zzzzzzzzzzzzzzzzzzzzzzzzz after 3 s")
    assert one == other
    assert one != fingerprint_of("job", "No answer")
    assert normalised("Row 17 of 'x' at 0f8fad5b-d9cb-469f-a165-70867728950e: deadbeef01") == (
        "row <n> of <text> at <id>: <hex>"
    )


def test_it_hides_secrets_in_headers_and_cuts_the_rest() -> None:
    kept = redacted_headers(
        [("Authorization", "Bearer x"), ("Set-Cookie", "a=b"), ("X-Api-Key", "k"), ("My-Token", "t"),
         ("Date", "d" * 999),
         ("webhook-signature", "v1,x"), *((f"h{n}", "v") for n in range(100))]
    )  # fmt: skip
    assert [value for _name, value in kept[:4]] == [HIDDEN] * 4
    assert (len(kept[4][1]), kept[5][1], len(kept)) == (300, HIDDEN, 60)


def test_a_message_begins_by_the_state_of_its_endpoint() -> None:
    message = Message(
        id=MessageId("msg_1"), event_type="invoice.paid", kind=MessageKind.EVENT, payload=b"{}", created_at=NOON,
        expires_at=NOON,
    )  # fmt: skip
    found = {
        state: addressed(message, replace(ENDPOINT, state=state), id=DeliveryId("whd_2"), at=NOON)
        for state in EndpointState
    }
    assert {state: (each.state.value, each.reason, each.due_at) for state, each in found.items()} == {
        EndpointState.ACTIVE: ("queued", None, NOON),
        EndpointState.PAUSED: ("held", "endpoint_paused", None),
        EndpointState.DISABLED: ("suppressed", "endpoint_disabled", None),
        EndpointState.DELETED: ("suppressed", "endpoint_deleted", None),
    }


@pytest.mark.parametrize(
    ("types", "event_type", "expected"),
    [((), "a.b", True), (("a.b",), "a.b", True), (("a.b",), "a.bc", False), (("a.*",), "a.b", True),
     (("a.*",), "ab.c", False), (("x", "a.*"), "a.b.c", True)],
)  # fmt: skip
def test_an_endpoint_wants_what_it_subscribed_to(types: tuple[str, ...], event_type: str, expected: bool) -> None:
    assert wants(replace(ENDPOINT, event_types=types), event_type) is expected


def test_the_numbers_of_sending_are_checked_like_all_policy() -> None:
    faults: list[str] = []
    table = Table("policies/sending.toml", {"retry_seconds": [5, 0], "batch_seconds": "15"}, faults)
    assert read_jobs(table).lease_seconds == 1
    read_sending(table)
    assert any("retry_seconds = [5, 0] is wrong" in fault for fault in faults)
    assert any("batch_seconds = '15' is wrong" in fault for fault in faults)
    assert any("jobs is missing" in fault for fault in faults)
    assert any("payload_days is missing" in fault for fault in faults)
    assert (Path(__file__).parents[2] / "policies" / "sending.toml").exists()
