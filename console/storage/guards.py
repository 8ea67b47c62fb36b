"""Scope by construction: a session that cannot reach tenant-owned rows except through one tenant's scope."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from sqlalchemy import Connection, Engine, Select, Update, bindparam, event, inspect, text
from sqlalchemy.engine.interfaces import Dialect, ExecutionContext
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.util import immutabledict

from console.domain.errors import ScopeError
from console.domain.tenancy import TenantScope
from console.storage.bases import PlaneBase, TenantOwned
from console.storage.prepared import Form, Prepared, PreparedInsert
from console.storage.reach import OWNED_TABLES, Reach, mentions_owned, reach_of
from console.storage.rows import fresher, insertion
from console.storage.sheets import add_all, change_all

T = TypeVar("T")
SCOPED = "scoped_statement"
_FIXED = frozenset({"tenant_id", "id"})
ACROSS_TENANTS = "across_tenants"

_MENTION = re.compile(r"\b(" + "|".join(sorted(OWNED_TABLES)) + r")\b", re.IGNORECASE)
_TENANT = "scope_tenant"
_OPENED = Prepared(text("SELECT set_config('app.tenant', :tenant, true)"))
_BOUND = re.compile(rf"{_MENTION.pattern}\.tenant_id = (?:\?|%\({_TENANT}\)s)", re.IGNORECASE)


def _refuse(message: str) -> NoReturn:
    raise ScopeError(message)


class Scoped(Prepared):
    """A prepared statement on tenant-owned rows: the criterion is put in here, and its value by the session alone."""

    def __init__(self, statement: Select[*tuple[Any, ...]] | Update) -> None:
        """Add the tenant to every tenant-owned table that the statement names.

        Raises: ScopeError for a statement that names one past its mapped class, where the criterion does not find it,
        and for one that would give a row to another tenant.
        """
        if reach_of(statement) is not Reach.MAPPED:
            _refuse("A prepared statement reaches tenant-owned tables through their mapped classes only.")
        moved = statement._values or () if isinstance(statement, Update) else ()  # noqa: SLF001  it has no other name
        if any(str(getattr(column, "name", column)) in _FIXED for column in moved):
            _refuse("Whose a row is, and which, is not changed.")
        super().__init__(
            statement.options(
                with_loader_criteria(
                    TenantOwned, lambda cls: cls.tenant_id == bindparam("scope_tenant"), include_aliases=True
                )
            )
        )
        self._proven: set[str] = set()

    def form(self, dialect: Dialect, values: Mapping[str, object]) -> Form:
        """Return the text. Raises: ScopeError when a tenant-owned table in it is not bound to the scope's tenant."""
        form = super().form(dialect, values)
        if form.sql not in self._proven:
            owned = {name.lower() for name in _MENTION.findall(form.sql)}
            bound = {name.lower() for name in _BOUND.findall(form.sql)}
            places = sum(source == _TENANT for _own, source, *_rest in form.places)
            is_positional = dialect.paramstyle == "qmark"
            if not owned or owned - bound or (is_positional and places < len(owned)):
                _refuse("A prepared statement does not bind every tenant-owned table to the scope.")
            self._proven.add(form.sql)
        return form


class GuardedSession(Session):
    """A session that adds the tenant to every statement on tenant-owned rows, or refuses it."""

    execution_options = immutabledict({"populate_existing": True})

    def __init__(self, bind: Engine | Connection) -> None:
        """Start without a scope, on a connection whose transaction somebody else ends, or on an engine."""
        self.scope: TenantScope | None = None
        self._known: dict[str, Any] = {}
        self._bound = bind
        self._held = bind if isinstance(bind, Connection) else None
        if self._held is None:
            self._set_up()

    def _set_up(self) -> None:  # when it is first asked for: most units run prepared statements only
        super().__init__(self._bound, expire_on_commit=False)

    @property
    def is_set_up(self) -> bool:
        """Return whether anything mapped was asked for yet."""
        return "identity_map" in self.__dict__

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Set up what is missing, which is all of it or nothing, and look again."""
            if self.is_set_up:
                raise AttributeError(name)
            self._set_up()
            return getattr(self, name)

    def connection(self, *args: Any, **kw: Any) -> Connection:  # noqa: ANN401  what Session takes
        """Return the connection; one that was given is used as it is, which spares most units a session's own work."""
        return super().connection(*args, **kw) if self._held is None or args or kw else self._held

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what is pending."""
        if self.is_set_up:
            super().flush(objects)

    def in_transaction(self) -> bool:
        """Return whether the session has a part in the connection's transaction."""
        return self.is_set_up and super().in_transaction()

    def close(self) -> None:
        """Forget all mapped objects."""
        if self.is_set_up:
            super().close()

    def bind_scope(self, scope: TenantScope, *, now: datetime) -> None:
        """Open exactly one tenant until the unit ends. Raises: ScopeError for a second or an expired scope."""
        if now >= scope.not_after:
            _refuse("The scope has expired.")
        if self.scope is not None:
            if self.scope != scope:
                _refuse("A unit opens one scope; this is a second one.")
            return
        if self.connection().dialect.name == "postgresql":
            _OPENED.run(self.connection(), {"tenant": scope.tenant})
        self.scope = scope

    def scoped(self, statement: Scoped, **values: object) -> list[Any]:
        """Return the rows of the open tenant. Raises: ScopeError without a scope, or for a tenant given by hand."""
        return self._scoped(statement.rows, values)

    def move(self, statement: Scoped, **values: object) -> int:
        """Run a change of the open tenant's rows and return how many it touched. Raises: ScopeError as `scoped`."""
        self._known.clear()
        return self._scoped(statement.run, values)

    def _scoped(self, run: Callable[[Connection, Mapping[str, object]], T], values: Mapping[str, object]) -> T:
        if self.scope is None:
            _refuse("A tenant-owned table was reached without a scope.")
        if _TENANT in values:
            _refuse("The tenant of a scoped statement comes from the scope.")
        self.flush()
        connection = self.connection()
        connection.info[SCOPED] = True
        try:
            return run(connection, {**values, _TENANT: self.scope.tenant})
        finally:
            connection.info.pop(SCOPED, None)

    def remembered(self, name: str, read: Callable[[], T]) -> T:
        """Return what `read` found when it was first asked in this unit, until the unit writes anything of a tenant."""
        if self.is_set_up and (self.new or self.dirty or self.deleted):
            return read()
        if name not in self._known:
            self._known[name] = read()
        known: T = self._known[name]
        return known

    def put(self, row: type[PlaneBase], **values: object) -> None:
        """Insert a row of the open tenant. Raises: ScopeError as `scoped`, IntegrityError in a savepoint of its own."""
        self._put(insertion(row), row, values)

    def put_fresher(self, row: type[PlaneBase], *, by: str, **values: object) -> bool:
        """Write a whole row of the open tenant, by one statement; False where one stands that is fresher `by` a column.

        Raises: ScopeError as `scoped`.
        """
        return self._put(fresher(row, by=by), row, values) == 1

    def _put(self, prepared: PreparedInsert, row: type[PlaneBase], values: Mapping[str, object]) -> int:
        if self.scope is None:
            _refuse("A tenant-owned row was added without a scope.")
        if not issubclass(row, TenantOwned) or "tenant_id" in values:
            _refuse("The tenant of a new row comes from the scope, and only tenant-owned rows have one.")
        self.flush()
        self._known.clear()
        connection = self.connection()
        # SQLite takes back a failed statement by itself; on PostgreSQL it would spoil the whole transaction.
        with connection.begin_nested() if connection.dialect.name == "postgresql" else nullcontext():
            connection.info[SCOPED] = True
            try:
                return prepared.run(connection, {"tenant_id": self.scope.tenant, **values})
            finally:
                connection.info.pop(SCOPED, None)

    def add_rows(self, row: type[PlaneBase], rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows of this tenant in one statement; whose they are is not the caller's to say."""
        owned = [{**each, "tenant_id": self._owner(row, each)} for each in rows]
        if owned:
            with self._scoped_rows() as connection:
                add_all(connection, row, owned)

    def change_rows(
        self, row: type[PlaneBase], rows: Sequence[Mapping[str, Any]], *, by: tuple[str, ...] = ("id",)
    ) -> None:
        """Write the named columns of many rows of this tenant by what names them; all rows name the same columns."""
        tenants = {self._owner(row, each) for each in rows}
        for tenant in tenants:  # one, or none where there are no rows
            with self._scoped_rows() as connection:
                change_all(connection, row, rows, tenant=tenant, by=by)

    @contextmanager
    def _scoped_rows(self) -> Iterator[Connection]:
        self.flush()
        self._known.clear()
        connection = self.connection()
        connection.info[SCOPED] = True
        try:
            yield connection
        finally:
            connection.info.pop(SCOPED, None)

    def _owner(self, row: type[PlaneBase], values: Mapping[str, Any]) -> str:
        if self.scope is None:
            _refuse("A tenant-owned row was written without a scope.")
        if not issubclass(row, TenantOwned):
            _refuse("Only tenant-owned rows are written this way.")
        if values.get("tenant_id", self.scope.tenant) != self.scope.tenant:
            _refuse("A row of another tenant was to be written.")
        return self.scope.tenant

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
    if not state.is_select:
        session._known.clear()  # noqa: SLF001  its own
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
    session._known.clear()  # noqa: SLF001  its own
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
