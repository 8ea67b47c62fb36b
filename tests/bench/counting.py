"""Counts statements and commits of the console through SQLAlchemy's events."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, event

_NOT_COUNTED = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")


class TooManyStatementsError(AssertionError):
    """Something asks the database more often than it may, however much there is."""


@dataclass
class Counted:
    """What was sent to the databases."""

    reads: int = 0
    writes: int = 0
    commits: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def statements(self) -> int:
        """Return all statements."""
        return self.reads + self.writes

    def hold(self, what: str, *, most: int) -> None:
        """Refuse a measurement that asks the database more often than it may. Raises: TooManyStatementsError."""
        if self.statements > most:
            message = f"{what}: {self.statements} statements, {most} at most; most often {self.seen.most_common(3)}"
            raise TooManyStatementsError(message)


@contextmanager
def counted(engines: list[Engine]) -> Iterator[Counted]:
    """Count what goes through some engines inside the block."""
    found = Counted()

    def on_statement(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        word = statement.lstrip().split(None, 1)[0].upper()
        if word in _NOT_COUNTED:
            return
        found.seen[" ".join(statement.split())] += 1
        if word in {"SELECT", "WITH"}:
            found.reads += 1
        else:
            found.writes += 1

    def on_commit(_connection: Connection) -> None:
        found.commits += 1

    distinct = set(engines)
    for engine in distinct:
        event.listen(engine, "before_cursor_execute", on_statement)
        event.listen(engine, "commit", on_commit)
    try:
        yield found
    finally:
        for engine in distinct:
            event.remove(engine, "before_cursor_execute", on_statement)
            event.remove(engine, "commit", on_commit)
