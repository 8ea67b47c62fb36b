"""How many tenants a reconciliation compares a second, and that its memory does not grow with the fleet."""

import gc
import os
import sys
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
from tests.integration.stage import new_urls, opened_stage, rows, settle_in, tenant, tenant_records
from tests.web.cast import LONG_AGO

_AT_ONCE = 500
_EARLY = 10  # one part of so many
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
        heads=(
            "item", "tenants", "pulled/s", "compared/s", "seconds", "CPU s", "CPU ms a tenant", "MiB after a tenth",
            "MiB at most", "findings",
        ),
        results=tuple(_measured(count) for count in fleets),
        note="Pulled: objects staged a second of processor time; compared: tenants a second of processor time. Memory: "
        "what the resident set grew by since the run began. Aim: the CPU of a tenant and the memory stay as they are.",
    )  # fmt: skip


def slug_of(number: int) -> str:
    """Return the slug of a tenant."""
    return f"t{number:06d}"


def _measured(count: int) -> Result:
    _say(f"{count:,} tenants move in")
    with _fleet(count) as world:
        run_id = world.start()
        job = _claimed(world)
        house = world.house
        gc.collect()
        before = largest = early = _resident_mib()
        spent = dict.fromkeys(RunState, 0.0)
        began = time.perf_counter()
        run = stands(house, job)
        while run.is_open:
            state, at = run.state, time.process_time()
            run = step(house, job, run)
            spent[state] += time.process_time() - at
            largest = max(largest, _resident_mib())
            if run.counts.get("tenants", 0) * _EARLY <= count:
                early = largest
        whole = time.perf_counter() - began
        assert (run.state, run.id, run.counts["tenants"]) == (RunState.DONE, run_id, count), run
        pulled = sum(many for name, many in run.counts.items() if name.startswith("pulled."))
        busy = sum(spent.values())
        cells = (
            f"{count:,}",
            f"{pulled / spent[RunState.PULLING]:,.0f}",
            f"{count / spent[RunState.COMPARING]:,.0f}",
            f"{whole:.1f}",
            f"{busy:.1f}",
            f"{busy / count * 1_000:.2f}",
            f"{early - before:.1f}",
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
            _tell_products(made, count)
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


def _tell_products(world: World, count: int) -> None:
    """Store every tenant's effective set: computed for the first, and as all of them bought the same, copied."""
    first = slug_of(0)
    world.recalculate(first)
    others = "FROM {table} AS known CROSS JOIN directory_tenant AS other WHERE known.tenant_id = '{known}' "
    others += "AND other.id <> known.tenant_id"
    for table in ("plane_account_state", "plane_effective_set"):
        columns = [name for _, name, *_ in rows(world.stage.url, f"PRAGMA table_info({table})")]
        kept = ", ".join("other.id" if name == "tenant_id" else f"known.{name}" for name in columns)
        source = others.format(table=table, known=tenant(first))
        rows(world.stage.url, f"INSERT INTO {table} ({', '.join(columns)}) SELECT {kept} {source}")
    found = rows(world.stage.url, "SELECT count(*) FROM plane_effective_set")
    assert found == [(count,)], found


def _claimed(world: World) -> Job:
    """Return the run's job, claimed for as long as it takes."""
    with world.stage.storage.store.write() as unit:
        until = world.clock.moment.replace(year=world.clock.moment.year + 1)
        (job,) = unit.jobs.claim(worker="bench", now=world.clock.now(), until=until, limit=1)
    assert job.state is JobState.RUNNING
    return job


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
