"""`billing.resync_tenant`, `billing.resync_all`, `billing.cancel_resync`: what they show, and the jobs they queue."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

import pytest

from console.actions.billing import cancel_resync, resync_all, resync_tenant
from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind
from console.domain.billing.resyncing import JOB, Count, Progress, following, key_of, progress_of, stop_key
from console.domain.ids import ExecutionId, JobId
from console.domain.jobs import Job, JobState
from console.domain.tenancy import ScopeBasis, TenantScope
from console.ports.action_tools import Tools
from console.ports.actions import Fault
from tests.billing import ONE_OF_EACH, PaperMirror, mirror_of
from tests.billing_writer import ModelProvider
from tests.unit.fakes import NOON, TENANT, FakeControl, FakePlane, Unchanged, shown, tools

THE = ExecutionId("exe_1")


@dataclass
class ScopedPlane(FakePlane):
    """A plane that says whose it is."""

    @property
    def scope(self) -> TenantScope:
        return SCOPE


SCOPE = TenantScope(
    tenant=TENANT,
    plane="shared",  # type: ignore[arg-type]  # plain words
    staff="stf_robin",  # type: ignore[arg-type]  # plain words
    basis=ScopeBasis.JOB,
    reason="x",  # type: ignore[arg-type]  # plain words
    not_after=NOON,
)


@dataclass
class FakeJobs:
    """Jobs by their keys."""

    kept: dict[str, Job] = field(default_factory=dict)

    def by_key(self, key: str) -> Job | None:
        return self.kept.get(key)

    def went(self, steps: int, last: JobState = JobState.QUEUED) -> None:
        """Keep that many jobs of one resync."""
        for step in range(steps):
            progress = Progress(resync="exe_1", step=step, pages=step * 10).counted(Count.WRITTEN, step)
            state = last if step == steps - 1 else JobState.SUCCEEDED
            self.kept[key_of("exe_1", step)] = Job(
                id=JobId(f"job_{step}"), kind=JOB, key=key_of("exe_1", step), queue="billing",
                payload=progress.payload(), state=state, tenant=None, actor=None, reason=None, request=None,
                created_at=NOON, run_at=NOON, attempts=0, most_attempts=8, version=1,
            )  # fmt: skip


@dataclass
class JobsOnly:
    """The control books of which only the jobs are looked at."""

    jobs: FakeJobs = field(default_factory=FakeJobs)


def control(jobs: FakeJobs | None = None) -> Tools:
    return tools(control=cast("FakeControl", JobsOnly(jobs or FakeJobs())))


def test_a_tenant_is_asked_for_whole_and_its_first_job_begins_at_the_first_kind() -> None:
    there = ScopedPlane(mirror=mirror_of(ONE_OF_EACH))
    params = resync_tenant.build({})
    with Unchanged(there):
        seen = resync_tenant.preview(params, tools(there, provider=ModelProvider()))
    assert seen.sentence == "Resync everything of 1 customer"
    assert shown(seen)["Credit notes in the mirror"] == ("1", "as the provider has them")
    assert resync_tenant.apply(params, tools(there)).changes[0].after == "cus_acme1"
    (draft,) = resync_tenant.follow_up(params, THE)
    assert (draft.kind, draft.key) == (JOB, "billing.resync:exe_1:0")
    assert progress_of(draft.payload) == Progress(resync="exe_1", kind=ObjectKind.CUSTOMER)


def test_a_tenant_without_a_customer_has_nothing_to_ask_for() -> None:
    there = ScopedPlane(mirror=PaperMirror(linked=frozenset()))
    for function in (resync_tenant.preview, resync_tenant.apply):
        with pytest.raises(Fault, match="no customer"):
            function(resync_tenant.build({}), tools(there))


@pytest.mark.parametrize(
    ("since", "asked"), [("", "everything"), (date(2026, 11, 1), "what was made since 1 Nov 2026")]
)
def test_all_tenants_are_asked_for_since_a_day_or_for_ever(since: object, asked: str) -> None:
    params = resync_all.build({"since": since})
    seen = resync_all.preview(params, control())
    assert shown(seen) == {"Asked for": (None, asked)}
    assert asked in resync_all.apply(params, control()).sentence
    (draft,) = resync_all.follow_up(params, THE)
    begins = datetime(2026, 11, 1, tzinfo=UTC) if since else None
    assert progress_of(draft.payload).since == begins


def test_a_day_that_has_not_come_is_refused() -> None:
    params = resync_all.build({"since": (NOON + timedelta(days=1)).date()})
    with pytest.raises(Fault, match="has come"):
        resync_all.preview(params, control())


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 64, 65])
def test_stopping_shows_how_far_the_last_of_its_jobs_came(steps: int) -> None:
    jobs = FakeJobs()
    jobs.went(steps)
    seen = cancel_resync.preview(cancel_resync.build({"resync": "exe_1"}), control(jobs))
    assert f"after {(steps - 1) * 10:,} pages" in str(shown(seen)["Resync"][0])
    (draft,) = cancel_resync.follow_up(cancel_resync.build({"resync": "exe_1"}), THE)
    assert draft.key == stop_key("exe_1")


def test_what_is_over_or_was_never_there_or_is_stopping_cannot_be_stopped() -> None:
    params, jobs = cancel_resync.build({"resync": "exe_1"}), FakeJobs()
    with pytest.raises(Fault, match="no such resync"):
        cancel_resync.preview(params, control(jobs))
    for state in (JobState.SUCCEEDED, JobState.DEAD, JobState.DISCARDED):
        jobs.went(3, state)
        with pytest.raises(Fault, match="is over"):
            cancel_resync.apply(params, control(jobs))
    jobs.went(3)
    jobs.kept[stop_key("exe_1")] = jobs.kept[key_of("exe_1", 0)]
    with pytest.raises(Fault, match="already"):
        cancel_resync.apply(params, control(jobs))


def test_progress_rides_whole_in_the_arguments_of_a_job() -> None:
    far = Progress(
        resync="exe_1", step=4, since=NOON, began_at=NOON, kind=None, customer="cus_1", after="invoice:in_1", pages=9,
        counts={"written": 3},
    )  # fmt: skip
    assert progress_of(far.payload()) == far
    assert far.sentence() == "At objects that are listed no more after 9 pages: 3 written."
    assert far.counted(Count.WRITTEN, 0) is far


def test_lists_follow_each_other_kind_by_kind_and_customer_by_customer() -> None:
    at: Progress = Progress(resync="exe_1", customer="a")
    seen = [(at.kind, at.customer)]
    while at.kind is not None:
        at = following(replace(at, after="x"), ["a", "b"])
        assert at.after is None
        seen.append((at.kind, at.customer))
    assert seen == [*((kind, customer) for kind in OF_CUSTOMERS for customer in "ab"), (None, "a")]
    assert following(Progress(resync="exe_1"), None).kind is OF_CUSTOMERS[1]
