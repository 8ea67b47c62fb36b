"""Every state of a request meets every verb at the real use cases: what is not declared is refused, by an entry.

The walk of three moves starts from a fresh request only; here the request is put into each state first, also into those
that nobody sees for longer than a moment.
"""

from collections.abc import Iterator

import pytest

from console.domain.decisions import Deny
from console.domain.requests import Event, State, after
from console.usecases.keep_time import end_overdue
from console.usecases.recover_executions import recover_executions
from tests.machines.stage import Stage, set_stage
from tests.machines.test_request_walk import BY_HAND, MOVES, REFUSALS, reachable

VERBS = {
    Event.VOTE: MOVES["lead A votes"],
    Event.REJECT: MOVES["lead B rejects"],
    Event.CANCEL: MOVES["cancel"],
    Event.REVOKE: MOVES["revoke"],
    Event.REVISE: MOVES["revise"],
    Event.START: MOVES["the requester executes"],
}
# A job starts what counts down, and nobody before it: tests/integration/test_glass_that_fires.py.
BY_A_JOB = {(State.COUNTING_DOWN, Event.START)}
RUNNING = "executor = requester, execution = 'exe_1', started_at = filed_at, execute_by = approve_by"
SEEDS = dict.fromkeys((State.EXECUTING, State.EXECUTED, State.FAILED), RUNNING) | {
    State.COUNTING_DOWN: "execute_by = approve_by"
}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_stage(BY_HAND) as stage:
        yield stage


def put_into(stage: Stage, state: State) -> None:
    """Let the request stand in a state: by a vote where that counts, otherwise by the hand of a database's owner."""
    if state is State.APPROVED:
        stage.vote(BY_HAND.first_voter)
        return
    also = SEEDS.get(state, "version = version")
    stage.file.execute(f"UPDATE request SET state = ?, {also}", (state.value,))
    stage.file.commit()


def fault(stage: Stage, state: State, event: Event) -> str | None:
    """Fire one verb at one state, and return what went otherwise than the machine says."""
    move, since, version = VERBS[event], stage.last_entry(), stage.standing()[1]
    result = move.act(stage)
    now, moved = stage.standing()
    entries = stage.entries(since)
    own = [entry for entry in entries if entry["action"] in move.own]
    wanted = after(state, event) is not None and (state, event) not in BY_A_JOB
    said = f"{state} and {event}: {result}, now {now}, {[entry['action'] for entry in entries]}"
    if len(own) != 1 or len(entries) != len({entry["action"] for entry in entries}):
        return f"not one entry of its own: {said}"
    if wanted:
        is_right = not isinstance(result, Deny) and own[0]["action"] not in REFUSALS and moved > version
        return None if is_right and now in reachable(state, moved - version) else f"declared and not done: {said}"
    is_refused = isinstance(result, Deny) and own[0]["action"] in REFUSALS and own[0]["outcome"] == "denied"
    return None if is_refused and (now, moved) == (state, version) else f"undeclared and not refused: {said}"


def test_every_verb_at_every_state_does_what_the_machine_declares_and_no_more(stage: Stage) -> None:
    first, faults, tried = stage.moment(), [], 0
    for state in State:
        put_into(stage, state)
        here = stage.moment()
        for event in VERBS:
            faults.append(fault(stage, state, event))
            tried += 1
            stage.back_to(here)
        stage.back_to(first)
    assert tried == len(State) * len(VERBS)
    assert not any(faults), "\n".join(filter(None, faults))


def test_time_ends_what_the_machine_says_and_leaves_the_rest(stage: Stage) -> None:
    first, ended = stage.moment(), set[State]()
    for state in State:
        put_into(stage, state)
        since = stage.last_entry()
        stage.clock.pass_by(hours=9)
        end_overdue(stage.house)
        end_overdue(stage.house)
        told = [entry for entry in stage.entries(since) if entry["action"] == "request.expired"]
        wanted = after(state, Event.EXPIRE)
        assert stage.standing()[0] is (wanted or state), state
        assert len(told) == (wanted is not None), state
        ended |= {state} if wanted else set()
        stage.back_to(first)
    assert ended == {State.PENDING, State.APPROVED, State.COUNTING_DOWN}


def test_the_recovery_looks_at_what_runs_and_touches_nothing_else(stage: Stage) -> None:
    """What runs here is over with its transaction, so one that stands is nobody's: it is said once, and not guessed."""
    first = stage.moment()
    for state in State:
        put_into(stage, state)
        stage.clock.pass_by(minutes=5)
        since = stage.last_entry()
        settled = [word for _round in range(2) for _request, word in recover_executions(stage.house)]
        actions = [entry["action"] for entry in stage.entries(since)]
        wanted = (["unknown"] * 2, ["action.unknown"]) if state is State.EXECUTING else ([], [])
        assert (stage.standing()[0], settled, actions) == (state, *wanted)
        stage.back_to(first)
