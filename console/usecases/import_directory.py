"""Bring tenants and what belongs to them in from a file: all of it or nothing, recorded as one entry."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from console.domain.decisions import Decision, Deny, Fact, NeedsStepUp
from console.domain.entries import ActorRef, EntryDraft, RequestRef
from console.domain.errors import BadValueError, ConsoleError
from console.domain.import_fields import KINDS
from console.domain.import_rows import Row
from console.domain.imports import Record, RowFault
from console.domain.staff import Actor
from console.ports.bulk import Bulk, BulkUnit
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.import_references import Known
from console.usecases.recording import authorised, refuse

MOST_FAULTS = 1_000
BATCH = 1_000

_KIND_OF = {shape: kind for kind, shape in KINDS.items()}


class ImportMode(StrEnum):
    """What happens to good rows: kept only if all are good, kept in any case, or never kept."""

    WHOLE = "whole"
    PARTIAL = "partial"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """Where rows come from. Shape: rows as domain.import_rows yields them; `sha256` is asked after the last one."""

    name: str
    rows: Iterable[Row]
    sha256: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of it. Shape: `faults` holds the first 1,000 of `fault_count`; `counts` the good rows by kind."""

    is_kept: bool
    rows: int
    counts: Mapping[str, int]
    faults: tuple[RowFault, ...]
    fault_count: int
    sha256: str


class _UndoneError(ConsoleError):
    """Rolls an import back on purpose; never leaves this file."""

    code = "import_undone"


@dataclass(slots=True, kw_only=True)
class _Tally:
    rows: int = 0
    line: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[RowFault] = field(default_factory=list)
    fault_count: int = 0

    def reached(self, line: int) -> None:
        self.rows += line != self.line  # one row can have several faults
        self.line = line

    def blame(self, fault: RowFault) -> None:
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def told(self, *, is_kept: bool, sha256: str) -> Imported:
        faults, counts = tuple(self.faults), dict(self.counts)
        return Imported(
            is_kept=is_kept,
            rows=self.rows,
            counts=counts,
            faults=faults,
            fault_count=self.fault_count,
            sha256=sha256,
        )


def import_directory(
    house: House,
    bulk: Bulk,
    actor: Actor,
    *,
    source: ImportSource,
    mode: ImportMode = ImportMode.WHOLE,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Imported | Deny | NeedsStepUp:
    """Add or replace what a file holds, in one transaction together with its entry.

    Shape: a row may refer to rows above it and to what is there already; `progress` hears the rows read so far.
    Raises: BadValueError for a file without rows; whatever interrupts it leaves everything as it was.
    """
    with house.store.read() as looking:
        decision = ask(house, query(actor, "directory.import", now=house.clock.now()), looking)
    refusal = refusal_of(decision)
    if refusal is not None:
        refuse(house, actor, "directory.import_refused", refusal)
        return refusal
    tally = _Tally()
    try:
        with bulk.write() as unit:
            _fill(unit, source, tally, progress=progress)
            _undo_where_asked(tally, mode)
            unit.trail.emit(_entry(house, actor, decision, tally=tally, source=source, mode=mode), at=house.clock.now())
    except _UndoneError:
        return tally.told(is_kept=False, sha256=source.sha256())
    return tally.told(is_kept=tally.counts.total() > 0, sha256=source.sha256())


def _fill(unit: BulkUnit, source: ImportSource, tally: _Tally, *, progress: Callable[[int], None]) -> None:
    known = Known.of(unit)
    for batch in _batches(source.rows):
        known.turn_to([row for _line, row in batch if not isinstance(row, RowFault)], unit)
        good: list[Record] = []
        for line, row in batch:
            tally.reached(line)
            if isinstance(row, RowFault):
                tally.blame(row)
                continue
            fault = known.fault(row, line)
            if fault is not None:
                tally.blame(fault)
                continue
            good.append(row)
            tally.counts[_KIND_OF[type(row)]] += 1
        if good:
            unit.put(good)  # even after a fault: later rows may refer to these
        progress(tally.rows)
    if not tally.rows:
        raise BadValueError("The file holds no rows.", field="file", remedy="give a file with at least one row")


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    pending = iter(rows)
    while batch := list(islice(pending, BATCH)):
        yield batch


def _undo_where_asked(tally: _Tally, mode: ImportMode) -> None:
    if mode is ImportMode.TRIAL or (tally.fault_count and mode is ImportMode.WHOLE):
        raise _UndoneError


def _entry(
    house: House, actor: Actor, decision: Decision, *, tally: _Tally, source: ImportSource, mode: ImportMode
) -> EntryDraft:
    facts: dict[str, Fact] = {"file": source.name[:200], "sha256": source.sha256(), "mode": mode.value}
    return EntryDraft(
        action="directory.imported",
        actor=ActorRef.of(actor, at=house.clock.now()),
        request=RequestRef.of(actor.origin),
        authorisation=authorised(house, decision),
        facts={**facts, "rows": tally.rows, "faults": tally.fault_count, **tally.counts},
    )
