"""`job.retry`, `job.discard` and `inbound.replay`: one or a group, eligible or not, and never twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from console.actions.inbound import replay
from console.actions.job import discard, retry
from console.actions.job.chosen import AT_ONCE, build
from console.domain.ids import ExecutionId, InboundId, StaffId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobState
from console.ports.action_tools import Tools
from tests.unit.fakes import NOON, FakeControl, FakeStaffBook, Unchanged, fault_of, person, shown, tools
from tests.unit.webhook_fakes import FakeJobs, job

GROUP = {"job": "", "kind": "inbound.process", "fingerprint": "f00d"}
EVENT = InboundEvent(
    id=InboundId("inb_1"), provider="stripe", account="", is_live=True, event_id="evt_1", event_type="invoice.paid",
    object_id="INV-1", customer="cus_1", made_at=NOON, received_at=NOON, payload=b"{}",
    state=InboundState.QUARANTINED, because="unknown_customer", version=2,
)  # fmt: skip


@dataclass
class FakeInbox:
    """Events by id."""

    kept: dict[str, InboundEvent] = field(default_factory=lambda: {EVENT.id: EVENT})
    is_raced: bool = False

    def get(self, event: InboundId) -> InboundEvent | None:
        return self.kept.get(event)

    def reopen(self, event: InboundEvent) -> bool:
        if self.is_raced:
            return False
        self.kept[event.id] = replace(event, state=InboundState.RECEIVED)
        return True


def tooled(jobs: FakeJobs | None = None, inbox: FakeInbox | None = None) -> Tools:
    staff = FakeStaffBook([person("robin"), person("gone", is_active=False)])
    return tools(control=FakeControl(staff=staff, jobs=jobs, inbox=inbox))


def one(number: int = 1) -> Any:  # noqa: ANN401  parameters
    return build({"job": f"job_{number}", "kind": "", "fingerprint": ""})


@pytest.mark.parametrize(("module", "state"), [(retry, JobState.QUEUED), (discard, JobState.DISCARDED)])
def test_it_moves_one_job(module: Any, state: JobState) -> None:  # noqa: ANN401  a module
    jobs = FakeJobs([job(1), job(2)])
    with Unchanged(jobs):
        seen = module.preview(one(), tooled(jobs))
    assert (seen.target_id, seen.fingerprint) == ("job_1", {"job": "job_1", "version": 3})
    module.apply(one(), tooled(jobs))
    assert [each.state for each in jobs.kept] == [state, JobState.DEAD]
    assert jobs.kept[0].retried_by == "stf_robin"


def test_it_counts_who_can_be_reached_and_who_cannot() -> None:
    jobs = FakeJobs([job(1), job(2, actor=StaffId("stf_robin")), job(3, actor=StaffId("stf_gone")), job(4)])
    seen = shown(retry.preview(build(GROUP), tooled(jobs)))
    assert seen["Jobs"] == ("4 found", "3 queued again with fresh attempts")
    assert seen["Stays"] == (None, "1 without authority: whoever asked for it has left")
    done = retry.apply(build(GROUP), tooled(jobs))
    assert done.sentence == "3 queued again."
    assert [each.state for each in jobs.kept] == [
        JobState.QUEUED, JobState.QUEUED, JobState.DEAD, JobState.QUEUED,
    ]  # fmt: skip
    assert "4 found" in str(shown(discard.preview(build(GROUP), tooled(FakeJobs([job(n) for n in range(4)])))))


def test_it_takes_a_thousand_at_once() -> None:
    jobs = FakeJobs([job(n) for n in range(AT_ONCE + 1)])
    seen = discard.preview(build(GROUP), tooled(jobs))
    assert any("more" in warning for warning in seen.warnings)
    discard.apply(build(GROUP), tooled(jobs))
    assert [each.state for each in jobs.kept].count(JobState.DEAD) == 1


@pytest.mark.parametrize(
    ("module", "state", "can"),
    [
        (retry, JobState.QUEUED, False),
        (retry, JobState.RUNNING, False),
        (retry, JobState.SUCCEEDED, False),
        (retry, JobState.DISCARDED, False),
        (discard, JobState.QUEUED, True),
        (discard, JobState.RUNNING, False),
        (discard, JobState.SUCCEEDED, False),
        (discard, JobState.DISCARDED, False),
    ],
)
def test_it_does_only_what_is_legal_in_a_state(module: Any, state: JobState, can: bool) -> None:  # noqa: ANN401  a module, a row of the table
    jobs = FakeJobs([job(1, state=state)])
    if can:
        module.apply(one(), tooled(jobs))
        assert jobs.kept[0].state is JobState.DISCARDED
        return
    with Unchanged(jobs):
        for function in (module.preview, module.apply):
            assert fault_of(function, one(), tooled(jobs)) == ("job", f"Nothing can be done here: 1 {state} already.")


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"job": "", "kind": "", "fingerprint": ""}, "job"),
        ({"job": "job_1", "kind": "k", "fingerprint": ""}, "job"),
        ({"job": "", "kind": "k", "fingerprint": ""}, "fingerprint"),
        ({"job": "", "kind": "", "fingerprint": "f"}, "fingerprint"),
    ],
)
def test_it_wants_one_job_or_a_whole_group(values: Mapping[str, str], wrong: str) -> None:
    assert fault_of(lambda: build(values))[0] == wrong


def test_it_knows_no_job_that_is_none() -> None:
    assert fault_of(retry.preview, one(9), tooled(FakeJobs())) == ("job", "There is no such job.")
    assert fault_of(retry.preview, build(GROUP), tooled(FakeJobs()))[0] == "fingerprint"


@pytest.mark.parametrize("module", [retry, discard])
def test_it_notices_that_a_job_moved(module: Any) -> None:  # noqa: ANN401  a module
    jobs = FakeJobs([job(1)], is_raced=True)
    assert "meanwhile" in fault_of(module.apply, one(), tooled(jobs))[1]
    assert module.apply(build(GROUP), tooled(jobs)).sentence.startswith("0 ")


def test_it_processes_an_event_again() -> None:
    inbox, params = FakeInbox(), replay.build({"event": "inb_1"})
    with Unchanged(inbox):
        seen = replay.preview(params, tooled(inbox=inbox))
    assert shown(seen) == {"Event": ("quarantined", "received")}
    assert "not believed" in seen.warnings[0]
    replay.apply(params, tooled(inbox=inbox))
    assert inbox.kept["inb_1"].state is InboundState.RECEIVED
    (draft,) = replay.ACTION.follow_up(params, ExecutionId("exe_1"))
    assert (draft.kind, draft.key, draft.payload) == ("inbound.process", "inbound:inb_1:exe_1", {"event": "inb_1"})
    assert "waits" in fault_of(replay.preview, params, tooled(inbox=inbox))[1]


def test_it_refuses_an_event_that_is_none_or_moved() -> None:
    params = replay.build({"event": "inb_1"})
    assert fault_of(replay.preview, params, tooled(inbox=FakeInbox(kept={})))[0] == "event"
    assert "meanwhile" in fault_of(replay.apply, params, tooled(inbox=FakeInbox(is_raced=True)))[1]
