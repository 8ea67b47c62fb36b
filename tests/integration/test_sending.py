"""The sender on real databases, beside the control store and far away: claims, rates, health, and its traces."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.adapters.webhook_keys import SealedWebhookKeys
from console.domain.addressing import addressed
from console.domain.ids import SHARED_PLANE, DeliveryId, EndpointId, MessageId
from console.domain.jobs import JobState
from console.domain.search_terms import understood
from console.domain.webhooks import (
    AttemptOutcome,
    DeliveryState,
    Endpoint,
    EndpointState,
    Message,
    MessageKind,
    Trigger,
)
from console.ports.sending import Answer, DueEndpoint
from console.usecases import fan_out as fan_out_module
from console.usecases.claim_deliveries import claimed_batch
from console.usecases.expire_payloads import expire_payloads
from console.usecases.fan_out import fan_out
from console.usecases.job_outcomes import Again, Done
from console.usecases.send_deliveries import _sent, send_due, send_endpoint
from console.usecases.settle_batch import settle_batch
from tests.databases import ENGINES, HandClock
from tests.integration.sending_world import SECRETS, Ground
from tests.integration.stage import FAR, Stage, new_urls, opened_stage, rows, settle_in, tenant

OK = Answer(outcome=AttemptOutcome.SUCCESS, status=200, took_ms=1)
FAIL = Answer(outcome=AttemptOutcome.SERVER_ERROR, status=500, took_ms=2, body="no", headers=(("server", "x"),))
SLOW = Answer(outcome=AttemptOutcome.SLOW_DOWN, status=429, took_ms=2, headers=(("retry-after", "90"),))
GONE = Answer(outcome=AttemptOutcome.GONE, status=410, took_ms=1)
URL = "https://receiver.example/hooks"


@dataclass
class Wire:
    """Answers as told, and lets time pass with each request."""

    clock: HandClock
    answers: list[Answer] = field(default_factory=list)
    then: Answer = OK
    sent: list[str] = field(default_factory=list)
    takes_s: float = 0.0
    meanwhile: Callable[[], object] | None = None
    by_url: dict[str, Answer] = field(default_factory=dict)

    def fault_of(self, _url: str) -> str | None:
        return None

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.sent.append(headers["webhook-id"])
        self.clock.pass_by(seconds=self.takes_s)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return self.answers.pop(0) if self.answers else self.by_url.get(url, self.then)


@dataclass
class Bench:
    """A tenant, the wire to its receivers, and the clock."""

    stage: Stage
    ground: Ground
    wire: Wire
    clock: HandClock

    def due(self, endpoint: Endpoint) -> DueEndpoint:
        return DueEndpoint(plane=self.ground.plane, tenant=self.ground.tenant, endpoint=endpoint.id)


@pytest.fixture(
    params=[
        (engine, where) for engine in ENGINES for where in ("beside", "far")
    ],
    ids="-".join,
)  # fmt: skip
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    engine, where = request.param
    create = request.getfixturevalue("pg_database") if engine == "postgresql" else str
    url, planes = new_urls(engine, tmp_path, create, far=True)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme"], ["bolt"])
        wire = Wire(clock)
        keys = SealedWebhookKeys(SECRETS["SALLYPORT_SECRETS__SEALING_KEY"])
        house = replace(stage.house, outbound=wire, webhook_keys=keys)
        slug, plane = ("acme", SHARED_PLANE) if where == "beside" else ("bolt", FAR)
        yield Bench(stage, Ground(house=house, tenant=tenant(slug), plane=plane), wire, clock)


def messages_of(bench: Bench, deliveries: list[DeliveryId]) -> list[str]:
    return [bench.ground.delivery(each).message for each in deliveries]


def test_it_sends_what_is_due_oldest_first_and_signs_it(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 3)
    later = bench.ground.messages(endpoint, 1, due_at=bench.clock.now() + timedelta(minutes=5))
    assert send_due(bench.ground.house, sender="s1") == 3
    assert bench.wire.sent == messages_of(bench, made)
    assert [bench.ground.delivery(each).state for each in made] == [DeliveryState.DELIVERED] * 3
    assert bench.ground.delivery(later[0]).state is DeliveryState.QUEUED
    with bench.ground.written() as opened:
        (attempt,) = opened.plane.webhooks.attempts(made[0], limit=5)
    assert (attempt.number, attempt.outcome, attempt.status, attempt.trigger) == (
        1, AttemptOutcome.SUCCESS, 200, Trigger.SCHEDULED,
    )  # fmt: skip
    assert dict(attempt.sent_headers)["webhook-signature"] == "[hidden]"
    assert len(attempt.keys) == 1
    assert send_due(bench.ground.house, sender="s1") == 0


def test_two_senders_never_hold_one_endpoint(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    bench.ground.messages(endpoint, 2)
    assert claimed_batch(bench.ground.house, bench.due(endpoint), sender="s1") is not None
    assert claimed_batch(bench.ground.house, bench.due(endpoint), sender="s2") is None
    gone = DueEndpoint(plane=bench.ground.plane, tenant=bench.ground.tenant, endpoint=EndpointId("whe_none"))
    assert send_endpoint(bench.ground.house, gone, sender="s2") == 0


def test_what_a_vanished_sender_held_is_written_down_and_sent_again(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 2)
    held = claimed_batch(bench.ground.house, bench.due(endpoint), sender="s1")
    assert held is not None
    assert bench.ground.delivery(made[0]).state is DeliveryState.SENDING
    assert send_due(bench.ground.house, sender="s2") == 0
    bench.clock.pass_by(seconds=bench.ground.house.book.sending.claim_seconds)
    assert send_due(bench.ground.house, sender="s2") == 2
    assert [bench.ground.outcomes(each) for each in made] == [["interrupted", "2xx"]] * 2
    late = _sent(bench.ground.house, held)  # the first one wakes up and has sent meanwhile
    settle_batch(bench.ground.house, held, late)
    assert [bench.ground.outcomes(each) for each in made] == [["interrupted", "2xx"]] * 2
    assert bench.ground.delivery(made[0]).attempts == 2


def test_a_failure_waits_for_its_retry_and_the_last_one_is_exhausted(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    (made,) = bench.ground.messages(endpoint, 1)
    bench.wire.then = FAIL
    tries = len(bench.ground.house.book.sending.waits.retry_seconds) + 1
    stands = bench.ground.delivery(made)
    for number in range(1, tries + 1):
        assert send_due(bench.ground.house, sender="s1") == 1
        stands = bench.ground.delivery(made)
        assert (stands.attempts, stands.tries, stands.last_status) == (number, number, 500)
        assert stands.fingerprint is not None
        bench.clock.pass_by(hours=13)
    assert (stands.state, stands.due_at, stands.reason) == (DeliveryState.EXHAUSTED, None, "gave_up")
    assert send_due(bench.ground.house, sender="s1") == 0


def test_the_breaker_leaves_an_endpoint_alone_and_lets_one_probe_through(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 9)
    bench.wire.then = FAIL
    assert send_due(bench.ground.house, sender="s1") == 5
    assert [bench.ground.delivery(each).state for each in made[5:]] == [DeliveryState.QUEUED] * 4
    assert send_due(bench.ground.house, sender="s1") == 0
    bench.clock.pass_by(seconds=61)
    bench.wire.then = OK
    assert send_due(bench.ground.house, sender="s1") == 1  # the probe
    assert bench.ground.stands(endpoint.id).breaker_until is None
    bench.clock.pass_by(minutes=10)
    assert send_due(bench.ground.house, sender="s1") == 8


def test_a_receiver_that_asks_for_time_gets_it(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 3)
    bench.wire.then = SLOW
    assert send_due(bench.ground.house, sender="s1") == 1
    stands = bench.ground.delivery(made[0])
    assert stands.due_at == bench.clock.now() + timedelta(seconds=90)
    bench.clock.pass_by(seconds=89)
    assert send_due(bench.ground.house, sender="s1") == 0


def test_gone_disables_with_an_entry_notices_and_a_job(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 3)
    bench.wire.then = GONE
    assert send_due(bench.ground.house, sender="s1") == 1
    stands = bench.ground.stands(endpoint.id)
    assert (stands.state, stands.because) == (EndpointState.DISABLED, "gone")
    assert [bench.ground.delivery(each).state for each in made] == [DeliveryState.SUPPRESSED] * 3
    assert bench.stage.entries("webhook.endpoint_disabled") == 1
    with bench.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(
            state=JobState.QUEUED, kind="webhook.hold", fingerprint=None, tenant=None, before=None, limit=5
        )
    assert (job.tenant, job.payload) == (bench.ground.tenant, {"endpoint": endpoint.id})
    assert bench.stage.count("SELECT count(*) FROM notice WHERE kind = 'webhook_endpoint'") > 0


def test_it_warns_before_it_disables_and_both_need_time_and_count(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    bench.ground.messages(endpoint, 1)
    bench.ground.change(endpoint.id, failures_in_row=9, failing_since=bench.clock.now() - timedelta(hours=61))
    bench.wire.then = FAIL
    assert send_due(bench.ground.house, sender="s1") == 1
    assert bench.stage.entries("webhook.endpoint_warned") == 1
    assert bench.ground.stands(endpoint.id).state is EndpointState.ACTIVE
    bench.clock.pass_by(hours=1)
    bench.ground.change(endpoint.id, failures_in_row=19, failing_since=bench.clock.now() - timedelta(hours=121))
    assert send_due(bench.ground.house, sender="s1") == 1
    assert (bench.stage.entries("webhook.endpoint_warned"), bench.stage.entries("webhook.endpoint_disabled")) == (1, 1)


def test_staff_who_change_an_endpoint_meanwhile_win(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    bench.ground.messages(endpoint, 2)
    bench.wire.then = GONE
    bench.wire.meanwhile = lambda: bench.ground.change(endpoint.id, description="mended")
    assert send_due(bench.ground.house, sender="s1") == 1
    stands = bench.ground.stands(endpoint.id)
    assert (stands.state, stands.description, stands.failures_in_row) == (EndpointState.ACTIVE, "mended", 1)
    assert bench.stage.entries("webhook.endpoint_disabled") == 0


@pytest.mark.parametrize("state", [EndpointState.PAUSED, EndpointState.DISABLED, EndpointState.DELETED])
def test_it_sends_nothing_to_what_is_not_active(bench: Bench, state: EndpointState) -> None:
    endpoint = bench.ground.endpoint(URL, state=state)
    bench.ground.messages(endpoint, 1)
    assert send_due(bench.ground.house, sender="s1") == 0
    assert send_endpoint(bench.ground.house, bench.due(endpoint), sender="s1") == 0
    assert bench.wire.sent == []


def test_rates_hold_for_an_endpoint_and_for_its_tenant(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL, rate_per_s=5)
    bench.ground.messages(endpoint, 30)
    assert send_due(bench.ground.house, sender="s1") == 10  # two seconds' worth
    assert send_due(bench.ground.house, sender="s1") == 0
    bench.clock.pass_by(seconds=1)
    assert send_due(bench.ground.house, sender="s1") == 5
    sending = replace(bench.ground.house.book.sending, tenant_rate_per_second=1)
    bench.ground = replace(
        bench.ground, house=replace(bench.ground.house, book=replace(bench.ground.house.book, sending=sending))
    )
    bench.clock.pass_by(seconds=2)
    assert send_due(bench.ground.house, sender="s1") == 2


def test_a_batch_ends_in_time_and_gives_the_rest_back(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 10)
    bench.wire.takes_s = 4
    assert send_due(bench.ground.house, sender="s1") == 4
    assert bench.ground.delivery(made[5]).state is DeliveryState.QUEUED
    assert bench.ground.delivery(made[5]).version > 1  # it was claimed and given back


def test_a_payload_whose_time_has_ended_is_not_sent(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 2)
    known = bench.ground.messages(endpoint, 1, delivered_at=bench.clock.now(), trigger=Trigger.RESEND)
    bench.clock.pass_by(days=31)
    job = _Job()
    assert isinstance(expire_payloads(bench.ground.house, job), Again)  # type: ignore[arg-type]  # it reads none of it
    assert isinstance(expire_payloads(bench.ground.house, job), Done)  # type: ignore[arg-type]
    assert send_due(bench.ground.house, sender="s1") == 0
    stands = bench.ground.delivery(made[0])
    assert (stands.state, stands.reason, stands.due_at) == (DeliveryState.EXHAUSTED, "payload_expired", None)
    assert bench.ground.delivery(known[0]).state is DeliveryState.DELIVERED
    assert bench.wire.sent == []


class _Job:
    """A job that nobody looks at."""


def test_nothing_leaves_without_a_key(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    (made,) = bench.ground.messages(endpoint, 1)
    rows(
        bench.stage.url if bench.ground.plane == SHARED_PLANE else bench.stage.urls[FAR],
        "UPDATE plane_webhook_key SET sealed = 'v1.AAAA' WHERE endpoint = ?", endpoint.id,
    )  # fmt: skip
    assert send_due(bench.ground.house, sender="s1") == 1
    assert bench.wire.sent == []
    assert bench.ground.outcomes(made) == ["connect"]


def test_it_addresses_what_the_product_wrote(bench: Bench) -> None:
    every = bench.ground.endpoint(URL)
    some = bench.ground.endpoint(URL, event_types=("invoice.*",))
    bench.ground.endpoint(URL, event_types=("member.joined",))
    paused = bench.ground.endpoint(URL, state=EndpointState.PAUSED)
    now = bench.clock.now()
    with bench.ground.written() as opened:
        book = opened.plane.webhooks
        message = Message(
            id="msg_product", event_type="invoice.paid", kind=MessageKind.EVENT, payload=b"{}",  # type: ignore[arg-type]
            created_at=now, expires_at=now + timedelta(days=1),
        )  # fmt: skip
        book.add_message(message, [addressed(message, paused, id=DeliveryId("whd_ours"), at=now)])
    assert found_by(bench, "msg_product") == []
    rows(
        bench.stage.url if bench.ground.plane == SHARED_PLANE else bench.stage.urls[FAR],
        "INSERT INTO plane_webhook_message (tenant_id, id, event_type, kind, payload, created_at, expires_at)"
        " SELECT tenant_id, 'msg_outbox', event_type, kind, payload, created_at, expires_at"
        " FROM plane_webhook_message WHERE id = 'msg_product'",
    )
    assert fan_out(bench.ground.house) == 2  # the product's is addressed; ours was stored with its delivery
    assert fan_out(bench.ground.house) == 0
    with bench.ground.written() as opened:
        found = opened.plane.webhooks.deliveries_of("msg_outbox")  # type: ignore[arg-type]  # an id as text
        ours = opened.plane.webhooks.deliveries_of("msg_product")  # type: ignore[arg-type]  # an id as text
    assert {(each.endpoint, each.state) for each in found} == {
        (every.id, DeliveryState.QUEUED), (some.id, DeliveryState.QUEUED), (paused.id, DeliveryState.HELD),
    }  # fmt: skip
    assert [each.id for each in ours] == ["whd_ours"]
    for typed in ("msg_outbox", "MSG_outbox", "msg_product"):
        assert found_by(bench, typed) == [bench.ground.tenant]


def found_by(bench: Bench, typed: str) -> list[str]:
    """Return the tenants that search finds by the id of a message."""
    return [hit.tenant.id for hit in bench.ground.house.fleet.search(understood(typed), limit=5)]


def test_a_message_is_found_before_it_leaves_also_when_the_process_dies_in_between(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = bench.ground.endpoint(URL)
    now = bench.clock.now()
    message = Message(
        id=MessageId("evt_1outbox"), event_type="invoice.paid", kind=MessageKind.EVENT, payload=b"{}",
        created_at=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    with bench.ground.written() as opened:
        opened.plane.webhooks.add_message(message, [])

    def dies(*_any: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fan_out_module, "_addressed", dies)
        with pytest.raises(KeyboardInterrupt):
            fan_out(bench.ground.house)
    assert fan_out(bench.ground.house) == 1
    assert found_by(bench, "evt_1outbox") == [bench.ground.tenant]
    with bench.ground.written() as opened:
        (delivery,) = opened.plane.webhooks.deliveries_of(message.id)
    assert (delivery.endpoint, delivery.state) == (endpoint.id, DeliveryState.QUEUED)
