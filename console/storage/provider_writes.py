"""The commands of one tenant to the billing provider: noted before they are sent, settled after, never removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import IntegrityError

from console.domain.billing.commands import Command
from console.domain.billing.objects import ObjectKind
from console.domain.billing.writes import (
    SETTLED,
    MalformedCommandError,
    Operation,
    ProviderWrite,
    WriteEvent,
    WriteState,
    after,
    document,
    key_of,
    operation_of,
    restored,
    subject_of,
    wanted,
)
from console.domain.errors import ConflictError
from console.domain.ids import ExecutionId
from console.storage.billing_tables import ProviderWriteRow
from console.storage.faults import is_taken
from console.storage.guards import GuardedSession, Scoped
from console.storage.rows import changed

_LONGEST_ERROR = 300
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('provider_write ' || :tenant, 0))")


class StoredProviderWrites:
    """The ProviderWrites of one unit; the session adds the tenant to every statement."""

    def __init__(self, session: GuardedSession) -> None:
        """Work inside the unit's transaction and scope."""
        self._session = session

    def lock(self) -> None:
        """Let nobody else want or settle a command of this tenant until the unit ends; SQLite has one writer anyway."""
        scope = self._session.scope
        if scope is not None and self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(_LOCK, {"tenant": scope.tenant})

    def want(self, command: Command, *, execution: ExecutionId, at: datetime) -> ProviderWrite:
        """Note a command that is to be carried out; raises ConflictError where the execution has one already."""
        write = wanted(command, execution, at=at)
        try:
            self._session.put(ProviderWriteRow, **_values(write))
        except IntegrityError as broken:
            if not is_taken(broken):
                raise
            message = "This execution has asked the provider already."
            raise ConflictError(message, execution=execution) from broken
        return write

    def get(self, execution: ExecutionId) -> ProviderWrite | None:
        """Return the command of an execution; raises MalformedCommandError where it was tampered with."""
        return next((_shown(row) for row in self._rows(_BY_ID, id=execution)), None)

    def pending(self, subject: str | None = None) -> Sequence[ProviderWrite]:
        """Return what is wanted or sent and not settled, of one object or of all, oldest first."""
        return [each for each in map(_shown, self._rows(_PENDING)) if subject in {None, each.subject}]

    def recent(self, *, limit: int) -> Sequence[ProviderWrite]:
        """Return the newest commands."""
        return [_shown(row) for row in self._rows(_RECENT, most=limit)]

    def move(
        self,
        write: ProviderWrite,
        event: WriteEvent,
        *,
        at: datetime,
        result: tuple[ObjectKind, str] | None = None,
        error: str | None = None,
    ) -> ProviderWrite | None:
        """Move a command by one conditional update on its version; None when somebody was faster.

        Raises: ConflictError for an event that is not legal in its state.
        """
        to = after(write.state, event)
        if to is None:
            message = "A command that is settled stays as it is."
            raise ConflictError(message, execution=write.id, state=write.state.value)
        moved: dict[str, Any] = {
            "state": to.value,
            "version": write.version + 1,
            "error": None if error is None else error[:_LONGEST_ERROR],
        }
        if event is WriteEvent.SEND and write.sent_at is None:
            moved["sent_at"] = at
        if to in SETTLED:
            moved["settled_at"] = at
        if result is not None:
            moved |= {"result_kind": result[0].value, "result_id": result[1]}
        fenced = update(ProviderWriteRow).where(
            ProviderWriteRow.id == write.id,
            ProviderWriteRow.version == write.version,
            ProviderWriteRow.state == write.state.value,
        )
        return self.get(write.id) if changed(self._session, fenced.values(moved)) == 1 else None

    def _rows(self, statement: Scoped, **values: object) -> list[Any]:
        return self._session.scoped(statement, **values)


def _values(write: ProviderWrite) -> dict[str, Any]:
    return {
        "id": write.id,
        "operation": write.operation.value,
        "subject": write.subject,
        "command": document(write.command),
        "idempotency_key": write.idempotency_key,
        "currency": write.currency,
        "amount_minor": write.amount_minor,
        "state": write.state.value,
        "version": write.version,
        "wanted_at": write.wanted_at,
    }


def _shown(row: Any) -> ProviderWrite:  # noqa: ANN401  a row
    """Return a command; columns that do not say the same as the command itself are tampering."""
    command, execution = restored(row.command), ExecutionId(row.id)
    write = ProviderWrite(
        id=execution,
        operation=Operation(row.operation),
        subject=row.subject,
        command=command,
        idempotency_key=row.idempotency_key,
        currency=row.currency,
        amount_minor=row.amount_minor,
        state=WriteState(row.state),
        version=row.version,
        wanted_at=row.wanted_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
        result_kind=None if row.result_kind is None else ObjectKind(row.result_kind),
        result_id=row.result_id,
        error=row.error,
    )
    operation = operation_of(command)
    ought = wanted(command, execution, at=write.wanted_at)
    said = (write.operation, write.subject, write.idempotency_key, write.currency, write.amount_minor)
    if said != (operation, subject_of(command), key_of(operation, execution), ought.currency, ought.amount_minor):
        message = "A stored command does not say the same as what is noted beside it."
        raise MalformedCommandError(message, execution=execution)
    return write


_NEWEST = (ProviderWriteRow.wanted_at.desc(), ProviderWriteRow.id.desc())
_BY_ID = Scoped(select(ProviderWriteRow).where(ProviderWriteRow.id == bindparam("id")))
_PENDING = Scoped(
    select(ProviderWriteRow)
    .where(ProviderWriteRow.settled_at.is_(None))
    .order_by(ProviderWriteRow.wanted_at, ProviderWriteRow.id)
)
_RECENT = Scoped(select(ProviderWriteRow).order_by(*_NEWEST).limit(bindparam("most")))
