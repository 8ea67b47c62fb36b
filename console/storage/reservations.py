"""Names that executions hold from their start to their end: a key of the control store, whatever plane they act on."""

from datetime import datetime

from sqlalchemy import bindparam, delete
from sqlalchemy.orm import Session

from console.domain.ids import ExecutionId
from console.storage.prepared import Prepared
from console.storage.request_tables import ReservationRow
from console.storage.rows import add_unless_taken, done, table_of


class StoredReservations:
    """The Reservations of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def take(self, name: str, *, execution: ExecutionId, at: datetime) -> bool:
        """Hold a name for an execution; the key makes a second holder impossible, and lets it wait for the first."""
        values = {"name": name, "execution": execution, "at": at}
        return add_unless_taken(self._session, ReservationRow, values)

    def free(self, execution: ExecutionId) -> None:
        """Let go of whatever an execution holds."""
        done(self._session, _FREE, execution=execution)


_ROW = table_of(ReservationRow)
_FREE = Prepared(delete(_ROW).where(_ROW.c.execution == bindparam("execution")))
