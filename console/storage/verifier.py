"""A full pass over the trail: bytes, leaves, positions, writers, intents, and every checkpoint kept outside."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, TextClause, text

from console.domain.checkpoints import Verifier
from console.domain.ids import EntryUid
from console.domain.merkle import Frontier
from console.ports.sequencer import Finding, FindingKind, Progress, Verification
from console.storage.promised_roots import PromisedRoots
from console.storage.stretches import MOST_FINDINGS, Stretch, gap

_PAGE = 5_000

_PLACED = text(
    """
    SELECT place.seq, place.event, place.leaf, event.body, event.leaf FROM audit_seq AS place
    LEFT JOIN audit_event AS event ON event.id = place.event
    WHERE place.seq > :after ORDER BY place.seq LIMIT :page
    """
)
# Without a position, though the sequencer has read on: nobody wrote these when they say that they were written.
_PASSED = {
    "sqlite": "event.id <= (SELECT cursor FROM audit_frontier)",
    "postgresql": "event.xid < (SELECT CAST(CAST(low AS text) AS xid8) FROM audit_frontier)",
}
_PENDING = {
    name: text(
        f"""
        SELECT NULL, event.id, event.leaf, event.body, event.leaf, {is_passed} FROM audit_event AS event
        WHERE event.id > :after AND NOT EXISTS (SELECT 1 FROM audit_seq WHERE audit_seq.event = event.id)
        ORDER BY event.id LIMIT :page
        """  # noqa: S608  the two conditions above
    )
    for name, is_passed in _PASSED.items()
}
_TWICE = text("SELECT uid FROM audit_event GROUP BY uid HAVING count(*) > 1 ORDER BY uid LIMIT 1")
_FIRST_ID = -(2**63)


def verified_trail(
    connection: Connection, *, notes: Sequence[str], verifiers: Iterable[Verifier], progress: Progress
) -> Verification:
    """Return what a full pass found; the connection must see one moment of the database.

    Shape: 1 positions and bytes, 2 entries without a position, 3 duplicates, 4 checkpoints kept outside.
    """
    total = connection.execute(text("SELECT count(*) FROM audit_seq")).scalar_one()
    whole = _Whole(notes, verifiers)
    for stretch in placed_stretches(connection):
        whole.join(stretch)
        progress(whole.tree.size, total)
    pending = _join_pending(connection, whole)
    twice = connection.execute(_TWICE).scalar()
    if twice is not None:
        sentence = f"Entry {twice} is there twice."
        whole.tell([Finding(kind=FindingKind.UID_TWICE, sentence=sentence, uid=EntryUid(twice))])
    return whole.verification(pending)


def placed_stretches(connection: Connection) -> Iterator[Stretch]:
    """Check every position in turn, page by page: dense, present, unchanged."""
    due = 0
    for rows in _pages(connection, _PLACED, column=0, after=-1):
        stretch = Stretch()
        due = stretch.add(rows, due=due)
        yield stretch


def _join_pending(connection: Connection, whole: "_Whole") -> int:
    """Check what no position covers yet: it follows its writers' counts and does not lie behind the sequencer."""
    pending = passed = 0
    for rows in _pages(connection, _PENDING[connection.dialect.name], column=1, after=_FIRST_ID):
        stretch = Stretch()
        stretch.add([row[:5] for row in rows], due=0)
        whole.follow(stretch)
        pending += len(rows)
        passed += sum(bool(row[5]) for row in rows)
    if passed:
        sentence = f"{passed} entries lie behind the sequencer without a position."
        whole.tell([Finding(kind=FindingKind.BACK_DATED, sentence=sentence)])
    return pending


class _Whole:
    """All stretches joined: the tree that they grow, the writers and intents that go on from one to the next."""

    def __init__(self, notes: Sequence[str], verifiers: Iterable[Verifier]) -> None:
        self.tree = Frontier()
        self._promised = PromisedRoots()
        self._findings: list[Finding] = []
        self.tell(self._promised.read(notes, verifiers))
        self._writers: dict[str, tuple[int, str | None]] = {}
        self._intents: dict[str, EntryUid] = {}

    def join(self, stretch: Stretch) -> None:
        """Grow the tree by a stretch, stopping at every size that a checkpoint has promised."""
        faults, start, done = self._faults(stretch), self.tree.size, 0
        for size in (*self._promised.sizes(start, start + len(stretch.leaves)), None):
            until = len(stretch.leaves) if size is None else size - start
            self.tree.extend(stretch.leaves[done:until])
            self.tell(fault for at, fault in faults if done <= at < until)
            done = until
            if size is not None:
                self.tell(self._promised.reached(self.tree))

    def follow(self, stretch: Stretch) -> None:
        """Take in a stretch without positions."""
        self.tell(fault for _, fault in self._faults(stretch))

    def tell(self, found: Iterable[Finding]) -> None:
        """Keep what was found, first fault first; past a hundred the rest says nothing new."""
        self._findings += islice(found, max(0, MOST_FINDINGS - len(self._findings)))

    def verification(self, pending: int) -> Verification:
        """Return the verdict."""
        self.tell(self._promised.settled(self.tree))
        return Verification(
            sequenced=self.tree.size,
            pending=pending,
            checkpoints=self._promised.met,
            root=self.tree.root(),
            findings=tuple(self._findings),
            dangling_intents=tuple(self._intents.values()),
        )

    def _faults(self, stretch: Stretch) -> list[tuple[int, Finding]]:
        """Return the faults of a stretch in order, with those that show only where it meets what came before."""
        faults = list(stretch.faults)
        for writer, run in stretch.writers.items():
            last = self._writers.get(writer, (0, None))
            fault = gap(run.first, run.before, last=last, place=run.place)
            if fault is not None:
                faults.append((run.at, fault))
            self._writers[writer] = (run.last, run.leaf)
        for execution, intent in stretch.intents:
            if intent is None:
                self._intents.pop(execution, None)
            else:
                self._intents[execution] = intent
        return sorted(faults, key=lambda each: each[0])


def _pages(connection: Connection, statement: TextClause, *, column: int, after: int) -> Iterator[Sequence[Any]]:
    """Yield pages as the driver gives them: a row object of SQLAlchemy costs as much as checking its entry."""
    while True:
        with connection.execute(statement, {"after": after, "page": _PAGE}) as found:
            rows = found.cursor.fetchall()
        yield rows
        if len(rows) < _PAGE:
            return
        after = rows[-1][column]
