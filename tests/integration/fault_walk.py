"""Asks for a governed action, has it approved and run, and lets one step of its databases fail after another.

After each the house goes on as people would: the same is sent again, and what follows comes after. It must come to the
same end as without the fault.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from console.domain.decisions import Deny
from console.domain.errors import OutsideError, TrailUnavailableError
from console.domain.ids import ActionKey, RequestId
from console.domain.reasons import Reason
from console.domain.requests import Request, State, Verdict
from console.domain.staff import Actor
from console.ports.actions import Reach
from console.storage.sittings import sitting
from console.usecases.execute_request import execute_request
from console.usecases.parameters import Raw
from console.usecases.propose_action import propose_action
from console.usecases.read_requests import read_request
from console.usecases.recover_executions import recover_executions
from console.usecases.vote_on_request import vote_on_request
from tests.going_back import WayBack, way_back
from tests.integration.faulting import Faults
from tests.integration.plan_actions import ready, voters
from tests.web.cast import PEOPLE, Cast, on_stage
from tests.web.matrix import THIS, actor_of
from tests.web.matrix_scene import Scene, settle
from tests.web.world import TENANTS

# Looked at or knocked twice is recorded twice; who is told twice of one thing is told the truth.
_TWICE = frozenset({"request.read", "request.read_refused", "request.vote_refused"})
_PASSING = ("audit_event", "notice", "throttle_event", "request_rendered", "sqlite_")
_END_S = 150

Verb = Callable[[], object]


@dataclass
class Walk:
    """One action on a stage of its own, and where it began."""

    cast: Cast
    key: str
    actor: Actor
    raw: Raw
    reason: Reason
    form: RequestId
    file: Path
    way: WayBack
    faults: Faults = field(default_factory=Faults)

    def steps(self) -> list[tuple[str, Verb]]:
        """Take every step once and return them; what nobody has to agree to is a single one."""
        found = [("ask", self._ask)]
        assert not isinstance(self._ask(), Deny), self.key
        for who in voters(self.request()):
            if self.request().state is State.PENDING:
                found += [(f"{who} reads", self._reading(who)), (f"{who} votes", self._voting(who))]
                for _, step in found[-2:]:
                    step()
        if self.request().state is State.APPROVED:
            found.append(("run", self._run))
        return found

    def go_on(self, steps: list[tuple[str, Verb]]) -> None:
        """Take steps, run what was approved, and let recovery look at what runs."""
        for _, step in steps:
            step()
        self._run()
        self.cast.clock.pass_by(seconds=_END_S)
        recover_executions(self.cast.house)
        self.cast.clock.pass_by(seconds=-_END_S)

    def request(self) -> Request:
        """Return the request as it stands."""
        with self.cast.house.store.read() as unit:
            found = unit.requests.get(self.form)
        assert found is not None
        return found

    def end(self) -> dict[str, int]:
        """Return how many rows each table has, in which states requests are, and how many entries tell of what."""
        with closing(sqlite3.connect(self.file)) as raw:
            names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            kept = [name for name in names if not name.startswith(_PASSING) and not name.startswith("directory_name_")]
            found = {name: raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in kept}
            found |= Counter(f"request {state}" for (state,) in raw.execute("SELECT state FROM request"))
            entries = Counter(action for (action,) in raw.execute("SELECT action FROM audit_event"))
        return found | {action: many for action, many in entries.items() if action not in _TWICE}

    def _ask(self) -> object:
        action = ActionKey(self.key)
        tenant = TENANTS[THIS] if self.cast.house.registry[action].reach is Reach.TENANT else None
        return propose_action(
            self.cast.house, self.actor, key=action, tenant=tenant, raw=self.raw, reason=self.reason, mark=None,
            form_id=self.form,
        )  # fmt: skip

    def _reading(self, who: str) -> Verb:
        return lambda: read_request(self.cast.house, actor_of(who, self.cast), request_id=self.form)

    def _voting(self, who: str) -> Verb:
        def vote() -> object:
            request = self.request()
            if request.state is not State.PENDING:
                return None
            return vote_on_request(
                self.cast.house, actor_of(who, self.cast), request_id=request.id, digest=request.digest,
                verdict=Verdict.APPROVE,
            )  # fmt: skip

        return vote

    def _run(self) -> object:
        request = self.request()
        if request.state is not State.APPROVED:
            return None
        asker = next(who for who, person in PEOPLE.items() if person.id == request.requester)
        return execute_request(self.cast.house, actor_of(asker, self.cast), request_id=request.id)


def opened_walk(opened: ExitStack, path: Path, key: str) -> Walk:
    """Bring an action onto a stage, ready to be asked for."""
    cast = opened.enter_context(on_stage(path))
    scene = Scene(cast=cast)
    settle(cast)
    actor, raw, reason = ready(scene, key)
    form = RequestId(cast.house.ids.new("req"))
    way = opened.enter_context(way_back(path))
    return Walk(cast, key, actor, raw, reason, form, path, way)


def walked(path: Path, key: str, *, stride: int, offset: int) -> Iterator[str]:
    """Let every commit of an action and every so many other steps fail; yield what is wrong afterwards."""
    with ExitStack() as opened:
        walk = opened_walk(opened, path, key)
        first = walk.way.here(is_first=True)
        steps = walk.steps()
        walk.go_on([])
        wanted = walk.end()
        walk.way.back_to(first)
        opened.enter_context(walk.faults.among(walk.cast.storage.engines()))
        for number, (name, step) in enumerate(steps):
            place, provider = walk.way.here(), deepcopy(vars(walk.cast.house.provider))
            for at, what, is_lost in _plan(walk, step, stride=stride, offset=offset):
                walk.way.back_to(place)
                vars(walk.cast.house.provider).update(deepcopy(provider))
                said = _struck(walk, step, at, is_lost=is_lost)
                if walk.way.here().frames == place.frames and not said:
                    continue
                walk.go_on(steps[number:])
                found = walk.end()
                apart = {each: (wanted.get(each, 0), found.get(each, 0)) for each in {*wanted, *found}
                         if wanted.get(each, 0) != found.get(each, 0)}  # fmt: skip
                if said or apart:
                    yield f"{key}, {name}, step {at} {what}{' (answer lost)' if is_lost else ''}: {said or ''} {apart}"
            walk.way.back_to(place)
            step()


def _plan(walk: Walk, step: Verb, *, stride: int, offset: int) -> Iterator[tuple[int, str, bool]]:
    walk.faults.reset()
    with sitting():
        step()
    for at, what in enumerate(tuple(walk.faults.seen), start=1):
        if what == "COMMIT":
            yield at, what, True
        if what == "COMMIT" or at % stride == offset % stride:
            yield at, what, False


def _struck(walk: Walk, step: Verb, at: int, *, is_lost: bool) -> str | None:
    """Take a step that fails half way; return what is wrong with how it ended."""
    walk.faults.reset(at, is_answer_lost=is_lost)
    try:
        with sitting():
            answer = step()
    except (OutsideError, TrailUnavailableError):
        return None
    except Exception as bug:  # noqa: BLE001  whatever it is, the page would be a fault of the console
        return f"a bug: {bug!r:.200}"
    else:
        return f"nobody noticed: {answer!r:.100}"
    finally:
        walk.faults.reset()
