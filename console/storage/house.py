"""Opens everything that the storage ring offers from one set of addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from console.domain.checkpoints import Verifier
from console.domain.entries import Program
from console.domain.errors import OutsideError
from console.domain.ids import SHARED_PLANE, PlaneId
from console.ports.clock import Clock, Ids
from console.ports.secrets import Fingerprints
from console.ports.sending import WebhookKeys
from console.ports.signing import CheckpointSigner, CheckpointSink
from console.storage import upgrades
from console.storage.engines import Database, Part, open_database, parsed_url
from console.storage.faults import translated
from console.storage.fleet.access import StoredAccessFleet
from console.storage.fleet.bulk import StoredBulk
from console.storage.fleet.customers import StoredCustomerClaims
from console.storage.fleet.due import StoredWebhookFleet
from console.storage.fleet.search import StoredFleet
from console.storage.guards import guard_engine
from console.storage.jobs import Deferral
from console.storage.parts import APP, FLEET, IMPORT, OWNER, SEQUENCER
from console.storage.planes import StoredPlanes
from console.storage.probes import Probe, probed
from console.storage.sequencer import StoredSequencer
from console.storage.shape import CONTROL_HEADS, PLANE_HEADS, is_current
from console.storage.store import ControlStore
from console.storage.trail import Writers


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """Where the databases are, and the ports that storage needs.

    Shape: addresses as SQLAlchemy writes them (sqlite:///FILE, postgresql+psycopg://…); the optional ones default to
    `database_url` and differ only where PostgreSQL logins do; `planes` names every plane, and one whose address is
    the control store's own shares its transactions; `webhook_keys` seals the secrets of an import, `deferred` hands
    jobs to an outside queue in the transaction that makes them, `program` stands in every entry.
    """

    database_url: str
    clock: Clock
    ids: Ids
    fingerprints: Fingerprints
    owner_url: str | None = None
    fleet_url: str | None = None
    sequencer_url: str | None = None
    import_url: str | None = None
    planes: Mapping[PlaneId, str] = field(default_factory=dict)
    pool_size: int = 5
    webhook_keys: WebhookKeys | None = None
    deferred: Deferral | None = None
    program: Program | None = None


class Storage:
    """The store, the planes, the fleet; closed together."""

    def __init__(self, settings: StorageSettings) -> None:
        """Make engines; nothing is connected until something is asked."""
        self._settings = settings
        self._elsewhere = {plane: url for plane, url in settings.planes.items() if not _is_control(settings, url)}
        shared = frozenset({SHARED_PLANE, *settings.planes} - self._elsewhere.keys())
        self._control = self._opened(settings.database_url, APP, name="control store")
        databases = {plane: self._opened(url, APP, name=f"plane {plane}") for plane, url in self._elsewhere.items()}
        fleet = self._opened(settings.fleet_url or settings.database_url, FLEET, name="directory")
        self._databases: list[Database] = [self._control, fleet, *databases.values()]
        sequencer_url = settings.sequencer_url or settings.database_url
        self._sequencing = self._opened(sequencer_url, SEQUENCER, name="trail")
        self._databases.append(self._sequencing)
        writers = Writers(settings.ids, settings.program)
        self.store = ControlStore(
            self._control,
            clock=settings.clock,
            ids=settings.ids,
            writers=writers,
            shared=shared.__contains__,
            deferred=settings.deferred,
        )
        importing = {plane: self._opened(url, IMPORT, name=f"plane {plane}") for plane, url in self._elsewhere.items()}
        control_import = self._opened(settings.import_url or settings.database_url, IMPORT, name="control store")
        self._databases += [control_import, *importing.values()]
        self.bulk = StoredBulk(
            control_import,
            planes=importing,
            shared=shared,
            fingerprints=settings.fingerprints,
            ids=settings.ids,
            writers=writers,
            seal=None if settings.webhook_keys is None else settings.webhook_keys.seal,
        )
        self.planes = StoredPlanes(databases, shared=shared, clock=settings.clock)
        self.fleet = StoredFleet(fleet, fingerprints=settings.fingerprints)
        asked = {plane: self._opened(url, FLEET, name=f"plane {plane}") for plane, url in self._elsewhere.items()}
        self._databases += asked.values()
        self.webhook_fleet = StoredWebhookFleet({SHARED_PLANE: fleet, **asked})
        self.customer_claims = StoredCustomerClaims({SHARED_PLANE: fleet, **asked})
        self.access_fleet = StoredAccessFleet({SHARED_PLANE: fleet, **asked})

    def upgrade(self) -> None:
        """Bring the control store and every plane to the newest shape. Raises: OutsideError."""
        control = self._settings.owner_url or self._settings.database_url
        planes = [(f"plane {plane}", url, PLANE_HEADS) for plane, url in self._elsewhere.items()]
        for name, url, heads in (("control store", control, CONTROL_HEADS), *planes):
            with translated(name):
                if not _has_shape(url, heads):
                    upgrades.upgrade_database(url, heads=heads)

    def check(self) -> None:
        """Raise OutsideError when the control store does not answer or has not the newest shape."""
        with translated("control store"), self._control.reading.connect() as connection:
            if not is_current(connection, heads=CONTROL_HEADS):
                message = "The database has an older shape; run `sallyport db upgrade`."
                raise OutsideError(message, permanent=True)

    def probes(self) -> list[Probe]:
        """Return how the control store and every plane are, seen with the rights of the house itself."""
        found = [self._probe(self._settings.database_url, name="control store", heads=CONTROL_HEADS)]
        return found + [
            self._probe(url, name=f"plane {plane}", heads=PLANE_HEADS) for plane, url in self._elsewhere.items()
        ]

    def _probe(self, url: str, *, name: str, heads: tuple[str, ...]) -> Probe:
        unguarded = Part(role=APP.role)  # on SQLite the house's own authorizer forbids every PRAGMA
        database = open_database(url, part=unguarded, pool_size=1, name=name)
        try:
            return probed(database, heads=heads)
        finally:
            database.close()

    def sequencer(
        self, signer: CheckpointSigner, sink: CheckpointSink, *, old_keys: tuple[Verifier, ...] = ()
    ) -> StoredSequencer:
        """Return the sequencer; every process may have one, a lock lets only one of them lead."""
        return StoredSequencer(
            self._sequencing, signer=signer, sink=sink, clock=self._settings.clock, old_keys=old_keys
        )

    def engines(self) -> list[Engine]:
        """Return all engines, for measurements and tests."""
        return [engine for each in self._databases for engine in (each.writing, each.reading)]

    def close(self) -> None:
        """Close all connections."""
        for database in self._databases:
            database.close()

    def _opened(self, url: str, part: Part, *, name: str) -> Database:
        database = open_database(url, part=part, pool_size=self._settings.pool_size, name=name)
        for engine in {database.writing, database.reading}:
            guard_engine(engine)
        return database


def open_store(settings: StorageSettings) -> Storage:
    """Return everything that storage offers; call `upgrade()` once before the first use of a new database."""
    return Storage(settings)


def _is_control(settings: StorageSettings, url: str) -> bool:
    return parsed_url(url) == parsed_url(settings.database_url)


def _has_shape(url: str, heads: tuple[str, ...]) -> bool:
    """Return whether there is nothing to upgrade; Alembic takes longer to load than this to answer."""
    database = open_database(url, part=OWNER, pool_size=1)
    try:
        with database.reading.connect() as connection:
            return is_current(connection, heads=heads)
    finally:
        database.close()
