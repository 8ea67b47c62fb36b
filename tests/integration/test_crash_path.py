"""A tenant on another plane: the process dies at every step, a slow one races its own recovery, the plane is away."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.domain.errors import OutsideError
from console.domain.ids import ExecutionId, PlaneId, RequestId
from console.domain.requests import State
from console.domain.tenancy import TenantScope
from console.ports.planes import Planes, TenantPlane
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.outcomes import Ran, Unsettled
from console.usecases.recover_executions import recover_executions
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.cast import PaperSigner, PaperSink
from tests.integration.race_world import Watched
from tests.integration.stage import FAR, OVERRIDE, Stage, behind, book, by_hand, new_urls, opened_stage, settle_in

EFFECTS = "SELECT count(*) FROM plane_entitlement_override"
APPLIED = "SELECT count(*) FROM plane_applied_execution WHERE outcome = ?"


class Killed(BaseException):
    """The process is gone from here on."""


def die() -> None:
    """Be killed."""
    raise Killed


def nothing() -> None:
    """Go on."""


class Meddled:
    """The real planes with something happening before, inside and after a writing transaction there."""

    def __init__(
        self,
        planes: Planes,
        *,
        before: Callable[[], None] = nothing,
        marked: Callable[[], None] = nothing,
        inside: Callable[[], None] = nothing,
        after: Callable[[], None] = nothing,
    ) -> None:
        """Keep what happens: before it begins, once the execution is marked, before the commit, after the commit."""
        self._planes = planes
        self._before = before
        self._marked = marked
        self._inside = inside
        self._after = after

    def shares_control(self, plane: PlaneId) -> bool:
        """Ask the real planes."""
        return self._planes.shares_control(plane)

    @contextmanager
    def read(self, scope: TenantScope) -> Iterator[TenantPlane]:
        """Read for real."""
        with self._planes.read(scope) as plane:
            yield plane

    @contextmanager
    def write(self, scope: TenantScope) -> Iterator[TenantPlane]:
        """Write for real, with the interruptions."""
        self._before()
        with self._planes.write(scope) as plane:
            yield _Marking(plane, self._marked)  # type: ignore[misc]
            self._inside()
        self._after()


class _Marking:
    """A tenant's plane that tells when the execution was marked there."""

    def __init__(self, plane: TenantPlane, marked: Callable[[], None]) -> None:
        self._plane = plane
        self._marked = marked

    def __getattr__(self, name: str) -> object:
        return getattr(self._plane, name)

    def mark_applied(self, execution: ExecutionId, *, outcome: str, at: object) -> None:
        self._plane.mark_applied(execution, outcome=outcome, at=at)  # type: ignore[arg-type]
        self._marked()


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock(), policy=by_hand(book(), OVERRIDE)) as opened:
        settle_in(opened, ["acme"], far=["zeta"])
        opened.open("support_agent", "zeta")
        yield opened


def approved(stage: Stage, value: int = 300) -> RequestId:
    request = stage.filed("support_agent", "zeta", value)
    assert stage.approve("finance_lead", request).request.state is State.APPROVED
    return request.id


def run(stage: Stage, house: House, request: RequestId) -> object:
    return execute_request(house, stage.actor("support_agent"), request_id=request)


def recover(stage: Stage, house: House | None = None) -> list[str]:
    """Recover two minutes and a second later."""
    clock = stage.house.clock
    assert isinstance(clock, HandClock)
    clock.pass_by(seconds=121)
    return [word for _request, word in recover_executions(house or stage.house)]


def effects(stage: Stage) -> tuple[int, int, int]:
    """Return overrides, executions applied and executions abandoned on the far plane."""
    return (
        stage.count(EFFECTS, plane=FAR),
        stage.count(APPLIED, "applied", plane=FAR),
        stage.count(APPLIED, "abandoned", plane=FAR),
    )


def outcomes(stage: Stage, request: RequestId) -> dict[str, int]:
    """Return how many entries of an execution there are, those that are there at all."""
    names = ("action.intent", "action.executed", "action.failed", "action.unknown")
    return {name: often for name in names if (often := stage.entries(name, request))}


def dangling(stage: Stage) -> int:
    """Return intents without an outcome, in a trail that must be sound anyway."""
    sequencer = stage.storage.sequencer(PaperSigner(), PaperSink())
    while sequencer.run_once():
        pass
    found = sequencer.verify()
    assert not [finding for finding in found.findings if finding.kind.value != "no_outside_copy"]
    return len(found.dangling_intents)


def test_it_runs_on_another_plane_with_intent_and_outcome(stage: Stage) -> None:
    request = approved(stage)
    assert isinstance(run(stage, stage.house, request), Ran)
    assert effects(stage) == (1, 1, 0)
    assert outcomes(stage, request) == {"action.intent": 1, "action.executed": 1}
    assert dangling(stage) == 0
    assert recover(stage) == []


@pytest.mark.checklist("V2.3.3")
@pytest.mark.parametrize(
    ("step", "outcome", "left"),
    [
        ("before", State.FAILED, (0, 0, 1)),
        ("marked", State.FAILED, (0, 0, 1)),
        ("inside", State.FAILED, (0, 0, 1)),
        ("after", State.EXECUTED, (1, 1, 0)),
    ],
)
def test_after_a_crash_it_asks_the_plane_and_writes_the_right_outcome(
    stage: Stage, step: str, outcome: State, left: tuple[int, int, int]
) -> None:
    request = approved(stage)
    with pytest.raises(Killed):
        run(stage, behind(stage, planes=Meddled(stage.house.planes, **{step: die})), request)
    assert stage.now(request).state is State.EXECUTING
    assert outcomes(stage, request) == {"action.intent": 1}
    assert dangling(stage) == 1
    assert recover_executions(stage.house) == []  # a process that is only slow gets its two minutes
    assert recover(stage) == [{State.EXECUTED: "executed", State.FAILED: "failed"}[outcome]]
    assert stage.now(request).state is outcome
    assert effects(stage) == left
    told = "action.executed" if outcome is State.EXECUTED else "action.failed"
    assert outcomes(stage, request) == {"action.intent": 1, told: 1}
    assert dangling(stage) == 0
    assert recover(stage) == []
    notices = "SELECT count(*) FROM notice WHERE path = ? AND kind = ?"
    assert stage.count(notices, f"/requests/{request}", outcome.value) <= 1


def test_a_crash_before_the_intent_is_committed_leaves_an_approved_request(stage: Stage) -> None:
    request = approved(stage)

    class Dying(Watched):
        @contextmanager
        def write(self) -> Iterator[object]:  # type: ignore[override]
            with super().write() as unit:
                yield unit
                die()

    with pytest.raises(Killed):
        run(stage, behind(stage, store=Dying(stage.storage.store)), request)
    assert stage.now(request).state is State.APPROVED
    assert outcomes(stage, request) == {}
    assert isinstance(run(stage, stage.house, request), Ran)
    assert effects(stage) == (1, 1, 0)


def test_a_crash_of_the_recovery_itself_is_recovered(stage: Stage) -> None:
    request = approved(stage)
    with pytest.raises(Killed):
        run(stage, behind(stage, planes=Meddled(stage.house.planes, before=die)), request)
    for step in ("marked", "after"):  # the fence is taken back once, and stands the second time
        with pytest.raises(Killed):
            recover(stage, behind(stage, planes=Meddled(stage.house.planes, **{step: die})))
        assert stage.now(request).state is State.EXECUTING
    assert effects(stage) == (0, 0, 1)
    assert recover(stage) == ["failed"]
    assert outcomes(stage, request) == {"action.intent": 1, "action.failed": 1}
    assert effects(stage) == (0, 0, 1)


def test_a_slow_process_that_comes_after_the_fence_changes_nothing(stage: Stage) -> None:
    request = approved(stage)
    recovered: list[str] = []
    slow = Meddled(stage.house.planes, before=lambda: recovered.extend(recover(stage)))
    assert isinstance(run(stage, behind(stage, planes=slow), request), Unsettled)
    assert recovered == ["failed"]
    assert stage.now(request).state is State.FAILED
    assert effects(stage) == (0, 0, 1)
    assert outcomes(stage, request) == {"action.intent": 1, "action.failed": 1}


def test_a_slow_process_that_was_applied_before_the_fence_is_executed_once(stage: Stage) -> None:
    request = approved(stage)
    recovered: list[str] = []
    slow = Meddled(stage.house.planes, after=lambda: recovered.extend(recover(stage)))
    answer = run(stage, behind(stage, planes=slow), request)
    assert isinstance(answer, Ran)
    assert answer.request == stage.now(request)
    assert recovered == ["executed"]
    assert stage.now(request).state is State.EXECUTED
    assert effects(stage) == (1, 1, 0)
    assert outcomes(stage, request) == {"action.intent": 1, "action.executed": 1}


def test_a_slow_process_and_the_fence_at_once_have_one_winner(stage: Stage) -> None:
    seen: set[State] = set()
    for number in range(6):
        request = approved(stage, 300 + number)
        stuck, go = threading.Event(), threading.Event()
        told: list[object] = []

        def hold(stuck: threading.Event = stuck, go: threading.Event = go) -> None:
            stuck.set()
            go.wait(5)

        at = "inside" if number % 2 else "before"
        slow = behind(stage, planes=Meddled(stage.house.planes, **{at: hold}))

        def slowly(house: House = slow, request: RequestId = request, told: list[object] = told) -> None:
            try:
                told.append(run(stage, house, request))
            except OutsideError as lost:
                told.append(lost)

        thread = threading.Thread(target=slowly)
        thread.start()
        assert stuck.wait(10)
        recovery = threading.Thread(target=lambda told=told: told.append(recover(stage)))
        recovery.start()
        recovery.join(0.3)  # held up by the plane's own lock while the slow one is inside
        go.set()
        thread.join()
        recovery.join()
        state = stage.now(request).state
        seen.add(state)
        word = "action.executed" if state is State.EXECUTED else "action.failed"
        assert outcomes(stage, request) == {"action.intent": 1, word: 1}, told
        stage.open("support_agent", "zeta")
    done = stage.count("SELECT count(*) FROM request WHERE state = 'executed'")
    assert effects(stage) == (done, done, 6 - done)
    assert seen == {State.EXECUTED, State.FAILED}
    assert dangling(stage) == 0


def away() -> None:
    """Be unreachable."""
    raise OutsideError("The plane does not answer.", permanent=False)


@pytest.mark.parametrize("was_applied", [True, False])
def test_a_plane_that_is_away_is_recorded_once_and_settled_when_it_is_back(stage: Stage, was_applied: bool) -> None:
    request = approved(stage)
    step = "after" if was_applied else "before"
    assert isinstance(run(stage, behind(stage, planes=Meddled(stage.house.planes, **{step: away})), request), Unsettled)
    gone = behind(stage, planes=Meddled(stage.house.planes, before=away))
    assert [recover(stage, gone) for _ in range(3)] == [["unknown"]] * 3
    assert stage.now(request).state is State.EXECUTING
    assert outcomes(stage, request) == {"action.intent": 1, "action.unknown": 1}
    assert recover(stage) == ["executed" if was_applied else "failed"]
    assert effects(stage) == ((1, 1, 0) if was_applied else (0, 0, 1))
    word = "action.executed" if was_applied else "action.failed"
    assert outcomes(stage, request) == {"action.intent": 1, "action.unknown": 1, word: 1}
    assert recover(stage) == []


def test_an_outcome_that_cannot_be_written_is_written_by_the_recovery(stage: Stage) -> None:
    request = approved(stage)

    class Failing(Watched):
        begun = 0

        @contextmanager
        def write(self) -> Iterator[object]:  # type: ignore[override]
            self.begun += 1
            if self.begun > 1:
                raise OutsideError("The control store does not answer.", permanent=False)
            with super().write() as unit:
                yield unit

    with pytest.raises(OutsideError):
        run(stage, behind(stage, store=Failing(stage.storage.store)), request)
    assert stage.now(request).state is State.EXECUTING
    assert recover(stage) == ["executed"]
    assert effects(stage) == (1, 1, 0)
    assert outcomes(stage, request) == {"action.intent": 1, "action.executed": 1}
