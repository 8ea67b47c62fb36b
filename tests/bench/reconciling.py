"""How many tenants a reconciliation compares a second, and that its memory does not grow with the fleet."""

import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.domain.billing.canonical_form import Snapshot, document
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.import_billing import BillingCustomerRecord, BillingObjectRecord
from console.domain.jobs import Job, JobState
from console.domain.reconciling.runs import RunState
from console.ports.billing import ProviderPage
from console.usecases.run_reconciliation import stands, step
from tests.bench.tables import Result, Table
from tests.billing import told
from tests.databases import NOON, HandClock
from tests.integration.reconciling_world import BUSINESS, Provider, World, customer, subscription
from tests.integration.stage import new_urls, opened_stage, settle_in, tenant_records
from tests.web.cast import LONG_AGO

_AT_ONCE = 500
_MADE: dict[ObjectKind, Callable[[str], BillingObject]] = {
    ObjectKind.CUSTOMER: customer, ObjectKind.SUBSCRIPTION: subscription,
}  # fmt: skip


@dataclass
class Endless(Provider):
    """A provider that makes up its objects as they are asked for, so that memory tells of the run alone."""

    count: int = 0

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        slug = thing.partition("_")[2]
        return told(_MADE[kind](slug)) if kind in _MADE else None

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> ProviderPage:
        if kind is ObjectKind.PRICE:
            return ProviderPage(items=(told(BUSINESS),), after=None)
        if kind not in _MADE:
            return ProviderPage(items=(), after=None)
        first = 0 if after is None else int(after) + 1
        last = min(first + limit, self.count)
        items = tuple(told(_MADE[kind](slug_of(number))) for number in range(first, last))
        return ProviderPage(items=items, after=None if last == self.count else str(last - 1))


def table(*, fleets: Sequence[int]) -> Table:
    """Measure whole runs over fleets whose books agree, each on a fresh database."""
    return Table(
        title="Reconciliation: SQLite, one process, a provider that answers at once, two objects a tenant on each side",
        heads=("item", "tenants", "pull /s", "compare /s", "seconds", "memory grew by MiB", "findings"),
        results=tuple(_measured(count) for count in fleets),
        note="Pull: objects staged a second; compare: tenants a second. Memory: the largest resident set of the run, "
        "less the one before it. Aim: seconds grow with the tenants, memory does not.",
    )


def slug_of(number: int) -> str:
    """Return the slug of a tenant."""
    return f"t{number:06d}"


def _measured(count: int) -> Result:
    with _fleet(count) as world:
        run_id = world.start()
        job = _claimed(world)
        house = world.house
        gc.collect()
        before = largest = _resident_mib()
        spent = dict.fromkeys(RunState, 0.0)
        began = time.perf_counter()
        run = stands(house, job)
        while run.is_open:
            state, at = run.state, time.perf_counter()
            run = step(house, job, run)
            spent[state] += time.perf_counter() - at
            largest = max(largest, _resident_mib())
        whole = time.perf_counter() - began
        assert (run.state, run.id, run.counts["tenants"]) == (RunState.DONE, run_id, count), run
        pulled = sum(many for name, many in run.counts.items() if name.startswith("pulled."))
        cells = (
            f"{count:,}",
            f"{pulled / spent[RunState.PULLING]:,.0f}",
            f"{count / spent[RunState.COMPARING]:,.0f}",
            f"{whole:.1f}",
            f"{largest - before:.1f}",
            str(run.counts.get("seen", 0)),
        )
        return Result(key=f"reconcile {count:,}", cells=cells)


@contextmanager
def _fleet(count: int) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        url, planes = new_urls("sqlite", Path(folder), str)
        clock = HandClock()
        with opened_stage(url, planes, clock=clock) as stage:
            settle_in(stage, ())
            made = World(stage, clock, Endless(now=NOON, count=count))
            made.forget_the_cast()
            for first in range(0, count, _AT_ONCE):
                slugs = [slug_of(number) for number in range(first, min(first + _AT_ONCE, count))]
                _move_in(made, slugs)
            yield made


def _move_in(world: World, slugs: Sequence[str]) -> None:
    with world.stage.storage.bulk.write() as bulk:
        for slug in slugs:
            bulk.put(tenant_records(slug, world.plane_of(slug)))
        bulk.put(
            [
                BillingCustomerRecord(
                    tenant=slug, customer=f"cus_{slug}", linked_at=LONG_AGO, because="import", unlinked_at=None
                )
                for slug in slugs
            ]
        )
        bulk.put(
            [
                BillingObjectRecord(
                    tenant=slug,
                    object=kind.value,
                    document=document(made(slug)),
                    fetched_at=NOON,
                )
                for slug in slugs
                for kind, made in _MADE.items()
            ]
        )
    for slug in slugs:
        world.recalculate(slug)


def _claimed(world: World) -> Job:
    """Return the run's job, claimed for as long as it takes."""
    with world.stage.storage.store.write() as unit:
        until = world.clock.moment.replace(year=world.clock.moment.year + 1)
        (job,) = unit.jobs.claim(worker="bench", now=world.clock.now(), until=until, limit=1)
    assert job.state is JobState.RUNNING
    return job


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
