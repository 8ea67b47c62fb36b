"""Bulk replays slice by slice: what is sent, what is skipped and why, pauses, cancelling, and the proof at the end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import SHARED_PLANE
from console.domain.jobs import JobState
from console.domain.replays import RunState, Wanted
from console.domain.webhooks import AttemptOutcome, DeliveryState, EndpointState
from console.ports.sending import Answer
from console.usecases.claim_deliveries import claimed_batch
from console.usecases.run_jobs import run_due_jobs
from console.usecases.send_deliveries import send_due
from tests.integration.replay_steps import begun, facts, skipped, work
from tests.integration.stage import FAR, rows
from tests.integration.test_sending import FAIL, GONE, OK, SLOW, URL, Bench, bench

__all__ = ["bench"]


@pytest.mark.parametrize("count", [1, 230])
def test_it_sends_the_list_in_order_and_proves_it(bench: Bench, count: int) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, made = begun(bench, endpoint, count)
    assert work(bench, until=RunState.FINISHED, run=run) == count
    stands = bench.ground.run(run)
    assert (stands.sent, stands.skipped, stands.left, stands.because, stands.released) == (count, 0, 0, None, 0)
    assert bench.wire.sent == [bench.ground.delivery(each).message for each in made[: len(bench.wire.sent)]]
    run_due_jobs(bench.ground.house, worker="w1")
    assert facts(bench, "replay.finished") == 1
    with bench.stage.storage.store.read() as unit:
        (job,) = unit.jobs.page(state=None, kind="webhook.replay", fingerprint=None, tenant=None, before=None, limit=5)
    assert (job.state, job.attempts) == (JobState.SUCCEEDED, 0)


def test_its_rate_holds_over_all_slices(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 40, rate=5)
    began = bench.clock.now()
    work(bench, until=RunState.FINISHED, run=run)
    seconds = (bench.clock.now() - began).total_seconds()
    assert 40 / seconds <= 5 * 1.5


def test_what_may_no_longer_be_sent_is_skipped_with_its_reason(bench: Bench) -> None:
    good = bench.ground.endpoint(URL)
    picky, dead, gone = (bench.ground.endpoint(URL) for _each in range(3))
    made = {
        name: bench.ground.messages(where, 1, state=DeliveryState.EXHAUSTED)[0]
        for name, where in (
            ("sent", good), ("arrived", good), ("cancelled", good), ("filtered", picky), ("disabled", dead),
            ("deleted", gone), ("elsewhere", good),
        )
    }  # fmt: skip
    places = {
        "filtered": picky.id, "disabled": dead.id, "deleted": gone.id,
    }  # fmt: skip
    other = bench.ground.planned({made["elsewhere"]: good.id})
    run = bench.ground.planned({each: places.get(name, good.id) for name, each in made.items()})
    with bench.ground.written() as opened:
        book = opened.plane.webhooks
        for name, changed in (
            ("arrived", {"state": DeliveryState.DELIVERED, "delivered_at": bench.clock.now()}),
            ("cancelled", {"state": DeliveryState.CANCELLED}),
            ("elsewhere", {"run": other}),
        ):
            stands = book.delivery(made[name])
            assert stands is not None
            book.change_delivery(replace(stands, **changed), version=stands.version)
    bench.ground.change(picky.id, event_types=("member.*",))
    bench.ground.change(dead.id, state=EndpointState.DISABLED)
    bench.ground.change(gone.id, state=EndpointState.DELETED)
    bench.ground.begun(run)
    work(bench, until=RunState.FINISHED, run=run)
    assert skipped(bench, run) == {
        "already_delivered": 1, "cancelled": 1, "filtered_out": 1, "endpoint_disabled": 1, "endpoint_deleted": 1,
        "in_another_run": 1,
    }  # fmt: skip
    assert bench.ground.run(run).sent == 1


def test_delivered_ones_are_sent_again_when_the_plan_wanted_them(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL, event_types=("member.*",))
    long_ago = bench.clock.now() - timedelta(minutes=5)
    made = bench.ground.messages(endpoint, 2, state=DeliveryState.DELIVERED, delivered_at=long_ago)
    run = bench.ground.planned(dict.fromkeys(made, endpoint.id), wanted=Wanted.DELIVERED, ignores_filters=True)
    bench.ground.begun(run)
    bench.wire.answers = [OK, FAIL, FAIL, FAIL]
    work(bench, until=RunState.FINISHED, run=run)
    stands = bench.ground.run(run)
    assert (stands.sent, stands.skipped, skipped(bench, run)) == (1, 1, {"gave_up": 1})
    assert {bench.ground.delivery(each).state for each in made} == {DeliveryState.DELIVERED}  # it had arrived before
    assert bench.ground.delivery(made[0]).delivered_at == long_ago


def test_expired_payloads_are_skipped(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 3)
    bench.clock.pass_by(days=31)
    work(bench, until=RunState.FINISHED, run=run)
    assert skipped(bench, run) == {"payload_expired": 3}


def test_a_payload_that_expires_between_release_and_sending_is_skipped_too(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, made = begun(bench, endpoint, 2)
    run_due_jobs(bench.ground.house, worker="w1")
    url = bench.stage.url if bench.ground.plane == SHARED_PLANE else bench.stage.urls[FAR]
    rows(url, "UPDATE plane_webhook_message SET payload = NULL WHERE id = ?", bench.ground.delivery(made[0]).message)
    work(bench, until=RunState.FINISHED, run=run)
    assert skipped(bench, run) == {"payload_expired": 1}
    assert bench.ground.run(run).sent == 1


def test_failures_in_a_row_pause_it_once_and_staff_let_it_go_on(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 12)
    bench.wire.then = FAIL
    work(bench, until=RunState.PAUSED, run=run)
    stands = bench.ground.run(run)
    assert (stands.because, stands.sent, stands.released) == ("failures_in_row", 0, 0)
    bench.clock.pass_by(seconds=1_000)
    work(bench, rounds=5)
    assert facts(bench, "replay.paused") == 1
    bench.wire.then = OK
    bench.ground.resume(run)
    work(bench, until=RunState.FINISHED, run=run)
    assert (bench.ground.run(run).sent, facts(bench, "replay.finished")) == (12, 1)


def test_a_receiver_that_asks_for_time_pauses_it(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, made = begun(bench, endpoint, 5)
    bench.wire.answers = [OK, SLOW]
    work(bench, until=RunState.PAUSED, run=run)
    stands = bench.ground.run(run)
    assert (stands.because, stands.sent, stands.released) == ("slow_down", 1, 0)
    assert bench.ground.delivery(made[1]).run is None


def test_a_paused_endpoint_pauses_the_run(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 3)
    bench.ground.change(endpoint.id, state=EndpointState.PAUSED)
    work(bench, until=RunState.PAUSED, run=run)
    assert bench.ground.run(run).because == "endpoint_paused"
    assert bench.wire.sent == []


@pytest.mark.parametrize("state", [EndpointState.DISABLED, EndpointState.DELETED])
def test_an_endpoint_that_goes_away_in_the_middle_ends_the_rest(bench: Bench, state: EndpointState) -> None:
    endpoint = bench.ground.endpoint(URL, rate_per_s=1)
    run, _made = begun(bench, endpoint, 10)
    run_due_jobs(bench.ground.house, worker="w1")
    assert send_due(bench.ground.house, sender="s1") == 2
    assert bench.ground.run(run).released == 8
    bench.ground.change(endpoint.id, state=state)
    work(bench, until=RunState.FINISHED, run=run)
    stands = bench.ground.run(run)
    assert (stands.sent, skipped(bench, run)) == (2, {f"endpoint_{state.value}": 8})


_BY_OTHERS = {AttemptOutcome.SUCCESS, AttemptOutcome.GONE, AttemptOutcome.SLOW_DOWN, AttemptOutcome.INTERRUPTED}


@pytest.mark.parametrize("bench", [("sqlite", "beside")], indirect=True, ids="-".join)
@pytest.mark.parametrize("outcome", [each for each in AttemptOutcome if each not in _BY_OTHERS])
def test_whatever_a_receiver_does_the_run_goes_on_and_says_which(bench: Bench, outcome: AttemptOutcome) -> None:
    bad, good = bench.ground.endpoint(f"{URL}/bad"), bench.ground.endpoint(URL)
    (made,) = bench.ground.messages(bad, 1, state=DeliveryState.EXHAUSTED)
    fine = bench.ground.messages(good, 2, state=DeliveryState.EXHAUSTED)
    run = bench.ground.planned({made: bad.id, **dict.fromkeys(fine, good.id)}, rate=1_000)
    bench.ground.begun(run)
    bench.wire.by_url[bad.url] = Answer(outcome=outcome, status=None, took_ms=1, error="so it went")
    for _each in range(9):  # a receiver that is slow is given a minute and more before it is tried again
        work(bench, rounds=2)
        bench.clock.pass_by(seconds=30)
    stands = bench.ground.run(run)
    assert (stands.state, stands.sent, stands.because) == (RunState.FINISHED, 2, None)
    assert skipped(bench, run) == {"gave_up": 1}
    assert bench.ground.outcomes(made) == [outcome.value] * 3


def test_gone_ends_the_rest(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 4)
    bench.wire.answers = [OK, GONE]
    work(bench, until=RunState.FINISHED, run=run)
    assert (bench.ground.run(run).sent, skipped(bench, run)) == (1, {"endpoint_disabled": 3})


def test_a_cancelled_run_settles_every_item_and_says_so(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL, rate_per_s=1)
    run, made = begun(bench, endpoint, 8)
    run_due_jobs(bench.ground.house, worker="w1")
    batch = claimed_batch(bench.ground.house, bench.due(endpoint), sender="s0")  # one sender is in the middle of it
    assert batch is not None
    with bench.ground.written() as opened:
        stands = opened.plane.webhooks.run(run)
        assert stands is not None
        opened.plane.webhooks.move_run(stands, RunState.CANCELLED, at=bench.clock.now(), because="staff")
    work(bench, rounds=40)
    assert facts(bench, "replay.cancelled") == 0 or bench.ground.run(run).left == 0
    work(bench, rounds=40)
    stands = bench.ground.run(run)
    assert (stands.left, stands.sent + stands.skipped, stands.state) == (0, 8, RunState.CANCELLED)
    assert facts(bench, "replay.cancelled") == 1
    assert bench.ground.delivery(made[7]).run is None
