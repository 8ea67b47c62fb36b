"""How a bulk replay is set going and carried on, and what is told of it."""

from datetime import timedelta

from console.domain.ids import DeliveryId, RunId
from console.domain.replays import RunState
from console.domain.webhooks import DeliveryState, Endpoint
from console.usecases.run_jobs import run_due_jobs
from console.usecases.send_deliveries import send_due
from tests.integration.test_sending import Bench, bench

__all__ = ["bench"]

SLICE = timedelta(seconds=2)


def work(bench: Bench, *, rounds: int = 60, until: RunState | None = None, run: RunId | None = None) -> int:
    """Let jobs and senders take turns, with time passing, and return how many attempts were made."""
    sent = 0
    for _each in range(rounds):
        run_due_jobs(bench.ground.house, worker="w1")
        sent += send_due(bench.ground.house, sender="s1")
        if until is not None and run is not None and bench.ground.run(run).state is until:
            return sent
        bench.clock.pass_by(seconds=2)
    assert until is None, bench.ground.run(run) if run is not None else ""
    return sent


def begun(
    bench: Bench, endpoint: Endpoint, count: int, *, rate: int = 1_000, **other: object
) -> tuple[RunId, list[DeliveryId]]:
    """Plan a run over exhausted deliveries and set it going."""
    made = bench.ground.messages(endpoint, count, state=DeliveryState.EXHAUSTED, **other)
    run = bench.ground.planned(dict.fromkeys(made, endpoint.id), rate=rate)
    bench.ground.begun(run)
    return run, made


def facts(bench: Bench, action: str) -> int:
    return bench.stage.entries(action)


def skipped(bench: Bench, run: RunId) -> dict[str, int]:
    return dict(bench.ground.run(run).skipped_by or {})
