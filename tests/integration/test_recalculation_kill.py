"""A mass recalculation is killed at random moments, from its plan to its end: every tenant is recalculated once."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.domain.recalculations import Progress, Sweep, SweepState
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON, HandClock
from tests.integration.access_desk import LEAD, Desk, too_generous
from tests.integration.job_kill_world import LEASE, PATIENCE_S, Nursery, check_trail, nursery
from tests.integration.stage import FAR, new_urls, opened_stage, rows, settle_in, tenant

HERE = tuple(f"shop{number}" for number in range(90))
AWAY = tuple(f"away{number}" for number in range(40))
SLUGS = (*HERE, *AWAY)
CURRENT, LOSERS = (*HERE[:5], *AWAY[:5]), (*HERE[5:9], *AWAY[5:9])
KILLED_PLANNING, KILLED_RUNNING = 2, 5


@dataclass
class Ground:
    """A desk, and how workers that may be killed are let at its jobs."""

    desk: Desk
    crew: Nursery
    folder: Path
    killed: int = 0

    def hire(self) -> None:
        """Let a worker begin after whatever a killed one held has lapsed."""
        self.desk.clock.moment += LEASE
        planes = {f"DATABASE__PLANES__{name.upper()}": url for name, url in self.desk.stage.urls.items()}
        self.crew.hire(self.desk.stage.url, self.folder, self.desk.clock.now(), **planes)

    def kill_when(self, is_time: Callable[[], bool]) -> None:
        """Let a worker go on until that holds, and kill it a little later."""
        self.hire()
        self.wait(is_time)
        time.sleep(random.Random().uniform(0, 0.02))
        self.crew.kill()
        self.killed += 1

    def end_when(self, is_time: Callable[[], bool]) -> None:
        """Let a worker go on until that holds, and end it in peace."""
        self.hire()
        self.wait(is_time)
        self.crew.dismiss()

    def wait(self, is_time: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_time():
            if time.monotonic() > deadline:
                self.crew.complain("It stands still.")
            time.sleep(0.002)

    def count(self, sql: str) -> int:
        """Return a number that somebody with the control store itself reads."""
        return self.desk.stage.count(sql)

    def is_claimed(self) -> bool:
        """Return whether a worker has a job in hand."""
        now = f"{int(self.desk.clock.now().timestamp())}000000"
        return self.count(f"SELECT count(*) FROM job WHERE state = 'running' AND lease_until > {now}") > 0

    def settled(self) -> int:
        """Return how many tenants are settled."""
        return self.count("SELECT count(*) FROM access_sweep_tenant WHERE state <> 'waiting'")


@pytest.fixture(params=ENGINES)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    create: NewDatabase = request.getfixturevalue("pg_database") if request.param == "postgresql" else lambda: ""
    url, planes = new_urls(request.param, tmp_path, create, far=True)
    clock = HandClock(NOON)
    with opened_stage(url, planes, clock=clock) as stage, nursery(tmp_path) as crew:
        settle_in(stage, HERE, AWAY)
        ours = ", ".join(repr(str(tenant(slug))) for slug in SLUGS)
        for table, name in (("directory_key", "tenant_id"), ("directory_tenant", "id")):
            rows(url, f"DELETE FROM {table} WHERE {name} NOT IN ({ours})")
        desk = FarDesk(stage, clock)
        for slug in CURRENT:
            desk.write(slug)
        for slug in LOSERS:
            desk.write(slug, stored=too_generous())
        yield Ground(desk, crew, tmp_path)


class FarDesk(Desk):
    """A desk with many tenants far away."""

    def is_away(self, slug: str) -> bool:
        return slug in AWAY


def planned(ground: Ground) -> Sweep:
    """Let the plan be made by workers that are killed, and return it."""
    done = ground.desk.ran(LEAD, "entitlement.plan_recalculation", plan="", rate_per_s="50")
    assert done.applied.made is not None
    run = done.applied.made
    for _ in range(KILLED_PLANNING):
        ground.kill_when(ground.is_claimed)
    ground.end_when(lambda: ground.desk.sweep(run).state is not SweepState.PLANNING)
    return ground.desk.sweep(run)


def recalculated(ground: Ground, sweep: Sweep) -> None:
    """Let the run be done by workers that are killed: among the canaries, right after them, and along the way."""
    ground.desk.ran(LEAD, "entitlement.run_recalculation", run=sweep.id)
    dice = random.Random()
    part = sweep.planned / KILLED_RUNNING
    for number in range(KILLED_RUNNING):
        until = dice.randrange(1, 5) if number == 0 else int((number + dice.random()) * part)
        if number == 1:
            ground.end_when(lambda: ground.desk.sweep(sweep.id).canaries_done_at is not None)
        ground.kill_when(lambda until=until: ground.settled() >= until)  # type: ignore[misc]
    ground.end_when(lambda: ground.desk.sweep(sweep.id).state is not SweepState.RUNNING)


@pytest.mark.slow
def test_every_tenant_is_recalculated_once_whoever_is_killed(ground: Ground) -> None:
    stale = set(SLUGS) - set(CURRENT)
    sweep = planned(ground)
    assert (sweep.state, sweep.looked_at, sweep.unreadable) == (SweepState.PLANNED, len(SLUGS), 0)
    assert (sweep.planned, sweep.losing) == (len(stale), len(LOSERS))
    recalculated(ground, sweep)
    ended, stage = ground.desk.sweep(sweep.id), ground.desk.stage
    assert (ended.state, ended.because) == (SweepState.FINISHED, None)
    assert ground.desk.progress(sweep.id) == Progress(done=len(stale))
    # Every tenant has one entry, and its set moved on by one.
    told = rows(stage.url, "SELECT tenant FROM audit_event WHERE action = 'access.recalculated'")
    assert Counter(row[0] for row in told) == Counter(tenant(slug) for slug in stale)
    sets = [each for url in (stage.url, stage.urls[FAR])
            for each in rows(url, "SELECT tenant_id, version, cause FROM plane_effective_set")]  # fmt: skip
    assert sorted(sets) == sorted(
        (tenant(slug), 2 if slug in LOSERS else 1, "test" if slug in CURRENT else sweep.id) for slug in SLUGS
    )
    # What the trail says of the run adds up.
    assert [stage.entries(f"access.{word}") for word in ("planned", "started", "finished", "paused")] == [1, 1, 1, 0]
    ((body,),) = rows(stage.url, "SELECT body FROM audit_event WHERE action = 'access.finished'")
    facts = json.loads(body)["facts"]
    assert (facts["planned"], facts["done"], facts["failed"], facts["held"]) == (len(stale), len(stale), 0, 0)
    check_trail(stage, ground.folder)
    print(f"\n{ground.killed} killed, {stage.entries('job.stalled')} of them with the work in hand; "  # noqa: T201
          f"{len(told)} of {len(SLUGS)} tenants recalculated, {len(AWAY)} live elsewhere")  # fmt: skip
