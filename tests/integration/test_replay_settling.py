"""Bulk replays when something goes wrong on the way: crashes, changed lists, shut endpoints, jobs that give up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.ids import SHARED_PLANE, Digest, RequestId, RunId
from console.domain.jobs import Job, JobDraft
from console.domain.replays import RunState
from console.domain.webhooks import AttemptOutcome, DeliveryState, EndpointState, Trigger
from console.ports.sending import Answer
from console.usecases.claim_deliveries import claimed_batch
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_replay import JOB_DEAD, proof_of, rest_replay, run_replay
from console.usecases.send_deliveries import send_due
from console.usecases.settle_batch import _disable
from tests.integration.replay_steps import begun, facts, work
from tests.integration.stage import FAR, rows
from tests.integration.test_sending import URL, Bench, bench

__all__ = ["bench"]


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
