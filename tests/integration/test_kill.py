"""The serving process is killed in the middle of mixed actions, ten times over: nothing is lost, doubled or halved."""

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from console.adapters.clock import SystemClock
from console.domain.ids import PlaneId
from console.domain.requests import State
from console.usecases.recover_executions import recover_executions
from tests.conftest import NewDatabase
from tests.databases import ENGINES
from tests.integration.kill_world import FAR_AWAY, NEAR, sequencer_in, serve
from tests.integration.stage import FAR, Stage, new_urls, opened_stage, rows, settle_in
from tests.processes import started

KILLS, ACTIONS = 10, 500
PATIENCE_S = 60


@dataclass
class World:
    """The databases, what was acknowledged over all runs, and how the kills went."""

    url: str
    planes: dict[PlaneId, str]
    folder: Path
    acknowledged: list[dict[str, str]] = field(default_factory=list)
    settled: Counter[str] = field(default_factory=Counter)
    dangling: int = 0


def run_and_kill(world: World, *, number: int, actions: int) -> None:
    """Start the program, wait for that many acknowledged actions, and kill it a random moment later."""
    told = {"url": world.url, "far": world.planes[FAR], "folder": str(world.folder), "seed": str(number)}
    said = world.folder / f"said-{number}.txt"
    child, out = started(serve, told, said=said)
    with out:
        heard: list[str] = []
        is_enough = threading.Event()
        reader = threading.Thread(target=_listen, args=(out, heard, actions, is_enough))
        reader.start()
        is_enough.wait(PATIENCE_S)
        time.sleep(random.Random(number).uniform(0, 0.05))
        child.kill()
        child.join()
        reader.join()
    assert child.exitcode == -signal.SIGKILL, said.read_text()
    assert len(heard) >= actions, said.read_text()
    world.acknowledged += [json.loads(line) for line in heard]


def _listen(told: IO[str], heard: list[str], actions: int, is_enough: threading.Event) -> None:
    """Take down every line, also what the killed process had left in the pipe."""
    for line in told:
        heard.append(line)
        if len(heard) >= actions:
            is_enough.set()
    is_enough.set()


def wait_for_silence(world: World) -> None:
    """Wait until the server has noticed that its client is gone; a file needs no such thing."""
    for url in (world.url, *world.planes.values()):
        deadline = time.monotonic() + PATIENCE_S
        while url.startswith("postgresql") and time.monotonic() < deadline:
            left = rows(
                url,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            if left[0][0] == 0:
                break
            time.sleep(0.02)


def both(world: World, sql: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of a statement on both planes."""
    return {"near": rows(world.url, sql), "far": rows(world.planes[FAR], sql)}


def check(world: World) -> None:
    """Recover, place and verify as a restart does, then hold everything against everything."""
    with opened_stage(world.url, world.planes, clock=SystemClock()) as stage:
        sequencer = sequencer_in(stage, world.folder)
        while sequencer.run_once():
            pass
        world.dangling += len(sequencer.verify().dangling_intents)
        while settled := recover_executions(stage.house, older_than_s=0):
            world.settled.update(word for _request, word in settled)
        while sequencer.run_once():
            pass
        found = sequencer.verify()
        assert found.is_sound, "\n".join(map(str, found.findings))
        assert not found.dangling_intents
        assert not found.pending
        assert found.checkpoints
        check_requests(world, stage)
        check_leases(stage)
        check_acknowledged(world, stage)


def check_requests(world: World, stage: Stage) -> None:
    """Effects = executed requests = outcome entries, each exactly once; nothing is under way; nothing is half."""
    requests = rows(world.url, "SELECT id, state, execution, tenant FROM request")
    executed = {row[0]: row[2] for row in requests if row[1] == State.EXECUTED.value}
    failed = {row[0]: row[2] for row in requests if row[1] == State.FAILED.value}
    assert not [row for row in requests if row[1] == State.EXECUTING.value]

    def told(action: str) -> Counter[str]:
        return Counter(
            row[0] for row in rows(world.url, "SELECT correlation FROM audit_event WHERE action = ?", action)
        )

    assert told("action.executed") == Counter(executed.keys())
    assert told("action.failed") == Counter(failed.keys())
    assert told("request.proposed") == Counter(row[0] for row in requests)
    assert set(told("action.intent")) <= executed.keys() | failed.keys()

    applied = [row[0] for each in both(world, "SELECT execution, outcome FROM plane_applied_execution").values()
               for row in each if row[1] == "applied"]  # fmt: skip
    abandoned = [row[0] for each in both(world, "SELECT execution, outcome FROM plane_applied_execution").values()
                 for row in each if row[1] == "abandoned"]  # fmt: skip
    assert sorted(applied) == sorted(executed.values())
    assert sorted(abandoned) == sorted(failed.values())

    effects = both(world, "SELECT id FROM plane_entitlement_override UNION ALL SELECT id FROM plane_note "
                          "WHERE text LIKE 'Called back%'")  # fmt: skip
    assert sum(len(each) for each in effects.values()) == len(executed)

    votes = rows(world.url, "SELECT request FROM request_vote")
    assert told("request.vote") == Counter(row[0] for row in votes)
    approved = "SELECT DISTINCT request FROM request_vote"
    assert told("request.approved") == Counter(row[0] for row in rows(world.url, approved))
    assert stage.entries("request.stale") == len([row for row in requests if row[1] == State.STALE.value])


def check_leases(stage: Stage) -> None:
    """Every lease has its entry, and every ended one the entry of its end."""
    assert stage.count("SELECT count(*) FROM lease") == stage.entries("lease.open")
    ended = stage.count("SELECT count(*) FROM lease WHERE ended_at IS NOT NULL")
    assert ended == stage.entries("lease.end") + stage.entries("lease.expired")


def check_acknowledged(world: World, stage: Stage) -> None:
    """Whatever the process said was done is done."""
    states = dict(rows(world.url, "SELECT id, state FROM request"))
    voted = {row[0] for row in rows(world.url, "SELECT request FROM request_vote")}
    leases = dict(rows(world.url, "SELECT id, ended_at FROM lease"))
    holds: dict[str, Callable[[str], bool]] = {
        "filed": lambda thing: thing in states,
        "voted": lambda thing: thing in voted,
        "ran": lambda thing: states.get(thing) == State.EXECUTED.value,
        "stale": lambda thing: states.get(thing) == State.STALE.value,
        "opened": lambda thing: thing in leases,
        "ended": lambda thing: leases.get(thing) is not None,
    }
    lost = [each for each in world.acknowledged if not holds[each["did"]](each["id"])]
    assert not lost


@pytest.mark.checklist("V2.3.3")
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_it_loses_doubles_and_halves_nothing_when_it_is_killed(
    engine: str, tmp_path: Path, pg_database: NewDatabase
) -> None:
    url, planes = new_urls(engine, tmp_path, pg_database, far=True)
    world = World(url=url, planes=planes, folder=tmp_path)
    with opened_stage(url, planes, clock=SystemClock()) as stage:
        settle_in(stage, NEAR, FAR_AWAY)
    for number in range(KILLS):
        run_and_kill(world, number=number, actions=ACTIONS // KILLS)
        wait_for_silence(world)
        check(world)
    did = Counter(each["did"] for each in world.acknowledged)
    assert did.total() >= ACTIONS
    assert did["ran"] > KILLS
    near, far = (rows(each, "SELECT count(*) FROM plane_applied_execution")[0][0] for each in (url, planes[FAR]))
    assert near > 0
    assert far > 0
    print(  # noqa: T201
        f"{engine}: {KILLS} kills, {did.total()} acknowledged {dict(did)}, effects {near} here + {far} far away, "
        f"{world.dangling} caught under way {dict(world.settled)}, "
        f"{rows(url, 'SELECT count(*) FROM audit_seq')[0][0]} entries verified"
    )
