"""The pure request machine, walked exhaustively: all pairs, all short orders of moves, both clocks, small quorums."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, combinations, combinations_with_replacement, product

import pytest

from console.domain import requests
from console.domain.decisions import GroupNeed
from console.domain.ids import PersonKey
from console.domain.requests import TRANSITIONS, Event, Request, State, after, missing_needs
from console.domain.staff import Role
from tests.unit.fakes import NOON
from tests.unit.proposals import LEADS, MONEY, proposal, resealed

CLOCKED = (State.PENDING, State.APPROVED, State.COUNTING_DOWN)
TICK = timedelta(microseconds=1)
MATRIX = """
                 submit  revise  vote    quorum   reject   cancel    expire           void_votes drift revoke  start     finish   fail
draft            pending draft   -       -        -        cancelled -                -          -     -       -         -        -
pending          -       pending pending approved rejected cancelled expired_pending  -          stale -       -         -        -
approved         -       -       -       -        -        cancelled expired_approved pending    stale revoked executing -        -
counting_down    -       -       -       -        -        cancelled expired_approved -          stale revoked executing -        -
executing        -       -       -       -        -        -         -                -          -     -       -         executed failed
stale            -       pending -       -        -        cancelled -                -          -     -       -         -        -
executed         -       -       -       -        -        -         -                -          -     -       -         -        -
failed           -       -       -       -        -        -         -                -          -     -       -         -        -
rejected         -       -       -       -        -        -         -                -          -     -       -         -        -
cancelled        -       -       -       -        -        -         -                -          -     -       -         -        -
expired_pending  -       -       -       -        -        -         -                -          -     -       -         -        -
expired_approved -       -       -       -        -        -         -                -          -     -       -         -        -
revoked          -       -       -       -        -        -         -                -          -     -       -         -        -
"""  # noqa: E501  a table is read across


def declared() -> Mapping[tuple[State, Event], State | None]:
    """Return the table above."""
    head, *rows = MATRIX.strip().splitlines()
    events = [Event(word) for word in head.split()]
    cells: dict[tuple[State, Event], State | None] = {}
    for row in rows:
        state, *targets = row.split()
        cells |= {
            (State(state), event): None if word == "-" else State(word)
            for event, word in zip(events, targets, strict=True)
        }
    return cells


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=lambda part: part.value)
def test_each_pair_of_state_and_event_leads_where_the_table_says(state: State, event: Event) -> None:
    assert after(state, event) is declared()[state, event]


# --- every order of moves -------------------------------------------------------------------------------------------


FILED = proposal()


@dataclass
class Walk:
    """One request, driven only by the functions of the domain; what a use case would store is kept here."""

    request: Request = FILED
    now: datetime = NOON
    voters: dict[str, frozenset[Role]] = field(default_factory=dict)
    voted_on: dict[str, str] = field(default_factory=dict)
    effects: int = 0
    faults: list[str] = field(default_factory=list)
    ended: bool = False

    def after(self, move: str) -> "Walk":
        """Return a walk that has gone one move further."""
        walk = Walk(
            self.request, self.now, dict(self.voters), dict(self.voted_on), self.effects, list(self.faults), self.ended
        )
        MOVES[move](walk)
        return walk

    def move(self, event: Event, **fields: object) -> bool:
        """Take one transition as the use cases do: the clocks first, then the table."""
        lapsed = self.request.state_at(self.now)
        if lapsed is not self.request.state:
            assert after(self.request.state, Event.EXPIRE) is lapsed
            self.request = replace(self.request, state=lapsed)
        to = after(self.request.state, event)
        if to is None:
            return False
        if self.ended:
            self.faults.append(f"{event} after the end")
        moved = replace(self.request, state=to, version=self.request.version + 1)
        self.request = replace(moved, **fields)  # type: ignore[arg-type]  # columns of Request
        ends = {State.REJECTED, State.CANCELLED, State.REVOKED, State.EXPIRED_PENDING, State.EXPIRED_APPROVED}
        self.ended = self.ended or self.request.state in ends
        return True

    def vote(self, name: str, *roles: Role) -> None:
        """Vote once per person and revision; who asks has no vote."""
        person = PersonKey(f"local|stf_{name}")
        if person in self.request.requesters or self.voted_on.get(person) == self.request.digest:
            return
        before = dict(self.voters)
        voters = {**self.voters, person: frozenset(roles)}
        keyed = {PersonKey(key): held for key, held in voters.items()}
        is_met = not missing_needs(self.request.needs, keyed)
        execute_by = self.now + timedelta(minutes=self.request.execute_minutes) if is_met else None
        self.voters = voters
        if not self.move(Event.QUORUM if is_met else Event.VOTE, execute_by=execute_by):
            self.voters = before
            return
        self.voted_on[person] = self.request.digest

    def revise(self) -> None:
        """File another revision: another digest, no votes, fresh clocks."""
        value = self.request.revision + 25
        fields: dict[str, object] = {
            "revision": self.request.revision + 1,
            "params": {**self.request.params, "value": value},
            "approve_by": self.now + timedelta(minutes=240),
            "execute_by": None,
        }
        if self.move(Event.REVISE, **fields):
            self.request = resealed(self.request)
            self.voters = {}

    def start(self) -> None:
        """Run the action, and hold the run against what must be true of it."""
        request, voters = self.request, dict(self.voters)
        if not self.move(Event.START):
            return
        self.effects += 1
        if self.effects > 1:
            self.faults.append("executed twice")
        if not voters or request.requesters & voters.keys():
            self.faults.append("executed alone")
        if any(self.voted_on[person] != request.digest for person in voters):
            self.faults.append("executed on another digest")
        if not ({Role.SUPPORT_LEAD, Role.FINANCE_LEAD} <= frozenset(chain.from_iterable(voters.values()))):
            self.faults.append("executed without one group")
        if request.execute_by is None or self.now >= request.execute_by:
            self.faults.append("executed too late")

    def void(self) -> None:
        """Let the support lead lose the role: the vote is void, the request waits again."""
        if "local|stf_lea" in self.voters and self.move(Event.VOID_VOTES, execute_by=None):
            del self.voters["local|stf_lea"]

    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


def simple(event: Event) -> Callable[[Walk], None]:
    def take(walk: Walk) -> None:
        walk.move(event)

    return take


MOVES: dict[str, Callable[[Walk], None]] = {
    "support lead votes": lambda walk: walk.vote("lea", Role.SUPPORT_LEAD),
    "finance lead votes": lambda walk: walk.vote("tom", Role.FINANCE_LEAD),
    "holder of both votes": lambda walk: walk.vote("bo", Role.SUPPORT_LEAD, Role.FINANCE_LEAD),
    "requester votes": lambda walk: walk.vote("robin", Role.SUPPORT_LEAD, Role.FINANCE_LEAD),
    "reject": simple(Event.REJECT),
    "cancel": simple(Event.CANCEL),
    "revoke": simple(Event.REVOKE),
    "drift": simple(Event.DRIFT),
    "revise": Walk.revise,
    "void": Walk.void,
    "start": Walk.start,
    "finish": simple(Event.FINISH),
    "an hour passes": lambda walk: walk.wait(60),
    "four hours pass": lambda walk: walk.wait(240),
    "the clock jumps back": lambda walk: walk.wait(-300),
}
APPROVED_BY_TWO = ("support lead votes", "finance lead votes")


def walked(moves: Iterable[str]) -> Walk:
    walk = Walk()
    for move in moves:
        walk = walk.after(move)
    return walk


def orders(length: int, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Walk]]:
    """Walk every order of moves; orders with the same beginning share the walk up to there."""

    def further(moves: tuple[str, ...], walk: Walk, left: int) -> Iterator[tuple[tuple[str, ...], Walk]]:
        if left == 0:
            yield moves, walk
            return
        for move in MOVES:
            yield from further((*moves, move), walk.after(move), left - 1)

    return further(before, walked(before), length)


def faults_of_all_orders(length: int, before: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Return each kind of fault found in any order of moves, with the first order that shows it."""
    found: dict[str, tuple[str, ...]] = {}
    for moves, walk in orders(length, before):
        for fault in walk.faults:
            found.setdefault(fault, moves)
    return found


@pytest.mark.parametrize("length", [3, 4])
def test_no_order_of_moves_runs_alone_twice_late_or_after_the_end(length: int) -> None:
    assert faults_of_all_orders(length) == {}


def test_no_order_of_moves_after_an_approval_does_either() -> None:
    assert faults_of_all_orders(3, APPROVED_BY_TWO) == {}


def test_some_orders_do_run() -> None:
    runs = [moves for moves, walk in orders(3) if walk.effects]
    assert (*APPROVED_BY_TWO, "start") in runs
    assert all(moves[2] == "start" and set(moves[:2]) <= {*APPROVED_BY_TWO, "holder of both votes"} for moves in runs)


def test_a_revision_needs_every_vote_again() -> None:
    again = ("support lead votes", "revise", "finance lead votes", "start")
    assert walked(again).effects == 0
    assert walked(("support lead votes", "revise", *APPROVED_BY_TWO, "start")).effects == 1


SEEDED = [
    (State.EXECUTING, Event.START, State.EXECUTING, "executed twice"),
    (State.EXECUTED, Event.START, State.EXECUTING, "executed twice"),
    (State.PENDING, Event.START, State.EXECUTING, "executed alone"),
    (State.REJECTED, Event.REVISE, State.PENDING, "revise after the end"),
    (State.CANCELLED, Event.START, State.EXECUTING, "start after the end"),
    (State.REVOKED, Event.START, State.EXECUTING, "start after the end"),
    (State.EXPIRED_APPROVED, Event.START, State.EXECUTING, "executed too late"),
]


@pytest.mark.parametrize(
    ("state", "event", "to", "fault"), SEEDED, ids=[f"{state} {event}" for state, event, _to, _fault in SEEDED]
)
def test_the_walk_finds_a_seeded_fault(
    state: State, event: Event, to: State, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "TRANSITIONS", {**TRANSITIONS, (state, event): to})
    assert fault in faults_of_all_orders(3, APPROVED_BY_TWO) | faults_of_all_orders(3)


def test_the_walk_finds_a_clock_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "state_at", lambda request, _now: request.state)
    assert "executed too late" in faults_of_all_orders(2, APPROVED_BY_TWO)


def test_the_walk_finds_a_quorum_that_forgets_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "missing_needs", lambda _needs, voters: () if voters else (LEADS,))
    assert "executed without one group" in faults_of_all_orders(3)


# --- the two clocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "state"),
    [(-TICK, State.PENDING), (timedelta(), State.EXPIRED_PENDING), (TICK, State.EXPIRED_PENDING)],
)
def test_approval_ends_exactly_at_approve_by(offset: timedelta, state: State) -> None:
    request = proposal()
    assert request.state_at(request.approve_by + offset) is state


@pytest.mark.parametrize(
    ("offset", "state"),
    [(-TICK, State.APPROVED), (timedelta(), State.EXPIRED_APPROVED), (TICK, State.EXPIRED_APPROVED)],
)
def test_execution_ends_exactly_at_execute_by(offset: timedelta, state: State) -> None:
    request = proposal(state=State.APPROVED, execute_by=NOON + timedelta(minutes=90))
    assert request.state_at(NOON + timedelta(minutes=90) + offset) is state


def test_an_approved_request_outlives_its_first_clock() -> None:
    request = proposal(state=State.APPROVED, execute_by=NOON + timedelta(minutes=299))
    assert request.state_at(request.approve_by + TICK) is State.APPROVED


@pytest.mark.parametrize("state", CLOCKED)
def test_a_clock_before_the_filing_ends_it(state: State) -> None:
    request = proposal(state=state, execute_by=NOON + timedelta(minutes=60))
    assert request.state_at(NOON) is state
    assert request.state_at(NOON - TICK) is after(state, Event.EXPIRE)


def test_an_approval_without_a_clock_counts_as_run_out() -> None:
    assert proposal(state=State.APPROVED, execute_by=None).state_at(NOON) is State.EXPIRED_APPROVED


@pytest.mark.parametrize("state", [state for state in State if state not in CLOCKED])
def test_the_clocks_leave_every_other_state_alone(state: State) -> None:
    request = proposal(state=state, execute_by=NOON)
    for moment in (NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)):
        assert request.state_at(moment) is state


# --- quorums --------------------------------------------------------------------------------------------------------

ROLES = (Role.SUPPORT_LEAD, Role.FINANCE_LEAD, Role.ON_CALL)
SUBSETS = [frozenset(subset) for size in range(4) for subset in combinations(ROLES, size)]


def people(*roles: frozenset[Role]) -> dict[PersonKey, frozenset[Role]]:
    return {PersonKey(f"p{number}"): held for number, held in enumerate(roles)}


@cache
def most_seated(seats: tuple[frozenset[Role], ...], held: tuple[frozenset[Role], ...]) -> int:
    """Return the largest number of seats that can be taken, by trying everything."""
    if not held:
        return 0
    best = most_seated(seats, held[1:])
    for index, seat in enumerate(seats):
        if seat & held[0]:
            best = max(best, 1 + most_seated(seats[:index] + seats[index + 1 :], held[1:]))
    return best


GROUPS = [
    GroupNeed(name=f"{'-'.join(sorted(roles))} x{count}", roles=roles, count=count)
    for roles in SUBSETS[1:]
    for count in (1, 2)
]


def test_missing_seats_agree_with_trying_every_seating() -> None:
    crowds = [crowd for size in range(4) for crowd in combinations_with_replacement(SUBSETS, size)]
    for needs in chain([()], ((group,) for group in GROUPS), combinations(GROUPS, 2)):
        seats = tuple(need.roles for need in needs for _seat in range(need.count))
        for crowd in crowds:
            missing = missing_needs(needs, people(*crowd))
            assert sum(need.count for need in missing) == len(seats) - most_seated(seats, crowd)
            if missing:
                helped = [*crowd, *(need.roles for need in missing for _seat in range(need.count))]
                assert missing_needs(needs, people(*helped)) == ()


def test_one_person_in_two_groups_counts_once() -> None:
    both = frozenset({Role.SUPPORT_LEAD, Role.FINANCE_LEAD})
    assert len(missing_needs((LEADS, MONEY), people(both))) == 1
    assert missing_needs((LEADS, MONEY), people(both, both)) == ()


def test_a_person_of_two_groups_makes_room_for_a_narrower_one() -> None:
    both = frozenset({Role.SUPPORT_LEAD, Role.FINANCE_LEAD})
    for crowd in ((both, LEADS.roles), (LEADS.roles, both), (both, MONEY.roles), (MONEY.roles, both)):
        assert missing_needs((LEADS, MONEY), people(*crowd)) == ()


def test_three_of_a_group_need_three_people() -> None:
    three = replace(LEADS, count=3)
    assert missing_needs((three,), people(*[LEADS.roles] * 2)) == (replace(LEADS, count=1),)
    assert missing_needs((three,), people(*[LEADS.roles] * 3)) == ()
    assert missing_needs((three,), {}) == (three,)
