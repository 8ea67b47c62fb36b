"""One transaction on one database: begun at once, committed or rolled back, never half of either."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Generic, ParamSpec, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from console.domain.errors import OutsideError
from console.storage.engines import Database
from console.storage.faults import translated

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

    def __init__(self, session: S, connection: Connection, *, is_writing: bool) -> None:
        """Start open."""
        self.session = session
        self.connection = connection
        self.is_writing = is_writing
        self.fate = Fate.OPEN

    def commit(self) -> None:
        """Keep everything. Raises: OutsideError when PostgreSQL would only pretend to."""
        self.session.flush()
        if is_spoilt(self.session):
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


def is_spoilt(session: Session) -> bool:
    """Return whether the open transaction can no longer be committed."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    raw = session.connection().connection.dbapi_connection
    return raw is not None and raw.info.transaction_status == _IN_ERROR


@unit
def opened(database: Database, make: Callable[[Connection], S], *, writing: bool) -> Iterator[Transaction[S]]:
    """Open a transaction; a writing one must be committed by its caller, everything else is undone.

    Raises: OutsideError when the database does not answer.
    """
    with translated(database.name), database.turn(writing=writing) as engine, engine.connect() as connection:
        connection.begin()
        session = make(connection)
        transaction = Transaction(session, connection, is_writing=writing)
        try:
            yield transaction
        finally:
            try:
                transaction.undo()
            finally:
                session.close()
