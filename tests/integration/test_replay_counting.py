"""A list too long to be frozen at once: it is made in slices, beside the control store and far away."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from sqlalchemy import event

from console.actions.webhook import planning
from console.domain.errors import OutsideError
from console.domain.ids import DeliveryId, MessageId, RunId
from console.domain.jobs import Job, JobState
from console.domain.replays import ItemState, Run, RunState, list_digest
from console.usecases import plan_replay
from console.usecases.house import House
from console.usecases.job_kinds import KINDS
from console.usecases.job_outcomes import Done
from console.usecases.outcomes import BadFields, Ran
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_replay import proof_of
from tests.integration.stage import Stage
from tests.integration.test_webhook_actions import FAILED, RANGE, approved, ask, hook, jobs, opened, ran, stage

__all__ = ["stage"]
SLICE = 2
BESIDE_AND_FAR = pytest.mark.parametrize("slug", ["acme", "faraway"])


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (planning, plan_replay):
        monkeypatch.setattr(module, "FROZEN_AT_ONCE", SLICE)


def begun(stage: Stage, slug: str, **raw: str) -> RunId:
    return RunId(str(ran(stage, slug, "plan_replay", {**RANGE, **raw}).applied.made))


def run_of(stage: Stage, slug: str, run: RunId) -> Run:
    with opened(stage, slug) as book:
        found = book.run(run)
    assert found is not None
    return found


def looked(stage: Stage, times: int = 1) -> None:
    """Let the job take its next slices."""
    for _each in range(times):
        assert run_due_jobs(stage.house, worker="w1") == 1


@BESIDE_AND_FAR
def test_it_makes_the_list_slice_by_slice_and_freezes_it_at_the_end(stage: Stage, slug: str) -> None:
    run = begun(stage, slug)
    stands = run_of(stage, slug, run)
    assert (stands.state, stands.planned, stands.digest) == (RunState.COUNTING, 0, "")
    assert stands.counting is not None
    assert stands.counting.matching == FAILED
    for slices in range(1, FAILED // SLICE + 1):
        looked(stage)
        stands = run_of(stage, slug, run)
        assert stands.counting is not None
        assert (stands.planned, stands.counting.looked_at) == (slices * SLICE, slices * SLICE)
        assert (stands.state, stands.digest) == (RunState.COUNTING, "")
    looked(stage, times=2)  # one finds no more, the other freezes
    stands = run_of(stage, slug, run)
    with opened(stage, slug) as book:
        items = book.items(run, state=None, after=0, limit=50)
        assert stands.digest == book.frozen_digest(run) == list_digest(item.delivery for item in items)
    assert [item.position for item in items] == list(range(1, FAILED + 1))
    assert (stands.state, stands.planned, stands.per_type) == (RunState.PLANNED, FAILED, {"invoice.paid": FAILED})
    assert stands.oldest_at is not None
    assert stands.newest_at == stands.oldest_at + timedelta(minutes=FAILED - 1)
    assert stage.entries("replay.planned") == 1
    assert approved(stage, slug, run).action == "webhook.run_replay"


def test_nobody_can_ask_for_a_list_that_is_still_being_made(stage: Stage) -> None:
    run = begun(stage, "acme")
    looked(stage)
    answer = ask(stage, "acme", "run_replay", {"run": run})
    assert isinstance(answer, BadFields), answer
    assert "This replay is counting" in str(answer)
    assert jobs(stage, "webhook.replay") == []


@BESIDE_AND_FAR
def test_a_process_that_dies_in_the_middle_leaves_no_gap_and_nothing_twice(
    stage: Stage, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(stage, slug)
    looked(stage)
    with monkeypatch.context() as patched:  # after it was written, before the job knows

        def dies(*_any: object, **_named: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(plan_replay, "Again", dies)
        with pytest.raises(KeyboardInterrupt):
            run_due_jobs(stage.house, worker="w1")
    assert run_due_jobs(stage.house, worker="w2") == 0  # its lease holds
    stage.house.clock.pass_by(seconds=stage.house.book.jobs.lease_seconds + 1)  # type: ignore[attr-defined]  # by hand
    for _each in range(4):
        run_due_jobs(stage.house, worker="w2")
    stands = run_of(stage, slug, run)
    with opened(stage, slug) as book:
        deliveries = [item.delivery for item in book.items(run, state=None, after=0, limit=50)]
    assert stands.state is RunState.PLANNED
    assert len(deliveries) == len(set(deliveries)) == stands.planned == FAILED


def test_a_process_that_dies_after_the_last_slice_tells_of_the_plan_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(stage, "acme")
    looked(stage, times=4)
    with monkeypatch.context() as patched:

        def dies(*_any: object, **_named: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(plan_replay, "_told", dies)
        with pytest.raises(KeyboardInterrupt):
            run_due_jobs(stage.house, worker="w1")
    assert stage.entries("replay.planned") == 0
    stage.house.clock.pass_by(seconds=stage.house.book.jobs.lease_seconds + 1)  # type: ignore[attr-defined]  # by hand
    looked(stage)
    assert stage.entries("replay.planned") == 1


@BESIDE_AND_FAR
def test_it_can_be_cancelled_while_it_is_made_and_its_books_are_closed(stage: Stage, slug: str) -> None:
    run = begun(stage, slug)
    looked(stage, times=2)
    assert isinstance(ask(stage, slug, "cancel_replay", {"run": run}), Ran)
    for _each in range(6):
        run_due_jobs(stage.house, worker="w1")
    stands = run_of(stage, slug, run)
    assert (stands.state, stands.planned, stands.skipped) == (RunState.CANCELLED, 2 * SLICE, 2 * SLICE)
    with opened(stage, slug) as book:
        assert proof_of(book, stands).fault is None
    assert stage.entries("replay.cancelled") == 1
    assert [job.state for kind in ("webhook.plan", "webhook.replay") for job in jobs(stage, kind)] == [
        JobState.SUCCEEDED, JobState.SUCCEEDED,
    ]  # fmt: skip


def test_what_grows_past_the_most_while_it_is_counted_ends_the_plan(stage: Stage) -> None:
    run = begun(stage, "acme", most=str(FAILED))
    looked(stage, times=2)
    with opened(stage, "acme") as book:  # two more fail meanwhile
        (first,) = book.items(run, state=None, after=0, limit=1)
        model = book.named([first.delivery])[first.delivery]
        message = book.message(model.message)
        assert message is not None
        for number in range(2):
            again = replace(message, id=MessageId(f"msg_late{number}"))
            late = model.created_at + timedelta(hours=1)
            book.add_message(
                again, [replace(model, id=DeliveryId(f"whd_late{number}"), message=again.id, created_at=late)]
            )
    looked(stage, times=2)
    stands = run_of(stage, "acme", run)
    assert (stands.state, stands.because) == (RunState.CANCELLED, "too_many_match")
    assert stage.entries("replay.not_planned") == 1
    assert isinstance(ask(stage, "acme", "run_replay", {"run": run}), BadFields)


def test_one_of_which_nothing_can_be_sent_any_more_ends_with_its_reasons(stage: Stage) -> None:
    run = begun(stage, "acme")
    with opened(stage, "acme") as book:
        endpoint = book.endpoint(hook("acme"))
        assert endpoint is not None
        assert book.change_endpoint(replace(endpoint, event_types=("member.joined",)), version=endpoint.version)
    looked(stage, times=5)
    stands = run_of(stage, "acme", run)
    assert (stands.state, stands.because, stands.excluded) == (
        RunState.CANCELLED, "nothing_to_send", {"filtered_out": FAILED},
    )  # fmt: skip
    assert stage.entries("replay.not_planned") == 1


def test_a_job_that_gave_up_says_so_and_goes_on_when_it_is_retried(stage: Stage) -> None:
    run = begun(stage, "acme")
    looked(stage)
    (job,) = jobs(stage, "webhook.plan")
    until = stage.house.clock.now() + timedelta(minutes=1)
    plan_replay.rest_plan(stage.house, replace(job, lease_until=until))
    assert (run_of(stage, "acme", run).state, run_of(stage, "acme", run).because) == (RunState.COUNTING, "job_dead")
    looked(stage, times=4)
    assert (run_of(stage, "acme", run).state, run_of(stage, "acme", run).because) == (RunState.PLANNED, None)


@BESIDE_AND_FAR
def test_it_says_so_though_what_killed_its_job_outlasted_the_lease(
    stage: Stage, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(stage, slug)
    (job,) = jobs(stage, "webhook.plan")

    def hang(house: House, _job: Job) -> Done:
        house.clock.pass_by(seconds=house.book.jobs.lease_seconds + 1)  # type: ignore[attr-defined]  # a HandClock
        raise OutsideError("It does not answer.", permanent=True)

    hanging = MappingProxyType({**KINDS, job.kind: replace(KINDS[job.kind], handler=hang)})
    monkeypatch.setattr("console.usecases.run_jobs.KINDS", hanging)
    looked(stage)
    assert jobs(stage, "webhook.plan")[0].state is JobState.DEAD
    assert (run_of(stage, slug, run).state, run_of(stage, slug, run).because) == (RunState.COUNTING, "job_dead")


def test_no_transaction_writes_more_than_a_slice(stage: Stage) -> None:
    run = begun(stage, "acme")
    written: list[int] = []

    def note(_connection: object, _cursor: object, sql: str, values: object, _context: object, many: bool) -> None:
        if sql.startswith("INSERT INTO plane_webhook_run_item"):
            written.append(len(values) if many else 1)  # type: ignore[arg-type]  # a list of rows

    engines = set(stage.storage.engines())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        looked(stage, times=5)
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    assert run_of(stage, "acme", run).planned == FAILED
    assert written
    assert max(written) <= SLICE


def test_enabling_an_endpoint_begins_the_long_list_of_its_gap(stage: Stage) -> None:
    slug = "acme"
    assert isinstance(ask(stage, slug, "disable_endpoint", {"endpoint": hook(slug)}), Ran)
    with opened(stage, slug) as book:
        endpoint = book.endpoint(hook(slug))
        assert endpoint is not None
        assert book.change_endpoint(replace(endpoint, failing_since=endpoint.created_at), version=endpoint.version)
    answer = ask(stage, slug, "enable_endpoint", {"endpoint": hook(slug), "recover": "plan"})
    assert isinstance(answer, Ran), answer
    run = RunId(str(answer.applied.made))
    assert run_of(stage, slug, run).state is RunState.COUNTING
    for _each in range(8):
        run_due_jobs(stage.house, worker="w1")
    stands = run_of(stage, slug, run)
    assert (stands.state, stands.planned) == (RunState.PLANNED, FAILED)
    with opened(stage, slug) as book:
        assert {item.state for item in book.items(run, state=None, after=0, limit=9)} == {ItemState.WAITING}
