"""The machines of runs and of findings: every short order of events, and the laws that none may break."""

from collections.abc import Mapping
from itertools import product

import pytest

from console.domain.reconciling import findings, runs
from console.domain.reconciling.findings import FindingEvent, FindingState
from console.domain.reconciling.runs import OPEN_STATES, RunEvent, RunState

LONG = 5
BY_HAND = (FindingEvent.TAKE, FindingEvent.LEAVE, FindingEvent.EXPLAIN, FindingEvent.WAIVE, FindingEvent.REOPEN)
FORWARD = [RunState.QUEUED, RunState.PULLING, RunState.COMPARING, RunState.SETTLING, RunState.DONE]


def test_no_order_of_events_brings_a_run_back_or_past_a_phase() -> None:
    for events in product(RunEvent, repeat=LONG):
        state, walked = RunState.QUEUED, [RunState.QUEUED]
        for event in events:
            to = runs.after(state, event)
            if to is None:
                continue
            assert state in OPEN_STATES, (state, event)
            state = to
            walked.append(to)
        phases = [each for each in walked if each in FORWARD]
        assert phases == FORWARD[: len(phases)], walked
        assert walked.count(RunState.DONE) <= 1
        if RunState.STOPPED in walked:
            assert walked[-2:] == [RunState.SETTLING, RunState.STOPPED]


@pytest.mark.parametrize("state", [each for each in RunState if each not in OPEN_STATES])
def test_a_run_that_is_over_never_moves_again(state: RunState) -> None:
    assert [event for event in RunEvent if runs.after(state, event) is not None] == []


@pytest.mark.parametrize("state", OPEN_STATES)
def test_a_run_that_goes_on_can_be_cancelled_and_can_fail(state: RunState) -> None:
    assert (runs.after(state, RunEvent.CANCEL), runs.after(state, RunEvent.FAIL)) == (
        RunState.CANCELLED, RunState.FAILED,
    )  # fmt: skip


def test_no_order_of_events_hides_a_finding_that_a_run_sees() -> None:
    for events in product(FindingEvent, repeat=LONG):
        state = FindingState.OPEN
        for event in events:
            to = findings.after(state, event)
            if to is None:
                continue
            if event is FindingEvent.SEEN:
                assert to not in {FindingState.RESOLVED, FindingState.IN_FLIGHT}, (state, event)
            if event is FindingEvent.GONE:
                assert to is FindingState.RESOLVED
            if event in BY_HAND:
                assert state not in {FindingState.RESOLVED, FindingState.IN_FLIGHT}, (state, event)
                assert to is not FindingState.RESOLVED, "only a run, or what heals, resolves"
            state = to


@pytest.mark.parametrize(
    ("from_", "event", "to"),
    [
        (FindingState.WAIVED, FindingEvent.LAPSE, FindingState.OPEN),
        (FindingState.RESOLVED, FindingEvent.SEEN, FindingState.OPEN),
        (FindingState.IN_FLIGHT, FindingEvent.SEEN, FindingState.OPEN),
        (FindingState.WAIVED, FindingEvent.SEEN, FindingState.WAIVED),
    ],
)
def test_it_moves_as_the_reference_says(from_: FindingState, event: FindingEvent, to: FindingState) -> None:
    assert findings.after(from_, event) is to


def test_only_a_waiver_lapses() -> None:
    table: Mapping[tuple[FindingState, FindingEvent], FindingState] = findings.TRANSITIONS
    assert [state for state, event in table if event is FindingEvent.LAPSE] == [FindingState.WAIVED]
