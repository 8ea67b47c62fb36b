"""How fast deliveries are planned, sent and replayed beside a bare loop of the same client, and jobs are queued."""

import gc
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import httpcore2

from console.actions.webhook.planning import planned, store_plan
from console.actions.webhook.runs import PLAN_JOB
from console.adapters.clock import SystemClock
from console.adapters.procrastinate_jobs import ProcrastinateBridge, applied_schema
from console.app.building import open_storage
from console.domain.ids import DeliveryId, EndpointId, JobId, ReasonCode, StaffId
from console.domain.jobs import JobDraft
from console.domain.reasons import Reason
from console.domain.replays import RunState, Selector, Wanted
from console.domain.webhooks import DeliveryState
from console.ports.action_tools import Tools
from console.settings import load_settings
from console.usecases.run_jobs import run_due_jobs
from console.usecases.send_deliveries import send_due
from tests import postgres
from tests.bench.tables import Result, Table
from tests.integration.sending_crew import receiving
from tests.integration.sending_world import Ground, founded, opened_world, settings_of

AIM = 0.5
_BODY = b'{"number": 1, "name": "Zoe"}'
_JOBS = 500
_TURNS = 2  # of each side in a round
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """One database with one tenant and one endpoint at a local receiver."""

    database: str
    url: str
    receiver: str
    ground: Ground
    endpoint: EndpointId


def table(*, databases: tuple[str, ...], count: int, rounds: int) -> Table:
    """Measure on fresh databases; bare loop and sender take turns."""
    lines: list[Result] = []
    for database in databases:
        with _bed(database) as bed:
            lines += _sending(bed, count=count, rounds=rounds)
            lines += _planning(bed, count=count)
            lines += _jobs(bed)
        if database == "postgres":
            lines += _procrastinate()
    return Table(
        title=f"Sending: one worker, {count:,} deliveries a round, one endpoint, receiver in a process of its own",
        heads=("item", "ours /s", "bare loop /s", "ratio", "aim"),
        results=tuple(lines),
        note="Bare loop: the same client (httpcore2, kept-alive) posting the same bytes to the same receiver, unsigned "
        "and unrecorded, in turns with the sender. Jobs: one transaction each to queue, one each to claim and end.",
    )


def _sending(bed: Bed, *, count: int, rounds: int) -> Iterator[Result]:
    """Compare in short turns: on a machine that others use too, only neighbours can be compared."""
    bare, sent, replayed, ratios = [], [], [], []
    bare_cpu, sent_cpu = [], []
    turn = max(count // _TURNS, 1)
    _bare(bed, count=50)
    _messages(bed, turn, DeliveryState.QUEUED)
    _drained(bed)
    for _each in range(rounds):
        for _turn in range(_TURNS):
            gc.collect()
            began = time.process_time()
            bare.append(_rate(turn, lambda: _bare(bed, count=turn)))
            bare_cpu.append((time.process_time() - began) / turn)
            _messages(bed, turn, DeliveryState.QUEUED)
            began = time.process_time()
            sent.append(_rate(turn, lambda: _drained(bed)))
            sent_cpu.append((time.process_time() - began) / turn)
            ratios.append(sent[-1] / bare[-1])
        made = _messages(bed, count, DeliveryState.EXHAUSTED)
        run = bed.ground.planned(dict.fromkeys(made, bed.endpoint))
        bed.ground.begun(run)
        replayed.append(_rate(count, lambda: _replayed(bed, run)))  # noqa: B023  it is called within the round
    yield _compared(f"send {bed.database}", median(sent), median(bare), ratio=median(ratios), aim=AIM)
    ours_ms, bare_ms = median(sent_cpu) * 1_000, median(bare_cpu) * 1_000
    cells = (f"{ours_ms:.2f} ms", f"{bare_ms:.2f} ms", f"{bare_ms / ours_ms:.2f}x", "-")
    yield Result(key=f"send {bed.database}, processor time of the sender", cells=cells)
    yield _compared(f"replay {bed.database}", median(replayed), median(bare), ratio=None, aim=None)


def _planning(bed: Bed, *, count: int) -> Iterator[Result]:
    """Plan what has failed, as the action and its job do, while somebody else writes all the time."""
    house = bed.ground.house
    many = count * 5
    since = house.clock.now() - timedelta(days=1)
    _messages(bed, many, DeliveryState.EXHAUSTED)
    is_over, waits = threading.Event(), [0.0]

    def write() -> None:
        while not is_over.wait(0.01):
            began = time.perf_counter()
            with house.store.write() as unit:
                unit.throttles.lock("bench", "bench")
            waits.append(time.perf_counter() - began)

    other = threading.Thread(target=write)
    other.start()
    began = time.perf_counter()
    with bed.ground.written() as opened:
        tools = Tools(
            now=house.clock.now(), ids=house.ids, requester=StaffId("stf_bench"), requester_name="Bench",
            reason=Reason(code=ReasonCode("INCIDENT"), reference="INC-1"), tenant=opened.plane, directory_row=None,
            control=None, provider=house.provider, customer_claims=house.customer_claims,
            outbound=house.outbound, webhook_keys=house.webhook_keys, shown_seconds=60, top_up_minutes=60,
            top_up_most_tenants=20,
        )  # fmt: skip
        run = store_plan(tools, planned(tools, _failed(since, house.clock.now()), rate_per_s=100))
    draft = JobDraft(kind=PLAN_JOB, key=f"plan:{run.id}", payload={"run": run.id}, tenant=bed.ground.tenant)
    with house.store.write() as unit:
        unit.jobs.add(draft, at=house.clock.now())
    while (stands := bed.ground.run(run.id)).state is not RunState.PLANNED:
        run_due_jobs(house, worker="bench-p")
    took_s = time.perf_counter() - began
    is_over.set()
    other.join()
    yield Result(key=f"plan {bed.database}", cells=(f"{stands.planned / took_s:,.0f}", "-", "-", "-"))
    longest = f"{max(waits) * 1_000:,.0f} ms"
    yield Result(key=f"plan {bed.database}, longest wait of another writer", cells=(longest, "-", "-", "-"))


def _failed(since: datetime, until: datetime) -> Selector:
    return Selector(endpoints=(), event_types=(), wanted=Wanted.FAILED, since=since, until=until)


def _jobs(bed: Bed) -> Iterator[Result]:
    house = bed.ground.house
    store = house.store

    def queue() -> None:
        for number in range(_JOBS):
            with store.write() as unit:
                unit.jobs.add(JobDraft(kind="bench", key=f"bench:{number}"), at=house.clock.now())

    def claim() -> None:
        now = house.clock.now()
        for _each in range(_JOBS):
            with store.write() as unit:
                (job,) = unit.jobs.claim(worker="b", now=now, until=now + timedelta(minutes=5), limit=1)
            with store.write() as unit:
                assert unit.jobs.succeed(job, at=now)

    yield Result(key=f"enqueue {bed.database}", cells=(f"{_rate(_JOBS, queue):,.0f}", "-", "-", "-"))
    yield Result(key=f"claim and end {bed.database}", cells=(f"{_rate(_JOBS, claim):,.0f}", "-", "-", "-"))


def _procrastinate() -> Iterator[Result]:
    """Queue jobs with their ids deferred on the same connection, and let procrastinate bring them to our claims."""
    with _bed("postgres", engine="procrastinate") as bed:
        house = bed.ground.house

        def queue() -> None:
            for number in range(_JOBS):
                with house.store.write() as unit:
                    unit.jobs.add(JobDraft(kind="bench", key=f"bench:{number}"), at=house.clock.now())

        yield Result(key="enqueue procrastinate", cells=(f"{_rate(_JOBS, queue):,.0f}", "-", "-", "-"))
        done: list[JobId] = []
        is_over = threading.Event()

        def bring(job_id: JobId) -> None:
            now = house.clock.now()
            with house.store.write() as unit:
                job = unit.jobs.claim_one(job_id, worker="b", now=now, until=now + timedelta(minutes=5))
            with house.store.write() as unit:
                assert job is not None
                assert unit.jobs.succeed(job, at=now)
            done.append(job_id)
            if len(done) == _JOBS:
                is_over.set()

        worker = ProcrastinateBridge(bed.url).worker(bring, concurrency=1)

        def consume() -> None:
            thread = threading.Thread(target=worker.run)
            thread.start()
            assert is_over.wait(120)
            worker.stop()
            thread.join(30)

        yield Result(key="claim and end procrastinate", cells=(f"{_rate(_JOBS, consume):,.0f}", "-", "-", "-"))


def _compared(key: str, ours: float, bare: float, *, ratio: float | None, aim: float | None) -> Result:
    ratio = ours / bare if ratio is None else ratio
    met = "-" if aim is None else f">= {aim:g}x {'met' if ratio >= aim else 'MISSED'}"
    return Result(key=key, cells=(f"{ours:,.0f}", f"{bare:,.0f}", f"{ratio:.2f}x", met))


def _rate(count: int, does: Callable[[], object]) -> float:
    began = time.perf_counter()
    does()
    return count / (time.perf_counter() - began)


def _bare(bed: Bed, *, count: int) -> None:
    with httpcore2.ConnectionPool() as pool:
        for number in range(count):
            headers = [("content-type", "application/json"), ("webhook-id", str(number))]
            assert pool.request("POST", f"{bed.receiver}/bare", headers=headers, content=_BODY).status == 200


def _drained(bed: Bed) -> None:
    while send_due(bed.ground.house, sender="bench"):
        continue


def _replayed(bed: Bed, run: str) -> None:
    """Let one thread run the job and one send, as a worker does."""
    is_over = threading.Event()

    def jobs() -> None:
        while not is_over.is_set():
            if not run_due_jobs(bed.ground.house, worker="bench-j"):
                is_over.wait(0.05)

    thread = threading.Thread(target=jobs)
    thread.start()
    while bed.ground.run(run).state is not RunState.FINISHED:  # type: ignore[arg-type]  # an id as text
        if not send_due(bed.ground.house, sender="bench-s"):
            time.sleep(0.01)
    is_over.set()
    thread.join()


def _messages(bed: Bed, count: int, state: DeliveryState) -> list[DeliveryId]:
    return bed.ground.messages(bed.ground.stands(bed.endpoint), count, state=state)


@contextmanager
def _bed(database: str, *, engine: str = "own") -> Iterator[Bed]:
    with tempfile.TemporaryDirectory() as name, receiving(Path(name) / "receiver.jsonl") as receiver:
        folder = Path(name)
        url = f"sqlite:///{folder / 'bench.db'}"
        if database == "postgres":
            url = postgres.create_database(f"send_{engine}_{os.getpid()}", is_durable=True)
        environ = settings_of(url, folder, engine=engine, open=(int(receiver.rsplit(":", 1)[1]),), timeout_s="10")
        settings = load_settings(environ)
        storage = open_storage(settings, SystemClock())
        storage.upgrade()
        storage.close()
        if engine == "procrastinate":
            applied_schema(url, role="sallyport_app")
        with opened_world(settings) as building:
            ground = founded(building, url)
            endpoint = ground.endpoint(f"{receiver}/bench")
            gc.collect()
            gc.freeze()  # as the worker does
            yield Bed(database=database, url=url, receiver=receiver, ground=ground, endpoint=endpoint.id)
