"""Scope by construction: a session that cannot reach tenant-owned rows except through one tenant's scope."""

from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from console.domain.errors import ScopeError
from console.domain.tenancy import TenantScope
from console.storage.bases import TenantOwned
from console.storage.reach import Reach, mentions_owned, reach_of

SCOPED = "scoped_statement"
ACROSS_TENANTS = "across_tenants"


def _refuse(message: str) -> NoReturn:
    raise ScopeError(message)


class GuardedSession(Session):
    """A session that adds the tenant to every statement on tenant-owned rows, or refuses it."""

    def __init__(self, engine: Engine) -> None:
        """Start without a scope."""
        super().__init__(engine, expire_on_commit=False, execution_options={"populate_existing": True})
        self.scope: TenantScope | None = None

    def bind_scope(self, scope: TenantScope, *, now: datetime) -> None:
        """Open exactly one tenant until the unit ends. Raises: ScopeError for a second or an expired scope."""
        if now >= scope.not_after:
            _refuse("The scope has expired.")
        if self.scope is not None:
            if self.scope != scope:
                _refuse("A unit opens one scope; this is a second one.")
            return
        if self.get_bind().dialect.name == "postgresql":
            self.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": scope.tenant})
        self.scope = scope

    def bulk_save_objects(self, *_args: object, **_kw: object) -> NoReturn:
        """Refuse: bulk methods step around the flush guard."""
        _refuse("Bulk methods of a session step around the guard; use add().")

    def bulk_insert_mappings(self, *_args: object, **_kw: object) -> NoReturn:
        """Refuse: bulk methods step around the flush guard."""
        _refuse("Bulk methods of a session step around the guard; use add().")

    def bulk_update_mappings(self, *_args: object, **_kw: object) -> NoReturn:
        """Refuse: bulk methods step around the flush guard."""
        _refuse("Bulk methods of a session step around the guard; use add().")


@event.listens_for(GuardedSession, "do_orm_execute")
def _scope_statement(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, GuardedSession):
        return
    reach = reach_of(state.statement)
    if reach is Reach.NOTHING:
        return
    if session.scope is None:
        _refuse("A tenant-owned table was reached without a scope.")
    if reach is Reach.PAST or not state.is_orm_statement:
        _refuse("A tenant-owned table is reached through its mapped class only.")
    if state.is_insert:
        _refuse("A tenant-owned row is added with session.add() only.")
    tenant = session.scope.tenant
    state.update_execution_options(**{SCOPED: True})
    state.statement = state.statement.options(
        with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == tenant, include_aliases=True)
    )


@event.listens_for(GuardedSession, "before_flush")
def _guard_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    if not isinstance(session, GuardedSession):
        return
    changed: Iterable[object] = (*session.new, *session.dirty, *session.deleted)
    for row in changed:
        if not isinstance(row, TenantOwned):
            continue
        if session.scope is None:
            _refuse("A tenant-owned row was changed without a scope.")
        history = inspect(row).attrs["tenant_id"].history
        named = {row.tenant_id, *history.deleted}
        if named != {session.scope.tenant}:
            _refuse("A row of another tenant was to be written.")
    session.connection().info[SCOPED] = True


@event.listens_for(GuardedSession, "after_flush")
def _end_flush(session: Session, _context: UOWTransaction) -> None:
    session.connection().info.pop(SCOPED, None)


def guard_engine(engine: Engine) -> None:
    """Refuse tenant-owned SQL that comes to the engine by any way but a guarded session or the bulk writer."""
    event.listen(engine, "before_cursor_execute", _guard_cursor)
    event.listen(engine, "rollback", _forget_flush)
    event.listen(engine, "rollback_savepoint", _forget_flush)


def _forget_flush(connection: Connection, *_savepoint: object) -> None:
    if not connection.invalidated:
        connection.info.pop(SCOPED, None)


def _guard_cursor(
    connection: Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    _many: bool,  # noqa: FBT001  SQLAlchemy calls it so
) -> None:
    if not mentions_owned(statement):
        return
    options = connection.get_execution_options() if context is None else context.execution_options
    if options.get(SCOPED) or options.get(ACROSS_TENANTS) or connection.info.get(SCOPED):
        return
    _refuse("A tenant-owned table was reached outside a scoped session.")
