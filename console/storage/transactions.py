"""One transaction on one database: begun at once, committed or rolled back, never half of either."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Generic, ParamSpec, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from console.domain.errors import OutsideError
from console.storage.engines import Database
from console.storage.faults import refuse_if_outside
from console.storage.sittings import given_back, lent

S = TypeVar("S", bound=Session)
T = TypeVar("T")
P = ParamSpec("P")

_IN_ERROR = 3  # libpq's PQTRANS_INERROR: PostgreSQL would answer COMMIT with a silent rollback


def unit(function: Callable[P, Iterator[T]]) -> Callable[P, AbstractContextManager[T, None]]:
    """Make a context manager of a generator that never swallows what is raised inside its block."""
    return cast("Callable[P, AbstractContextManager[T, None]]", contextmanager(function))


class Fate(Enum):
    """How far a transaction got; after COMMITTING without COMMITTED nobody knows what the database did."""

    OPEN = "open"
    COMMITTING = "committing"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"


class Transaction(Generic[S]):
    """A connection inside one transaction, a session that works on it, and its fate."""

    def __init__(self, session: S, connection: Connection) -> None:
        """Start open, with the transaction that the connection has just begun."""
        self.session = session
        self.connection = connection
        self.fate = Fate.OPEN
        self._begun = connection.get_transaction()

    def commit(self) -> None:
        """Keep everything. Raises: OutsideError when PostgreSQL would only pretend to; RuntimeError after a rollback.

        A session that was rolled back begins again by itself, and would keep the rest of a unit without its beginning.
        """
        self.session.flush()
        if self._begun is None or not self._begun.is_active or self.connection.get_transaction() is not self._begun:
            message = "This unit was rolled back on the way, so nothing of it can be kept."
            raise RuntimeError(message)
        if is_spoilt(self.connection):
            message = "A statement failed inside this unit, so nothing of it can be kept."
            raise OutsideError(message, permanent=False)
        self.fate = Fate.COMMITTING
        if self.session.in_transaction():
            self.session.commit()  # ends the session's part only: the transaction is the connection's
        self.connection.commit()
        self.fate = Fate.COMMITTED

    def undo(self) -> None:
        """Keep nothing that is not committed."""
        if self.session.in_transaction():
            self.session.rollback()
        self.connection.rollback()
        if self.fate is Fate.OPEN:
            self.fate = Fate.ROLLED_BACK


def is_spoilt(connection: Connection) -> bool:
    """Return whether the open transaction can no longer be committed."""
    if connection.dialect.name != "postgresql":
        return False
    raw = connection.connection.dbapi_connection
    return raw is not None and raw.info.transaction_status == _IN_ERROR


class opened(Generic[S]):  # noqa: N801  read as what `with` does
    """Open a transaction; a writing one must be committed by its caller, everything else is undone.

    Every page opens several, so this is spelt out: as generators inside generators it cost more than their statements.
    Raises: OutsideError when the database does not answer.
    """

    def __init__(self, database: Database, make: Callable[[Connection], S], *, writing: bool) -> None:
        """Keep where to open it, and how its session is made."""
        self._database = database
        self._make = make
        self._is_writing = writing
        self._lock = database.lock(writing=writing)

    def __enter__(self) -> Transaction[S]:
        """Wait for a turn where turns are taken, and begin."""
        if self._lock is not None:
            self._lock.enter()
        connection: Connection | None = None
        try:
            connection = lent(self._database.engine(writing=self._is_writing))
            connection.begin()
            transaction = Transaction(self._make(connection), connection)
        except BaseException as broken:
            self._leave(connection)
            self._translate(broken)
            raise
        self._transaction = transaction
        return transaction

    def __exit__(self, _kind: type[BaseException] | None, broken: BaseException | None, _trace: object) -> None:
        """Undo what is not committed, and give back the connection and the turn; nothing raised is swallowed."""
        transaction = self._transaction
        try:
            try:
                transaction.undo()
            finally:
                transaction.session.close()
                self._leave(transaction.connection)
        except SQLAlchemyError as while_undoing:
            self._translate(while_undoing, transaction.fate)
            raise
        self._translate(broken, transaction.fate)

    def _leave(self, connection: Connection | None) -> None:
        try:
            if connection is not None:
                given_back(connection)
        finally:
            if self._lock is not None:
                self._lock.leave()

    def _translate(self, broken: BaseException | None, fate: Fate = Fate.OPEN) -> None:
        if isinstance(broken, SQLAlchemyError):
            refuse_if_outside(broken, self._database.name, is_committing=fate is Fate.COMMITTING)
