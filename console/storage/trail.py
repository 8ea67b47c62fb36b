"""Writing entries: sealed, counted and inserted in the transaction of the change that they record."""

import os
import threading
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from console.domain.entries import EntryDraft, Program, WriterCounter, seal_body
from console.domain.errors import ConsoleError, TrailUnavailableError
from console.domain.ids import EntryUid
from console.domain.merkle import leaf_hash
from console.ports.clock import Ids
from console.storage.rows import add
from console.storage.trail_tables import AuditEventRow
from console.storage.transactions import Fate, S, Transaction, unit
from console.storage.types import stored_micros


class Writers:
    """The writer counters of this process; a unit borrows one, so that concurrent units never share a count."""

    def __init__(self, ids: Ids, program: Program | None = None) -> None:
        """Start without any; each is named when it is first needed, and writes as this program."""
        self._ids = ids
        self._program = program
        self._guard = threading.Lock()
        self._idle: list[WriterCounter] = []
        self._process = os.getpid()

    @unit
    def lent(self, transaction: Transaction[S]) -> Iterator[WriterCounter]:
        """Lend a counter to a transaction that has written nothing yet, and settle it with the transaction's fate.

        Not later, at its first entry: PostgreSQL numbers a transaction when it first writes, and one that is numbered
        before its counter's last user is may be placed before it.
        """
        borrowed = self.borrow()
        try:
            yield borrowed
        finally:
            transaction.undo()
            self.give_back(borrowed, fate=transaction.fate)

    def borrow(self) -> WriterCounter:
        """Return a counter that nobody else uses."""
        with self._guard:
            if self._process != os.getpid():  # a fork would go on counting under its parent's name
                self._process = os.getpid()
                self._idle.clear()
            return self._idle.pop() if self._idle else WriterCounter(self._ids.new("wri"), self._program)

    def give_back(self, counter: WriterCounter, *, fate: Fate) -> None:
        """Settle what was staged; a counter whose commit is in doubt is never used again."""
        if fate is Fate.COMMITTING:
            return
        if fate is Fate.COMMITTED:
            counter.committed()
        else:
            counter.rolled_back()
        with self._guard:
            self._idle.append(counter)


class StoredTrail:
    """The Trail of one unit."""

    def __init__(self, session: Session, *, ids: Ids, counter: WriterCounter) -> None:
        """Work inside the unit's transaction, with the counter that was lent to it."""
        self._session = session
        self._ids = ids
        self._counter = counter
        self.has_failed = False

    def emit(self, draft: EntryDraft, *, at: datetime) -> EntryUid:
        """Add one entry; raises TrailUnavailableError, and then the unit cannot be committed any more."""
        uid = EntryUid(self._ids.new("ent"))
        try:
            body = seal_body(draft, uid=uid, ts_us=stored_micros(at), writer=self._counter.next())
            leaf = leaf_hash(body)
            add(self._session, AuditEventRow, {"body": body.decode(), "leaf": leaf})
            self._counter.staged(leaf)
        except (SQLAlchemyError, ConsoleError) as broken:
            self.has_failed = True
            message = "The entry could not be written, therefore nothing was done."
            raise TrailUnavailableError(message, action=draft.action) from broken
        return uid


class ReadOnlyTrail:
    """The Trail of a reading unit, which keeps nothing and therefore takes nothing."""

    def emit(self, draft: EntryDraft, *, at: datetime) -> EntryUid:
        """Refuse: the entry would be rolled back with the unit."""
        message = "A reading unit keeps nothing; write the entry in a writing one."
        raise TrailUnavailableError(message, action=draft.action)
