"""Samples, percentiles and the tables that are printed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Samples:
    """How long each of many calls took. Units: seconds."""

    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        """Return the median in milliseconds."""
        return self._at(0.50)

    @property
    def p99(self) -> float:
        """Return the 99th percentile in milliseconds."""
        return self._at(0.99)

    def _at(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of a table; `cells` are ready to print."""

    key: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One group of results."""

    title: str
    heads: tuple[str, ...]
    results: tuple[Result, ...]
    note: str = ""


def compared(ours: Samples, floor: Samples, *, aim: float | None) -> tuple[str, ...]:
    """Return p50/p99 of both, their ratio, and whether the aim is met."""
    ratio = ours.p50 / floor.p50
    met = "-" if aim is None else f"<= {aim:g}x {'met' if ratio <= aim else 'MISSED'}"
    return (
        f"{ours.p50:.2f} / {ours.p99:.1f}",
        f"{floor.p50:.2f} / {floor.p99:.1f}",
        f"{ratio:.1f}x",
        met,
    )


def printed(table: Table) -> str:
    """Return a table as text: columns as wide as their widest cell, the first one to the left."""
    lines = [table.heads, *((result.key, *result.cells) for result in table.results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.heads))]
    shown = [_line(line, widths) for line in lines]
    shown.insert(1, "  ".join("-" * width for width in widths))
    note = [table.note] if table.note else []
    return "\n".join(["", table.title, *shown, *note])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join([cells[0].ljust(widths[0]), *others]) if first else ""
