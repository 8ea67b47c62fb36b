"""`python -m tests.bench`: measure the work items of the console beside their floors, and print a table per group."""

import argparse
import cProfile
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from console.adapters.checkpoint_folder import CheckpointFolder
from console.adapters.signing_key import FileSigningKey
from tests.bench import appending, cycle, deciding, explaining, growing, kit, reconciling, revoking, sending
from tests.bench.callers import Caller, Inside, Loopback
from tests.bench.floor import create_app
from tests.bench.pages import Called, counts_of, measured, table_of
from tests.bench.serving import floor_command, ours_command, served, start_table
from tests.bench.stage import AGENT, LEAD, Stage, opened_stage
from tests.bench.tables import Result, Table, printed
from tests.bench.work import Item, items
from tests.bench.world import Size, opened_world

Calls = Callable[[str], Called]
GROUPS = (
    "pages",
    "cycle",
    "entitlements",
    "policy",
    "trail",
    "sending",
    "reconciling",
    "kit",
    "revoke",
    "growth",
    "start",
)
APART = frozenset({"trail", "sending", "reconciling", "kit", "revoke"})  # each makes what it needs
FULL = Size(tenants=100_000, entries=2_000_000)
QUICK = Size(tenants=2_000, entries=40_000)
_SMALLER = 10
_NOTE = (
    "Both sides answer with the expected rows, checked each time. statements: reads + writes of one warm pass. "
    "W6 (CSV export) is not built yet."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, on what, how thoroughly."""

    size: Size
    names: frozenset[str]
    is_quick: bool
    calls_inside: bool = False
    profiled: str | None = None
    fleets: tuple[int, ...] = ()

    @property
    def is_inside(self) -> bool:
        """Return whether both apps are called inside this process, without sockets."""
        return self.is_quick or self.calls_inside

    def wants(self, group: str) -> bool:
        """Return whether a group is asked for; nothing named means all, pages may be named by item."""
        if not self.names:
            return not (self.is_quick and group == "growth")
        return group in self.names or (group == "pages" and bool(self.names - set(GROUPS)))

    def wanted(self, found: Sequence[Item]) -> list[Item]:
        """Return the items that are asked for, in a shape that fits the time."""
        named = self.names - set(GROUPS)
        kept = [item for item in found if not named or "pages" in self.names or item.key in named]
        return [replace(item, rounds=2, per_round=5) for item in kept] if self.is_quick else kept


def run(plan: Plan) -> Iterator[Table]:
    """Measure, group by group; a table is yielded as soon as it is known."""
    yield from _apart(plan)
    if not any(plan.wants(group) for group in GROUPS if group not in APART):
        return
    with opened_world(plan.size) as world, opened_stage(world) as stage:
        if plan.wants("policy"):
            yield deciding.table(stage.building.house.book, seconds=0.2 if plan.is_quick else 2.0)
        if plan.wants("entitlements"):
            yield explaining.table(stage, rounds=1 if plan.is_quick else 3)
        if plan.wants("pages") or plan.wants("cycle"):
            yield from _pages(plan, stage)
        if plan.wants("growth"):
            smaller = replace(plan.size, tenants=plan.size.tenants // _SMALLER, entries=plan.size.entries // _SMALLER)
            yield growing.table(stage, smaller)
        if plan.wants("trail") and not plan.is_quick:
            yield _whole_trail(stage)
        if plan.wants("start"):
            yield start_table(world, rounds=1 if plan.is_quick else 3)


def _apart(plan: Plan) -> Iterator[Table]:
    """Measure what makes a database of its own."""
    databases = ("sqlite",) if plan.is_quick else ("sqlite", "postgres")
    if plan.wants("trail"):
        yield appending.table(
            databases=databases, rounds=3 if plan.is_quick else 9, per_round=50 if plan.is_quick else 200
        )
    if plan.wants("sending"):
        yield sending.table(
            databases=databases, count=200 if plan.is_quick else 1_000, rounds=1 if plan.is_quick else 3
        )
    if plan.wants("reconciling"):
        yield reconciling.table(fleets=plan.fleets or ((100, 200) if plan.is_quick else (1_000, 10_000)))
    if plan.wants("kit"):
        yield kit.table(rounds=200 if plan.is_quick else 1_000)
    if plan.wants("revoke"):
        yield revoking.table(rounds=1 if plan.is_quick else 5)


def _pages(plan: Plan, stage: Stage) -> Iterator[Table]:
    chosen = plan.wanted(items(stage)) if plan.wants("pages") else []
    counts = {item.key: counts_of(item, stage) for item in chosen}
    size = stage.world.size
    place = "inside one process" if plan.is_inside else "gunicorn, 2 threads, one client over loopback"
    with _both(plan, stage) as (ours, floor):
        if chosen:
            found = [
                measured(item, stage, ours=ours(item.who), floor=floor(item.who), counts=counts[item.key])
                for item in chosen
            ]
            title = f"Pages: {size.tenants:,} tenants, {size.entries:,} entries, {size.database}, {place}"
            yield table_of(found, title=title, note=_NOTE)
        if plan.wants("cycle"):
            rounds = 3 if plan.is_quick else 25
            yield cycle.table(stage, agent=ours(AGENT)[0], lead=ours(LEAD)[0], floor=floor(AGENT)[0], rounds=rounds)


@contextmanager
def _both(plan: Plan, stage: Stage) -> Iterator[tuple[Calls, Calls]]:
    """Give how somebody calls the console, and how they call the floor."""
    world = stage.world
    if plan.is_inside:
        floor = create_app(world.address, world.settings.secrets.fingerprint_key.get_secret_value())
        yield (
            lambda who: (stage.inside(who), time.process_time),
            lambda who: (_entered(stage, who, lambda cookie: Inside(floor, cookie)), time.process_time),
        )
        return
    with (
        served(world, ours_command, path="/healthz") as ours_server,
        served(world, floor_command, path="/enter?staff=x") as floor_server,
    ):
        yield (
            lambda who: (stage.over(ours_server.port, who), ours_server.cpu),
            lambda who: (_entered(stage, who, lambda cookie: Loopback(floor_server.port, cookie)), floor_server.cpu),
        )


def _entered(stage: Stage, who: str, make: Callable[[str], Caller]) -> Caller:
    """Return a browser that holds the floor's signed cookie."""
    answer = make("").send("GET", f"/enter?staff={stage.signed[who].actor.staff}")
    return make(answer.cookie.partition(";")[0])


def _whole_trail(stage: Stage) -> Table:
    settings = stage.world.settings
    key = FileSigningKey.opened(settings.trail_key_file, name=settings.trail.name)
    total, rate = appending.verified(
        stage.building.storage.sequencer(key, CheckpointFolder(settings.checkpoint_folder))
    )
    line = Result(
        key="verify", cells=(f"{total:,} entries, every byte, leaf, position and checkpoint", f"{rate:,.0f}/s")
    )
    return Table(title="The measured trail, verified whole", heads=("item", "what", "entries/s"), results=(line,))


def _profiled(plan: Plan, key: str) -> None:
    """Print where the time of one item goes, inside this process."""
    with opened_world(plan.size) as world, opened_stage(world) as stage:
        item = next(item for item in items(stage) if item.key == key)
        print("\n".join(f"{count:4}  {sql[:240]}" for sql, count in counts_of(item, stage).seen.items()))
        caller, profile = stage.inside(item.who), cProfile.Profile()
        profile.enable()
        for number in range(40):
            item.ours(caller, number)
        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(70)


def _plan(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"groups ({', '.join(GROUPS)}) or items such as W3; all when none")
    parser.add_argument("--tenants", type=int)
    parser.add_argument("--entries", type=int)
    parser.add_argument("--deliveries", type=int, help="of the largest tenant; as many as entries when not given")
    parser.add_argument("--fleet", type=int, action="append", default=[], help="tenants to reconcile; may be repeated")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--quick", action="store_true", help="a small data set, inside one process, under a minute")
    parser.add_argument("--inside", action="store_true", help="call both apps inside one process, for steadier ratios")
    parser.add_argument("--profile", metavar="ITEM", help="say where the time of one item goes, instead of measuring")
    chosen = parser.parse_args(arguments)
    base = QUICK if chosen.quick else FULL
    size = Size(
        tenants=chosen.tenants or base.tenants,
        entries=chosen.entries or base.entries,
        own_deliveries=chosen.deliveries,
        database=chosen.database,
    )
    return Plan(
        size=size,
        names=frozenset(chosen.names),
        is_quick=chosen.quick,
        calls_inside=chosen.inside,
        profiled=chosen.profile,
        fleets=tuple(chosen.fleet),
    )


def main() -> None:
    """Read the command line, measure, print."""
    started, plan = time.perf_counter(), _plan(sys.argv[1:])
    if plan.profiled is not None:
        _profiled(plan, plan.profiled)
        return
    for table in run(plan):
        print(printed(table), flush=True)
    print(f"\nTook {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
