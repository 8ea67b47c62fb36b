"""Whether search and overview stay flat as the fleet grows: the same pages inside this process, two data sets."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.bench.callers import Caller
from tests.bench.stage import Stage, opened_stage
from tests.bench.tables import Result, Table
from tests.bench.work import Item, items
from tests.bench.world import Size, opened_world

KEYS = ("W2a", "W2r", "W2b", "W2c", "W3", "W4a", "W5")
_ROUNDS = 5
_PER_ROUND = 10


def table(stage: Stage, smaller: Size) -> Table:
    """Compare a data set with a smaller one, in turns."""
    results = []
    with _other(smaller) as other:
        sides = [(each, {item.key: item for item in items(each)}) for each in (other, stage)]
        for key in KEYS:
            if not all(key in found for _, found in sides):
                continue
            spent = _spent([(each, found[key]) for each, found in sides])
            small, large = (median(seconds) * 1_000 for seconds in spent)
            cells = (sides[1][1][key].title, f"{small:.2f}", f"{large:.2f}", f"{large / small:.2f}x", "flat")
            results.append(Result(key=key, cells=cells))
    size = stage.world.size
    return Table(
        title="Growth, inside one process",
        heads=(
            "item", "what", f"{smaller.tenants:,} tenants p50 ms", f"{size.tenants:,} tenants p50 ms", "ratio", "aim",
        ),
        results=tuple(results),
        note=f"{smaller.entries:,} and {size.entries:,} entries; W2a finds the more names the more tenants there are.",
    )  # fmt: skip


@contextmanager
def _other(size: Size) -> Iterator[Stage]:
    with opened_world(size) as world, opened_stage(world) as stage:
        yield stage


def _spent(sides: list[tuple[Stage, Item]]) -> list[list[float]]:
    callers: list[Caller] = [stage.inside(item.who) for stage, item in sides]
    spent: list[list[float]] = [[] for _ in sides]
    number = 0
    for _ in range(_ROUNDS):
        for side, (stage, item) in enumerate(sides):
            stage.rest()
            item.ours(callers[side], number)
            for offset in range(_PER_ROUND):
                answers = item.ours(callers[side], number + offset)
                spent[side].append(sum(answer.seconds for answer in answers))
        number += _PER_ROUND
    return spent
