"""Lets one thing after another fail that a house asks its databases: each beginning, each statement, each commit."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

BROKEN = "disk I/O error"


@dataclass
class Faults:
    """Counts the steps of a database and lets one of them fail, once.

    Shape: `at` from 1, 0 for none; counted are the steps that begin as `of` does. A commit fails in two ways: it was
    refused and nothing was kept, or its answer was lost and everything was.
    """

    at: int = 0
    is_answer_lost: bool = False
    of: str = ""
    seen: list[str] = field(default_factory=list)

    def reset(self, at: int = 0, *, of: str = "", is_answer_lost: bool = False) -> None:
        """Begin to count anew."""
        self.at, self.of, self.is_answer_lost = at, of, is_answer_lost
        self.seen.clear()

    @property
    def has_struck(self) -> bool:
        """Return whether the step that was to fail was reached."""
        return 0 < self.at <= len(self.seen)

    def step(self, what: str) -> bool:
        """Note a step and return whether it is the one to fail."""
        if not what.startswith(self.of):
            return False
        self.seen.append(what)
        return len(self.seen) == self.at

    @contextmanager
    def among(self, engines: Iterable[Engine]) -> Iterator[None]:
        """Stand between a house and its databases inside the block."""
        distinct = list(dict.fromkeys(engines))
        dialects = list({id(engine.dialect): engine.dialect for engine in distinct}.values())
        real = [dialect.do_commit for dialect in dialects]
        for engine in distinct:
            event.listen(engine, "before_cursor_execute", self._statement)
            event.listen(engine, "begin", self._begin)
        for dialect, commit in zip(dialects, real, strict=True):
            dialect.do_commit = self._committing(commit, dialect.do_rollback)  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            for engine in distinct:
                event.remove(engine, "before_cursor_execute", self._statement)
                event.remove(engine, "begin", self._begin)
            for dialect in dialects:
                del dialect.do_commit

    def _begin(self, connection: Connection) -> None:
        if self.step("BEGIN"):
            connection.dialect.do_rollback(connection.connection)  # the house's own listener was first
            raise broken("BEGIN")

    def _statement(self, _c: Connection, _cursor: object, sql: str, _values: object, _x: object, _many: bool) -> None:
        if self.step(" ".join(sql.split())[:90]):
            raise broken(sql)

    def _committing(self, commit: Callable[[Any], None], rollback: Callable[[Any], None]) -> Callable[[Any], None]:
        def committing(connection: Any) -> None:  # noqa: ANN401  a driver's own
            if not self.step("COMMIT"):
                commit(connection)
                return
            (commit if self.is_answer_lost else rollback)(connection)
            raise sqlite3.OperationalError(BROKEN)

        return committing


def broken(sql: str) -> OperationalError:
    """Return what SQLAlchemy raises when a disk fails."""
    return OperationalError(sql, None, sqlite3.OperationalError(BROKEN))
