"""Measures work items: both sides in turns, answers checked, statements counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.bench.callers import Answer, Caller
from tests.bench.counting import Counted, counted
from tests.bench.stage import Stage
from tests.bench.tables import Result, Samples, Table, compared
from tests.bench.work import Item, Step

Cpu = Callable[[], float]
Called = tuple[Caller, Cpu]


class WrongAnswerError(AssertionError):
    """An answer does not show what it must; a fast wrong page is no result."""


@dataclass
class Side:
    """One side of a comparison: who is called, how, and what was measured."""

    caller: Caller
    step: Step
    cpu: Cpu
    seconds: list[float] = field(default_factory=list)
    busy: float = 0.0
    size: int = 0

    def take(self, item: Item, number: int, *, is_kept: bool = True) -> None:
        """Do the item once and check its answer."""
        answers = self.step(self.caller, number)
        _check(item, answers, number)
        if is_kept:
            self.seconds.append(sum(answer.seconds for answer in answers))
            self.size = answers[-1].size


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One item, measured."""

    item: Item
    ours: Samples
    floor: Samples
    ours_cpu: float
    floor_cpu: float
    statements: Counted
    size: int
    floor_size: int


HEADS = (
    "item", "what", "ours p50/p99 ms", "floor p50/p99", "ratio", "aim", "CPU ms", "floor CPU", "CPU ratio",
    "statements", "commits", "KB", "floor KB",
)  # fmt: skip


def measured(item: Item, stage: Stage, *, ours: Called, floor: Called, counts: Counted) -> Measured:
    """Measure one item in rounds, ours and floor in turns, so that a busy machine hits both."""
    sides = (Side(ours[0], item.ours, ours[1]), Side(floor[0], item.floor, floor[1]))
    number = 0
    for turn in range(item.rounds):
        stage.rest()
        for side in sides if turn % 2 else reversed(sides):
            side.caller.refresh()
            side.take(item, number, is_kept=False)  # a connection's first request pays for the connection
            before = side.cpu()
            for offset in range(item.per_round):
                side.take(item, number + offset)
            side.busy += side.cpu() - before
        number += item.per_round
    return Measured(
        item=item,
        ours=Samples(tuple(sides[0].seconds)),
        floor=Samples(tuple(sides[1].seconds)),
        ours_cpu=sides[0].busy / number * 1_000,
        floor_cpu=sides[1].busy / number * 1_000,
        statements=counts,
        size=sides[0].size,
        floor_size=sides[1].size,
    )


def counts_of(item: Item, stage: Stage) -> Counted:
    """Return the statements of one warm pass through an item, inside this process.

    Raises: WrongAnswerError, TooManyStatementsError.
    """
    caller = stage.inside(item.who)
    stage.rest()
    for number in range(2):
        _check(item, item.ours(caller, number), number)
    with counted(stage.building.storage.engines()) as found:
        answers = item.ours(caller, 2)
    _check(item, answers, 2)
    found.hold(item.key, most=item.most_statements)
    return found


def table_of(results: Sequence[Measured], *, title: str, note: str) -> Table:
    """Return the table of pages."""
    lines = [
        Result(
            key=each.item.key,
            cells=(
                each.item.title,
                *compared(each.ours, each.floor, aim=each.item.aim),
                f"{each.ours_cpu:.1f}",
                f"{each.floor_cpu:.2f}",
                f"{each.ours_cpu / max(each.floor_cpu, 0.01):.1f}x",
                f"{each.statements.reads}r + {each.statements.writes}w",
                str(each.statements.commits),
                f"{each.size / 1024:.1f}",
                f"{each.floor_size / 1024:.1f}",
            ),
        )
        for each in results
    ]
    return Table(title=title, heads=HEADS, results=tuple(lines), note=note)


def _check(item: Item, answers: Sequence[Answer], number: int) -> None:
    for answer in answers:
        if answer.status not in item.statuses and answer is answers[-1]:
            message = f"{item.key}: status {answer.status}: {answer.text[:2_000]}"
            raise WrongAnswerError(message)
    for text in item.expected(number):
        if text not in answers[-1].text:
            message = f"{item.key}: the answer does not show {text!r}: {answers[-1].text[:3_000]}"
            raise WrongAnswerError(message)
