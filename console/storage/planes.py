"""Transactions on tenant planes that are databases of their own."""

from collections.abc import Iterator, Mapping

from console.domain.errors import ScopeError
from console.domain.ids import PlaneId
from console.domain.tenancy import TenantScope
from console.ports.clock import Clock
from console.storage.engines import Database
from console.storage.guards import GuardedSession
from console.storage.tenant_plane import StoredTenantPlane
from console.storage.transactions import Transaction, opened, unit


class StoredPlanes:
    """The Planes on SQLAlchemy."""

    def __init__(self, databases: Mapping[PlaneId, Database], *, shared: frozenset[PlaneId], clock: Clock) -> None:
        """Keep the engines of the planes, and which planes live in the control store's database."""
        self._databases = dict(databases)
        self._shared = shared
        self._clock = clock

    def shares_control(self, plane: PlaneId) -> bool:
        """Return whether a plane lives in the control store's database."""
        return plane in self._shared

    @unit
    def read(self, scope: TenantScope) -> Iterator[StoredTenantPlane]:
        """Open a read-only transaction; raises OutsideError when the plane does not answer."""
        with opened(self._database_of(scope), GuardedSession, writing=False) as transaction:
            yield self._plane(transaction, scope)

    @unit
    def write(self, scope: TenantScope) -> Iterator[StoredTenantPlane]:
        """Open a transaction that commits on success; raises OutsideError when the plane does not answer."""
        with opened(self._database_of(scope), GuardedSession, writing=True) as transaction:
            yield self._plane(transaction, scope)
            transaction.commit()

    def _plane(self, transaction: Transaction[GuardedSession], scope: TenantScope) -> StoredTenantPlane:
        return StoredTenantPlane(transaction.session, scope, now=self._clock.now())

    def _database_of(self, scope: TenantScope) -> Database:
        database = self._databases.get(scope.plane)
        if database is None:
            message = "The plane of this scope has no address here."
            raise ScopeError(message, plane=scope.plane)
        return database
