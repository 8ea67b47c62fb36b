"""Workers and the server are killed in the middle, receivers fail and runs pause: nothing is missed or unexplained.

The receiver is a process of its own; its log is the witness. `SALLYPORT_DELIVERIES=10000` runs the large form.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from console.adapters.procrastinate_jobs import applied_schema
from console.domain.ids import DeliveryId, EndpointId, RunId
from console.domain.replays import ItemState, RunState
from console.domain.webhooks import AttemptOutcome, DeliveryState, KeyAlgorithm
from console.settings import load_settings
from console.usecases.run_replay import proof_of
from tests.integration.sending_crew import Crew, receiving
from tests.integration.sending_witness import KnownKey, authentic, known_key
from tests.integration.sending_world import Ground, founded, logged, opened_world, serve, settings_of, work
from tests.integration.stage import rows
from tests.web.cast import peopled_postgres, peopled_url

COUNT = int(os.environ.get("SALLYPORT_DELIVERIES", "400"))
PATIENCE_S = 60 + COUNT / 20
KILLS = 3 + COUNT // 2_500
PAUSES = 2
A_FEW = 10  # of a batch
CREW = (work, work, serve)
PATHS = {"/steady": KeyAlgorithm.V1, "/flaky": KeyAlgorithm.V1A, "/down_at_first": KeyAlgorithm.V1}
GETS_WELL = "/down_at_first"
ILLS = {"fail": AttemptOutcome.SERVER_ERROR, "busy": AttemptOutcome.SLOW_DOWN, "slow": AttemptOutcome.TIMEOUT}
DELIVERY = "plane_webhook_delivery"


@pytest.fixture(params=[
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("procrastinate", marks=pytest.mark.postgres),
])  # fmt: skip
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return the address of a new control store and the engine that runs its jobs."""
    if request.param == "sqlite":
        return peopled_url("sqlite", tmp_path / "control.db", str), "own"
    create: Callable[..., str] = request.getfixturevalue("pg_database")
    url = peopled_postgres(create)
    if request.param == "procrastinate":
        applied_schema(url, role="sallyport_app")
        return url, "procrastinate"
    return url, "own"


def mood(address: str, path: str, word: str) -> None:
    """Tell the receiver how to answer from now on."""
    answer = httpcore2.request("POST", f"{address}/_mood{path}", content=json.dumps({"mood": word}).encode())
    assert answer.status == 204


@dataclass
class Patient:
    """A path that gets well ill by ill: each lasts until the books know an attempt that ended so."""

    url: str
    address: str
    ills: list[str] = field(default_factory=lambda: list(ILLS))

    def look(self) -> None:
        if not self.ills:
            return
        of_path = "endpoint IN (SELECT id FROM plane_webhook_endpoint WHERE url = ?)"
        seen = rows(self.url, f"SELECT 1 FROM plane_webhook_attempt WHERE {of_path} AND outcome = ? LIMIT 1",
                    self.address + GETS_WELL, ILLS[self.ills[0]].value)  # fmt: skip
        if seen:
            self.ills.pop(0)
            mood(self.address, GETS_WELL, self.ills[0] if self.ills else "ok")


def in_the_middle(log: Path) -> None:
    """Wait for a moment in which somebody works off a batch for the receiver that takes its time."""
    deadline = time.monotonic() + PATIENCE_S
    while not log.exists() or log.read_bytes().count(b'"path": "/steady"') < A_FEW:  # its last line may be half there
        assert time.monotonic() < deadline, "nobody began to send"
        time.sleep(0.02)


def harass(ground: Ground, crew: Crew, run_id: RunId, patient: Patient) -> None:
    """Kill, pause, resume and change moods until the run is over and the schedule has nothing left."""
    deadline = time.monotonic() + PATIENCE_S
    pausing = crew.dice.sample(range(1, KILLS + 1), PAUSES)
    kills = crew.killed.total()
    owed = int(kills in pausing)
    next_kill = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        run = ground.run(run_id)
        done = rows_waiting(ground) == 0
        if run.state is RunState.FINISHED and done:
            assert (kills, owed, patient.ills) == (KILLS, 0, []), "it was to be harassed to the end"
            return
        if run.state is RunState.PAUSED:
            ground.resume(run_id)
        elif owed and ground.pause(run_id):
            owed -= 1
        if kills < KILLS and time.monotonic() >= next_kill:
            crew.replace_eldest()
            kills += 1
            next_kill = time.monotonic() + crew.dice.uniform(0.2, 2.0)
            owed += kills in pausing
        if kills >= 2:
            patient.look()
        time.sleep(0.1)
    with ground.house.store.read() as unit:
        jobs = unit.jobs.page(state=None, kind=None, fingerprint=None, tenant=None, before=None, limit=3)
    said = [path.read_text()[-2_000:] for path in (*crew.folder.glob("work-*.txt"), *crew.folder.glob("serve-*.txt"))]
    pytest.fail(f"not over after {PATIENCE_S:.0f} s: {ground.run(run_id)}\n{jobs}\n{said}")


def rows_waiting(ground: Ground) -> int:
    """Return how many deliveries are still on their way."""
    with ground.seen() as plane:
        found = plane.webhooks.endpoints()
        now = ground.house.clock.now().replace(year=2100)
        return sum(len(plane.webhooks.due(each.id, now=now, limit=1)) for each in found)


@pytest.mark.slow
def test_it_misses_nothing_and_explains_every_duplicate(place: tuple[str, str], tmp_path: Path) -> None:
    url, engine = place
    log = tmp_path / "receiver.jsonl"
    with receiving(log) as address:
        port = int(address.rsplit(":", 1)[1])
        environ = settings_of(url, tmp_path, engine=engine, open=(port,))
        with opened_world(load_settings(environ)) as building:
            ground = founded(building, url)
            mood(address, "/steady", "lazy")  # so that a kill finds a sender in the middle of a batch
            mood(address, "/flaky", "flaky")
            patient = Patient(url, address)
            mood(address, GETS_WELL, patient.ills[0])
            keys = {path: known_key(algorithm) for path, algorithm in PATHS.items()}
            planned, queued = filled(ground, address, keys)
            run_id = ground.planned(planned)
            ground.begun(run_id)
            crew = Crew(environ, tmp_path, random.Random(COUNT))
            began = time.monotonic()
            try:
                crew.hire(serve)
                in_the_middle(log)
                crew.lose_eldest()
                for job in CREW:
                    crew.hire(job)
                harass(ground, crew, run_id, patient)
                killed = {job.__name__: count for job, count in crew.killed.items()}
            finally:
                crew.dismiss()
            took = time.monotonic() - began
            told = held_against_the_log(ground, url, run_id, planned, queued, logged(log), keys=keys)
    print(f"\n{engine} {url.partition(':')[0]}: {len(planned) + len(queued)} deliveries in {took:.1f} s, "  # noqa: T201
          f"killed: {killed}, {told}")  # fmt: skip


def filled(
    ground: Ground, address: str, keys: Mapping[str, KnownKey]
) -> tuple[dict[DeliveryId, EndpointId], list[DeliveryId]]:
    """Return half of the deliveries in a plan, and half on their automatic way, over three endpoints."""
    planned: dict[DeliveryId, EndpointId] = {}
    queued: list[DeliveryId] = []
    for path, key in keys.items():
        endpoint = ground.endpoint(address + path, secret=key.secret)
        share = COUNT // len(PATHS) // 2
        for delivery in ground.messages(endpoint, share, state=DeliveryState.EXHAUSTED):
            planned[delivery] = endpoint.id
        queued += ground.messages(endpoint, share)
    return planned, queued


def held_against_the_log(
    ground: Ground, url: str, run_id: RunId, planned: dict[DeliveryId, EndpointId], queued: list[DeliveryId],
    log: list[dict[str, Any]], *, keys: Mapping[str, KnownKey],
) -> str:  # fmt: skip
    """Assert that books and witness agree, and return the figures."""
    # 1 the run's own proof, from its rows
    with ground.written() as opened:
        run = opened.plane.webhooks.run(run_id)
        assert run is not None
        proof = proof_of(opened.plane.webhooks, run)
    assert proof.fault is None
    assert (run.state, run.planned, run.left, run.because) == (RunState.FINISHED, len(planned), 0, None)
    items = rows(url, "SELECT delivery, state, reason FROM plane_webhook_run_item WHERE run = ?", run_id)
    assert Counter(delivery for delivery, _state, _reason in items) == Counter(list(planned))
    assert {state for _delivery, state, _reason in items} <= {ItemState.SENT.value, ItemState.SKIPPED.value}
    # 2 every delivery ended once: SENT or on schedule means delivered, with one success and no attempt after it
    ours = set(planned) | set(queued)
    found = [
        row for row in rows(url, f"SELECT id, message, state, attempts, claimed_by FROM {DELIVERY}") if row[0] in ours
    ]
    message_of = {delivery: message for delivery, message, *_rest in found}
    states = {delivery: state for delivery, _message, state, *_rest in found}
    sent = {delivery for delivery, state, _reason in items if state == ItemState.SENT.value}
    assert {delivery for delivery, state in states.items() if state == "delivered"} == sent | set(queued)
    assert {states[delivery] for delivery in set(planned) - sent} <= {"exhausted"}
    assert all(claimed_by is None for *_rest, claimed_by in found)
    tried = [
        row
        for row in rows(url, "SELECT delivery, number, outcome FROM plane_webhook_attempt ORDER BY delivery, number")
        if row[0] in ours
    ]
    outcomes: dict[str, list[str]] = {}
    for delivery, number, outcome in tried:
        outcomes.setdefault(delivery, []).append(outcome)
        assert number == len(outcomes[delivery])  # numbered without a gap
    assert {delivery: attempts for delivery, _m, _s, attempts, _c in found} == {
        delivery: len(each) for delivery, each in outcomes.items()
    }
    for delivery in sent | set(queued):
        assert outcomes[delivery].count(AttemptOutcome.SUCCESS.value) == 1
        assert outcomes[delivery][-1] == AttemptOutcome.SUCCESS.value
    # 3 the witness: no miss, nothing unknown, and every arrival has its own attempt
    arrived = Counter(str(line["id"]) for line in log)
    welcome = Counter(str(line["id"]) for line in log if line["mood"] in {"ok", "lazy"})
    taken = welcome + Counter(str(line["id"]) for line in log if line["mood"] == "slow")  # but said so too late
    assert {message_of[delivery] for delivery in sent | set(queued)} <= set(welcome)
    assert set(arrived) <= set(message_of.values())
    doubled = 0
    for delivery, message in message_of.items():
        assert arrived[message] <= len(outcomes[delivery])
        unsure = outcomes[delivery].count(AttemptOutcome.INTERRUPTED.value) + sum(
            outcomes[delivery].count(each.value) for each in (AttemptOutcome.TIMEOUT, AttemptOutcome.CONNECT)
        )
        assert taken[message] <= 1 + unsure  # taken twice only where an attempt stopped in the middle
        doubled += taken[message] > 1
    # 4 what arrived is what was stored, and signed anew each time
    payloads = dict(rows(url, "SELECT id, payload FROM plane_webhook_message"))
    repeats = authentic(log, payloads, keys)
    assert all(repeats.values()), "messages of either kind of key were to come again, with new signatures"
    ended = Counter(outcome for each in outcomes.values() for outcome in each)
    assert doubled >= A_FEW, "the first was killed in the middle"
    return (
        f"{len(sent)} of {run.planned} planned sent and {run.skipped} skipped, {len(queued)} on schedule; "
        f"{len(log)} arrivals, {len(tried)} attempts {dict(ended)}, "
        f"{doubled} taken twice, with new signatures {sum(repeats.values())}"
    )
