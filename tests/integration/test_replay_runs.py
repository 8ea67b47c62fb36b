"""Bulk replays slice by slice: what is skipped and why, pauses, cancelling, crashes, and the proof at the end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import SHARED_PLANE, DeliveryId, Digest, RequestId, RunId
from console.domain.jobs import Job, JobDraft, JobState
from console.domain.replays import RunState, Wanted
from console.domain.webhooks import AttemptOutcome, DeliveryState, Endpoint, EndpointState, Trigger
from console.ports.sending import Answer
from console.usecases.claim_deliveries import claimed_batch
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_replay import JOB_DEAD, proof_of, rest_replay, run_replay
from console.usecases.send_deliveries import send_due
from console.usecases.settle_batch import _disable
from tests.integration.stage import FAR, rows
from tests.integration.test_sending import FAIL, GONE, OK, SLOW, URL, Bench, bench

__all__ = ["bench"]
SLICE = timedelta(seconds=2)


def work(bench: Bench, *, rounds: int = 60, until: RunState | None = None, run: RunId | None = None) -> int:
    """Let jobs and senders take turns, with time passing, and return how many attempts were made."""
    sent = 0
    for _each in range(rounds):
        run_due_jobs(bench.ground.house, worker="w1")
        sent += send_due(bench.ground.house, sender="s1")
        if until is not None and run is not None and bench.ground.run(run).state is until:
            return sent
        bench.clock.pass_by(seconds=2)
    assert until is None, bench.ground.run(run) if run is not None else ""
    return sent


def begun(
    bench: Bench, endpoint: Endpoint, count: int, *, rate: int = 1_000, **other: object
) -> tuple[RunId, list[DeliveryId]]:
    """Plan a run over exhausted deliveries and set it going."""
    made = bench.ground.messages(endpoint, count, state=DeliveryState.EXHAUSTED, **other)
    run = bench.ground.planned(dict.fromkeys(made, endpoint.id), rate=rate)
    bench.ground.begun(run)
    return run, made


def facts(bench: Bench, action: str) -> int:
    return bench.stage.entries(action)


def skipped(bench: Bench, run: RunId) -> dict[str, int]:
    return dict(bench.ground.run(run).skipped_by or {})


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


def test_work_that_a_vanished_sender_held_is_settled_once(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, made = begun(bench, endpoint, 3)
    run_due_jobs(bench.ground.house, worker="w1")
    assert claimed_batch(bench.ground.house, bench.due(endpoint), sender="s0") is not None
    work(bench, rounds=40, until=RunState.FINISHED, run=run)
    assert (bench.ground.run(run).sent, bench.ground.outcomes(made[0])) == (3, ["interrupted", "2xx"])


def test_a_list_that_is_not_the_approved_one_does_not_add_up(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 2)
    work(bench, until=RunState.FINISHED, run=run)
    stands = bench.ground.run(run)
    with bench.ground.written() as opened:
        proof = proof_of(opened.plane.webhooks, stands)
    assert proof.fault is None
    assert replace(proof, digest=Digest("0" * 64)).fault == "list_changed"
    assert replace(proof, run=replace(proof.run, planned=3)).fault == "items_missing"


def test_counters_that_somebody_changed_do_not_add_up(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 3)
    url = bench.stage.url if bench.ground.plane == SHARED_PLANE else bench.stage.urls[FAR]
    rows(url, "UPDATE plane_webhook_run SET sent = 1 WHERE id = ?", run)
    work(bench, until=RunState.FINISHED, run=run, rounds=20)
    assert bench.ground.run(run).because == "counters_differ"


def test_an_automatic_retry_that_a_run_took_over_goes_on_when_it_is_given_back(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL, rate_per_s=1)
    later = bench.clock.now() + timedelta(hours=2)
    made = bench.ground.messages(endpoint, 4, state=DeliveryState.RETRY_SCHEDULED, due_at=later, tries=3)
    run = bench.ground.planned(dict.fromkeys(made, endpoint.id))
    bench.ground.begun(run)
    run_due_jobs(bench.ground.house, worker="w1")
    assert bench.ground.delivery(made[3]).trigger is Trigger.BULK
    bench.ground.pause(run)
    stands = bench.ground.delivery(made[3])
    assert (stands.state, stands.due_at, stands.run) == (DeliveryState.RETRY_SCHEDULED, later, None)
    bench.wire.then = Answer(outcome=AttemptOutcome.REFUSED, status=404, took_ms=1)
    bench.clock.pass_by(hours=2)
    assert send_due(bench.ground.house, sender="s1") == 2
    assert bench.ground.delivery(made[0]).state is DeliveryState.RETRY_SCHEDULED  # on its schedule again


def test_automatic_ones_and_those_of_a_run_share_a_batch(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, made = begun(bench, endpoint, 3)
    own = bench.ground.messages(endpoint, 2)
    other, _more = begun(bench, endpoint, 2)
    run_due_jobs(bench.ground.house, worker="w1")
    assert send_due(bench.ground.house, sender="s1") == 7
    assert [bench.ground.run(each).sent for each in (run, other)] == [3, 2]
    assert {bench.ground.delivery(each).state for each in (*own, *made)} == {DeliveryState.DELIVERED}


def test_a_run_whose_job_gave_up_rests_where_people_see_it(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 3)
    job = job_of(bench, run)
    rest_replay(bench.ground.house, job)
    stands = bench.ground.run(run)
    assert (stands.state, stands.because, stands.released) == (RunState.PAUSED, JOB_DEAD, 0)
    bench.ground.resume(run)
    bench.clock.pass_by(seconds=1_000)
    work(bench, until=RunState.FINISHED, run=run)
    assert bench.ground.run(run).sent == 3
    rest_replay(bench.ground.house, replace(job, lease_until=bench.clock.now() + timedelta(minutes=1)))
    assert bench.ground.run(run).state is RunState.FINISHED


def test_what_a_sender_holds_of_a_shut_endpoint_follows_it(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 2)
    assert claimed_batch(bench.ground.house, bench.due(endpoint), sender="s1") is not None
    bench.ground.change(endpoint.id, state=EndpointState.DELETED)
    draft = JobDraft(kind="webhook.hold", key="hold:1", payload={"endpoint": endpoint.id}, tenant=bench.ground.tenant)
    with bench.stage.storage.store.write() as unit:
        unit.jobs.add(draft, at=bench.clock.now())
    run_due_jobs(bench.ground.house, worker="w1")
    assert [bench.ground.delivery(each).state for each in made] == [DeliveryState.SENDING] * 2
    bench.clock.pass_by(seconds=1_000)
    run_due_jobs(bench.ground.house, worker="w1")
    stands = [bench.ground.delivery(each) for each in made]
    assert [(each.state, each.reason, each.last_outcome) for each in stands] == [
        (DeliveryState.SUPPRESSED, "endpoint_deleted", AttemptOutcome.INTERRUPTED)
    ] * 2


def job_of(bench: Bench, run: RunId) -> Job:
    """Return the job of a run, claimed."""
    now = bench.clock.now()
    with bench.stage.storage.store.write() as unit:
        (job,) = unit.jobs.page(state=None, kind="webhook.replay", fingerprint=None, tenant=None, before=None, limit=1)
        claimed = unit.jobs.claim_one(job.id, worker="w1", now=now, until=now + timedelta(minutes=5))
    assert job.payload == {"run": run}
    return claimed or replace(job, lease_until=now + timedelta(minutes=5))


def test_the_first_slice_binds_the_request_and_says_that_it_began(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 1)
    job = replace(job_of(bench, run), request=RequestId("req_approved"))
    first = run_replay(bench.ground.house, job)
    assert isinstance(first, Again)
    assert first.record is not None
    with bench.stage.storage.store.write() as unit:
        first.record(unit)
        first.record(unit)
    assert (bench.ground.run(run).request, facts(bench, "replay.started")) == ("req_approved", 1)
    assert isinstance(run_replay(bench.ground.house, job), Again)
    assert bench.ground.run(run).released == 1


def test_that_it_began_is_said_though_its_process_died_right_after(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 1)
    job = replace(job_of(bench, run), request=RequestId("req_approved"))
    run_replay(bench.ground.house, job)  # and here it dies: the run is bound, and nothing is said
    assert (bench.ground.run(run).request, facts(bench, "replay.started")) == ("req_approved", 0)
    for often in range(3):
        if often == 2:
            send_due(bench.ground.house, sender="s1")
        answer = run_replay(bench.ground.house, job)
        assert answer.record is not None
        with bench.stage.storage.store.write() as unit:
            answer.record(unit)
    assert bench.ground.run(run).state is RunState.FINISHED
    assert (facts(bench, "replay.started"), facts(bench, "replay.finished")) == (1, 1)


def test_a_run_that_ended_before_its_job_did_is_recorded_all_the_same(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 1)
    job = job_of(bench, run)
    run_replay(bench.ground.house, job)
    send_due(bench.ground.house, sender="s1")
    assert isinstance(run_replay(bench.ground.house, job), Done)  # and here its process dies
    assert bench.ground.run(run).state is RunState.FINISHED
    last = run_replay(bench.ground.house, job)
    assert isinstance(last, Done)
    assert last.record is not None
    with bench.stage.storage.store.write() as unit:
        last.record(unit)
    assert facts(bench, "replay.finished") == 1


def test_it_runs_nothing_that_was_not_set_going(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    run, _made = begun(bench, endpoint, 1)
    job = job_of(bench, run)
    planned = bench.ground.planned({})
    for wrong in (replace(job, tenant=None), replace(job, payload={}), replace(job, payload={"run": planned})):
        with pytest.raises(JobRefusedError):
            run_replay(bench.ground.house, wrong)


def test_an_endpoint_that_somebody_else_changed_is_not_disabled(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    made = bench.ground.messages(endpoint, 1)
    bench.ground.change(endpoint.id, description="changed")
    with bench.ground.written() as opened:
        _disable(opened.plane.webhooks, replace(endpoint, state=EndpointState.DISABLED))
    assert bench.ground.delivery(made[0]).state is DeliveryState.QUEUED
