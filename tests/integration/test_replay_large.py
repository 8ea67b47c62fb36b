"""A list of many slices, from its plan to its proof. `SALLYPORT_REPLAY=100000` runs the large form."""

import os
import resource
import time
from collections import Counter
from itertools import zip_longest

import pytest

from console.domain.ids import SHARED_PLANE, RunId
from console.domain.replays import FROZEN_AT_ONCE, RunState, list_digest
from console.domain.webhooks import DeliveryState
from console.usecases.run_jobs import run_due_jobs
from console.usecases.run_replay import proof_of
from console.usecases.send_deliveries import send_due
from tests.integration.test_sending import URL, Bench, bench
from tests.integration.test_webhook_actions import RANGE, approved, ran

__all__ = ["bench"]
COUNT = int(os.environ.get("SALLYPORT_REPLAY", str(FROZEN_AT_ONCE + 300)))
RATE = 500  # a second, the most that a plan may ask for
AT_ONCE = 5_000


@pytest.mark.slow
@pytest.mark.parametrize("bench", [("sqlite", "beside"), ("postgresql", "far")], ids="-".join, indirect=True)
def test_it_plans_agrees_sends_and_proves_a_list_of_many_slices(bench: Bench) -> None:
    endpoint = bench.ground.endpoint(URL)
    parts = [
        bench.ground.messages(endpoint, min(AT_ONCE, COUNT - start), state=DeliveryState.EXHAUSTED)
        for start in range(0, COUNT, AT_ONCE)
    ]
    oldest_first = [each for same_moment in zip_longest(*parts) for each in same_moment if each is not None]
    slug = "acme" if bench.ground.plane == SHARED_PLANE else "bolt"
    began, before_kib = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = RunId(str(ran(bench.stage, slug, "plan_replay", {**RANGE, "rate_per_s": str(RATE)}).applied.made))
    while bench.ground.run(run).state is RunState.COUNTING:
        assert run_due_jobs(bench.ground.house, worker="w1") == 1
    plan = bench.ground.run(run)
    assert (plan.state, plan.planned, plan.digest) == (RunState.PLANNED, COUNT, list_digest(oldest_first))
    approved(bench.stage, slug, run)
    planned_s = time.perf_counter() - began
    while bench.ground.run(run).state is not RunState.FINISHED:
        run_due_jobs(bench.ground.house, worker="w1")
        while send_due(bench.ground.house, sender="s1"):
            continue
        bench.clock.pass_by(seconds=2)
    with bench.ground.written() as opened:
        stands = opened.plane.webhooks.run(run)
        assert stands is not None
        proof = proof_of(opened.plane.webhooks, stands)
    assert proof.fault is None
    assert (stands.sent, stands.skipped, stands.left, stands.digest) == (COUNT, 0, 0, plan.digest)
    assert set(Counter(bench.wire.sent).values()) == {1}
    assert len(bench.wire.sent) == COUNT
    run_due_jobs(bench.ground.house, worker="w1")
    assert bench.stage.entries("replay.finished") == 1
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1_024
    took_s = time.perf_counter() - began
    print(f"\n{COUNT:,} deliveries: planned in {planned_s:.1f} s, sent and proved in {took_s - planned_s:.1f} s, "  # noqa: T201
          f"memory grew by {grown_mib:.1f} MiB")  # fmt: skip
