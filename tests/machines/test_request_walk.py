"""The real use cases, walked through every order of three moves: no order of events runs alone, twice, late or unseen.

Orders with a common beginning share it, and an order whose beginning led to a state that was walked from before is
walked only once: what a step does depends on what is stored and on the clock, both of which are compared whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.domain.decisions import Deny
from console.domain.ids import ActionKey, PersonKey
from console.domain.requests import TRANSITIONS, Event, Request, State, Verdict, after
from console.domain.staff import Role
from console.usecases.outcomes import Drifted, Ran
from console.usecases.vote_on_request import Voted
from tests.machines.stage import Plot, Stage, set_stage
from tests.web.cast import PEOPLE

BY_HAND = Plot(
    action=ActionKey("entitlement.override"),
    requester="support_agent",
    first_voter="finance_lead",
    second_voter="finance_lead_2",
    runs="by_hand",
    needs=1,
)
ON_APPROVAL = Plot(
    action=ActionKey("tenant.suspend"),
    requester="support_lead",
    first_voter="support_lead_2",
    second_voter="finance_lead",
    runs="on_approval",
    needs=2,
)
PLOTS = {"one vote, run by hand": BY_HAND, "two votes, run on approval": ON_APPROVAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What somebody does, the event that it asks the machine for, and the entries of which it writes exactly one."""

    act: Callable[[Stage], object]
    event: Event | None = None
    own: frozenset[str] = frozenset()
    by: Callable[[Plot], str] | None = None


def _vote(who: Callable[[Plot], str], verdict: Verdict = Verdict.APPROVE, *, on_first: bool = False) -> Move:
    return Move(
        act=lambda stage: stage.vote(who(stage.plot), verdict, on_first=on_first),
        event=Event.REJECT if verdict is Verdict.REJECT else Event.VOTE,
        own=frozenset({"request.vote", "request.vote_refused"}),
        by=who,
    )


def _requester(plot: Plot) -> str:
    return plot.requester


def _first(plot: Plot) -> str:
    return plot.first_voter


def _second(plot: Plot) -> str:
    return plot.second_voter


EXECUTION = frozenset({"action.executed", "action.failed", "request.execute_refused", "request.stale"})
MOVES: dict[str, Move] = {
    "lead A votes": _vote(_first),
    "lead B votes": _vote(_second),
    "lead B votes on the first digest": _vote(_second, on_first=True),
    "the requester votes": _vote(_requester),
    "lead B rejects": _vote(_second, Verdict.REJECT),
    "cancel": Move(
        act=Stage.cancel,
        event=Event.CANCEL,
        own=frozenset({"request.cancelled", "request.cancel_refused"}),
        by=_requester,
    ),
    "revoke": Move(
        act=Stage.revoke, event=Event.REVOKE, own=frozenset({"request.revoked", "request.revoke_refused"}), by=_first
    ),
    "revise": Move(
        act=Stage.revise, event=Event.REVISE, own=frozenset({"request.revised", "request.refused"}), by=_requester
    ),
    "the requester executes": Move(
        act=lambda stage: stage.execute(stage.plot.requester), event=Event.START, own=EXECUTION, by=_requester
    ),
    "lead A executes": Move(
        act=lambda stage: stage.execute(stage.plot.first_voter), event=Event.START, own=EXECUTION, by=_first
    ),
    "approve_by passes": Move(act=lambda stage: stage.clock.pass_by(minutes=241)),
    "execute_by passes": Move(act=lambda stage: stage.clock.pass_by(minutes=61)),
    "lead A loses the role": Move(act=lambda stage: stage.take_role(stage.plot.first_voter)),
    "the requester is deactivated": Move(
        act=lambda stage: stage.deactivate(stage.plot.requester, with_all_that_rests_on_it=True)
    ),
    "the requester's account is switched off": Move(
        act=lambda stage: stage.deactivate(stage.plot.requester, with_all_that_rests_on_it=False)
    ),
    "the tenant changes": Move(act=Stage.change_tenant),
}
# What a step may bring about besides its own entry, each at most once.
CONSEQUENCES = frozenset(
    {"request.approved", "request.rejected", "request.expired", "request.votes_voided", "lease.expired", *EXECUTION}
)
REFUSALS = {"request.vote_refused", "request.cancel_refused", "request.revoke_refused", "request.refused"} | {
    "request.execute_refused"
}


def reachable(before: State, after_steps: int) -> set[State]:
    """Return the states that so many declared transitions lead to."""
    states = {before}
    for _step in range(after_steps):
        states = {to for (state, _event), to in TRANSITIONS.items() if state in states}
    return states


def supported(stage: Stage, request: Request) -> bool:
    """Return whether enough eligible others agreed to what stands now; written anew, not taken from the console."""
    seats = [
        {Role.FINANCE_LEAD} if stage.plot is BY_HAND else {Role.SUPPORT_LEAD},
        {Role.FINANCE_LEAD, Role.ON_CALL, Role.SUPPORT_LEAD},
    ][: stage.plot.needs]
    roles: dict[PersonKey, frozenset[Role]] = {}
    for vote in stage.votes():
        voter = next(who for who in PEOPLE if PEOPLE[who].id == vote.staff)
        counts = (vote.revision, vote.digest, vote.verdict) == (request.revision, request.digest, Verdict.APPROVE)
        is_live = vote.voided_because is None and request.filed_at <= vote.cast_at < request.approve_by
        if counts and is_live and stage.is_active(voter) and voter != stage.plot.requester:
            roles[vote.person] = stage.roles(voter)
    held = list(roles.values())
    if len(seats) == 1:
        return any(seats[0] & each for each in held)
    return any(
        seats[0] & one and seats[1] & other
        for index, one in enumerate(held)
        for number, other in enumerate(held)
        if index != number
    )


@dataclass
class Walk:
    """Walks from a moment through every order of moves, holding each step against what must be true."""

    stage: Stage
    walked: dict[tuple[object, ...], int] = field(default_factory=dict)
    orders: int = 0
    steps: int = 0
    seen: set[str] = field(default_factory=set)

    def on(self, done: tuple[str, ...], left: int) -> None:
        """Go on from the present moment, and leave everything as it was."""
        here, before, effects = self.stage.moment(), self.stage.request(), self.stage.effects()
        for name, move in MOVES.items():
            self.step((*done, name), move, before=before, effects=effects)
            if left == 1:
                self.orders += 1
            elif self.is_known(left - 1):
                self.orders += len(MOVES) ** (left - 1)
            else:
                self.on((*done, name), left - 1)
            self.stage.back_to(here)

    def is_known(self, left: int) -> bool:
        """Return whether so many moves were walked from this state before, and remember it."""
        state = self.stage.state()
        known = self.walked.get(state, 0) >= left
        self.walked[state] = max(left, self.walked.get(state, 0))
        return known

    def step(self, done: tuple[str, ...], move: Move, *, before: Request, effects: int) -> None:
        """Take one move and check it."""
        self.steps += 1
        stage = self.stage
        if move.by is not None and not stage.is_active(move.by(stage.plot)):
            return  # the door is shut: no live session, no use case
        since = stage.last_entry()
        legal = move.event is not None and after(before.state_at(stage.clock.now()), move.event) is not None
        result = move.act(stage)
        entries = stage.entries(since)
        self.seen |= {str(entry["action"]) for entry in entries}
        try:
            self.check(move, result, before=before, effects=effects, entries=entries, legal=legal)
        except AssertionError as fault:
            message = f"{' → '.join(done)}: {fault} {result} {[entry['action'] for entry in entries]}"
            raise AssertionError(message) from fault

    def check(
        self,
        move: Move,
        result: object,
        *,
        before: Request,
        effects: int,
        entries: list[dict[str, Any]],
        legal: bool,
    ) -> None:
        """Hold one step against everything that must be true of it."""
        stage = self.stage
        state, version = stage.standing()
        actions = [str(entry["action"]) for entry in entries]
        # 1. the stored state moved along declared transitions only, one version each
        assert state in reachable(before.state, version - before.version), "an undeclared transition"
        # 2. at most one effect ever, and only on the word of eligible others, on this digest, in time
        total = stage.effects()
        assert total <= 1, "two effects"
        assert (total > effects) == (actions.count("action.executed") == 1), "effect and entry differ"
        if total > effects:
            now = stage.request()
            assert now.state is State.EXECUTED, "an effect without its state"
            assert supported(stage, now), "an effect without eligible approval"
            assert now.digest == now.recomputed_digest(), "an effect of something else"
            assert now.execute_by is not None
            assert stage.clock.now() < now.execute_by, "an effect too late"
            assert stage.is_active(stage.plot.requester), "an effect for somebody who is gone"
        # 3. exactly one entry of its own, nothing unexpected beside it
        if move.event is None:
            return
        own = [action for action in actions if action in move.own]
        assert len(own) == 1, "not exactly one entry of its own"
        rest = [action for action in actions if action not in move.own]
        assert set(rest) <= CONSEQUENCES, "an unexpected entry"
        assert len(rest) == len(set(rest)), "an entry twice"
        # 4. what the machine does not declare is refused, recorded as refused, and changes nothing but a lapse
        refused = isinstance(result, Deny)
        assert refused == (own[0] in REFUSALS), "refusal and entry differ"
        if not legal:
            assert refused, "an undeclared event was accepted"
        if refused:
            (entry,) = [entry for entry in entries if entry["action"] == own[0]]
            assert entry["outcome"] == "denied"
            ends = {State.EXPIRED_PENDING, State.EXPIRED_APPROVED, State.STALE}
            voided = before.state is State.APPROVED and state is State.PENDING
            assert state in {before.state} | ends or voided, "a refusal that moved the request"


@pytest.fixture(params=list(PLOTS.values()), ids=list(PLOTS))
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with set_stage(request.param) as stage:
        yield stage


@pytest.fixture
def by_hand() -> Iterator[Stage]:
    with set_stage(BY_HAND) as stage:
        yield stage


@pytest.fixture
def on_approval() -> Iterator[Stage]:
    with set_stage(ON_APPROVAL) as stage:
        yield stage


@pytest.mark.slow
def test_every_order_of_three_moves_keeps_the_promises(stage: Stage) -> None:
    walk = Walk(stage)
    walk.on((), 3)
    assert walk.orders == len(MOVES) ** 3
    shown = {"request.vote", "request.approved", "request.rejected", "request.cancelled", "request.revised"}
    shown |= {"request.expired", "action.executed", "request.stale", "lease.expired"} | REFUSALS
    if stage.plot.runs == "by_hand":
        shown |= {"request.revoked", "request.votes_voided"}
    assert shown <= walk.seen, shown - walk.seen


def test_it_runs_once_and_says_so_when_asked_again(by_hand: Stage) -> None:
    by_hand.vote("finance_lead")
    assert isinstance(by_hand.execute("support_agent"), Ran)
    for who in ("support_agent", "finance_lead"):
        answer = by_hand.execute(who)
        assert isinstance(answer, Deny)
        assert answer.code == "wrong_state"
    assert by_hand.effects() == 1


def test_the_last_vote_sets_it_off_where_policy_says_so(on_approval: Stage) -> None:
    first = on_approval.vote("support_lead_2")
    assert isinstance(first, Voted)
    assert (first.execution, on_approval.effects()) == (None, 0)
    last = on_approval.vote("finance_lead")
    assert isinstance(last, Voted)
    assert isinstance(last.execution, Ran)
    assert on_approval.effects() == 1


def test_a_lost_role_voids_the_vote_and_sends_the_request_back(by_hand: Stage) -> None:
    by_hand.vote("finance_lead")
    by_hand.take_role("finance_lead")
    assert isinstance(by_hand.execute("support_agent"), Deny)
    assert by_hand.request().state is State.PENDING
    assert [vote.voided_because for vote in by_hand.votes()] == ["the voter is no longer eligible"]
    by_hand.vote("finance_lead_2")
    assert isinstance(by_hand.execute("support_agent"), Ran)


def test_what_moved_underneath_is_shown_side_by_side_and_can_be_revised(by_hand: Stage) -> None:
    by_hand.vote("finance_lead")
    by_hand.change_tenant()
    drifted = by_hand.execute("support_agent")
    assert isinstance(drifted, Drifted)
    stale = by_hand.request()
    assert (stale.state, stale.drift) == (State.STALE, drifted.now)
    assert drifted.seen == stale.preview
    by_hand.revise()
    again = by_hand.request()
    assert (again.state, again.revision, again.drift, again.execute_by) == (State.PENDING, 2, None, None)
    assert isinstance(by_hand.vote("finance_lead_2"), Voted)
    assert isinstance(by_hand.execute("support_agent"), Ran)


def test_a_vote_on_the_digest_of_an_older_revision_is_refused(by_hand: Stage) -> None:
    by_hand.revise()
    answer = by_hand.vote("finance_lead", on_first=True)
    assert isinstance(answer, Deny)
    assert answer.code == "stale_digest"


def test_a_direct_edit_of_the_stored_parameters_is_refused_with_an_alarm(by_hand: Stage) -> None:
    by_hand.vote("finance_lead")
    triggers = by_hand.file.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'request_revision'"
    )
    for (name,) in triggers.fetchall():
        by_hand.file.execute(f"DROP TRIGGER {name}")
    by_hand.file.execute("UPDATE request_revision SET params = replace(params, '251', '2510')")
    by_hand.file.commit()
    since = by_hand.last_entry()
    answer = by_hand.execute("support_agent")
    assert isinstance(answer, Deny)
    assert answer.code == "digest_mismatch"
    assert [entry["action"] for entry in by_hand.entries(since)] == [
        "approval.digest_mismatch",
        "request.execute_refused",
    ]
    assert by_hand.effects() == 0


@pytest.mark.parametrize(("microseconds", "runs"), [(-1, True), (0, False), (1, False)])
def test_execution_ends_exactly_at_execute_by_without_any_background_job(
    by_hand: Stage, microseconds: int, runs: bool
) -> None:
    by_hand.vote("finance_lead")
    by_hand.clock.pass_by(minutes=60, microseconds=microseconds)
    assert isinstance(by_hand.execute("support_agent"), Ran) is runs
    assert by_hand.effects() == int(runs)


@pytest.mark.parametrize(("microseconds", "counts"), [(-1, True), (0, False), (1, False)])
def test_approval_ends_exactly_at_approve_by_without_any_background_job(
    by_hand: Stage, microseconds: int, counts: bool
) -> None:
    by_hand.clock.pass_by(minutes=240, microseconds=microseconds)
    assert isinstance(by_hand.vote("finance_lead"), Voted) is counts
