"""The one deliberate writer across tenants: imports and the demo world, recorded by the use case that calls it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import groupby
from typing import Any, NoReturn

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain.errors import BadValueError, ConflictError, TrailUnavailableError
from console.domain.ids import MemberId, PlaneId, TenantId
from console.domain.imports import MemberRecord, Record, TenantRecord, WebhookEndpointRecord, endpoint_id_of
from console.domain.search_terms import folded
from console.domain.tenancy import SearchKind
from console.ports.bulk import Catalogue
from console.ports.clock import Ids
from console.ports.secrets import Fingerprints
from console.ports.sending import NewKey
from console.storage.directory_tables import DirectoryKeyRow, DirectoryTenantRow
from console.storage.engines import Database
from console.storage.faults import broken_rule, is_taken
from console.storage.fleet.bulk_plane import BulkPlane
from console.storage.fleet.bulk_rows import (
    CATALOGUE_TARGETS,
    LINK,
    TENANT_TARGETS,
    directory_values,
    member_id,
    tenant_id,
)
from console.storage.fleet.directory_keys import keys_of
from console.storage.fleet.targets import Target
from console.storage.fleet.upserts import Clash, among, upsert
from console.storage.fleet.webhook_rows import key_row
from console.storage.guards import ACROSS_TENANTS
from console.storage.rows import table_of
from console.storage.trail import StoredTrail, Writers
from console.storage.transactions import Transaction, opened, unit
from console.storage.webhook_tables import EndpointKeyRow

_TURN = {kind: turn for turn, kind in enumerate((*CATALOGUE_TARGETS, *TENANT_TARGETS))}


class BulkSession(Session):
    """A session that may cross tenants; only this module makes one."""

    def __init__(self, connection: Connection) -> None:
        """Lift the guard, for this transaction alone."""
        super().__init__(connection.execution_options(**{ACROSS_TENANTS: True}), expire_on_commit=False)


class StoredBulkUnit:
    """The BulkUnit over the control store and the planes; planes elsewhere are opened when first needed."""

    def __init__(
        self,
        control: Transaction[BulkSession],
        *,
        planes: Mapping[PlaneId, Callable[[], Transaction[BulkSession]]],
        shared: frozenset[PlaneId],
        fingerprints: Fingerprints,
        trail: StoredTrail,
        seal: Callable[[str], NewKey],
    ) -> None:
        """Work inside the transactions of one import."""
        self._control = control.session.connection()
        self._openers = planes
        self._shared = shared
        self._fingerprints = fingerprints
        self._seal = seal
        self._opened: dict[PlaneId, BulkPlane] = {}
        self._where: Mapping[str, PlaneId] | None = None
        self.trail = trail

    @cached_property
    def _shared_plane(self) -> BulkPlane:
        return BulkPlane(self._control)

    def planes(self) -> frozenset[PlaneId]:
        """Return the planes that tenants can be put on."""
        return self._shared | frozenset(self._openers)

    def catalogue(self) -> Catalogue:
        """Return the keys of plans, features and add-ons."""

        def keys(table: str) -> frozenset[str]:
            found = self._control.exec_driver_sql(f"SELECT key FROM {table}")  # noqa: S608  a name of ours
            return frozenset(found.scalars())

        return Catalogue(plans=keys("plane_plan"), features=keys("plane_feature"), add_ons=keys("plane_add_on"))

    def tenants(self, external_ids: Collection[str]) -> Mapping[str, PlaneId]:
        """Return where the known ones among some tenants live."""
        is_one, known = among(self._control, external_ids)
        found = self._control.exec_driver_sql(
            f"SELECT external_id, plane FROM directory_tenant WHERE external_id {is_one}",  # noqa: S608  one mark
            (known,),
        )
        return {external: PlaneId(plane) for external, plane in found}

    def slugs(self, slugs: Collection[str]) -> Mapping[str, str]:
        """Return the external id of the tenant that holds each taken slug."""
        is_one, known = among(self._control, slugs)
        found = self._control.exec_driver_sql(
            f"SELECT slug, external_id FROM directory_tenant WHERE slug {is_one}",  # noqa: S608  one mark
            (known,),
        )
        return {row[0]: row[1] for row in found}

    def endpoints(self, wanted: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Return those of some webhook endpoints, each a tenant's and its own external id, that are known."""
        where = self.tenants({tenant for tenant, _ in wanted})
        known: set[tuple[str, str]] = set()
        there = [pair for pair in wanted if pair[0] in where]
        for plane_id, some in self._by_plane(there, lambda pair: where[pair[0]]):
            ids = {(str(tenant_id(tenant)), str(endpoint_id_of(tenant, name))): (tenant, name) for tenant, name in some}
            known |= {ids[found] for found in self._plane(plane_id).endpoints(ids)}
        return frozenset(known)

    def put(self, records: Sequence[Record]) -> None:
        """Add or replace by external id, in the order given. Raises: OutsideError, ConflictError, BadValueError."""
        self._where = None
        try:
            # Kinds apart, each in the order given: a world comes tenant by tenant, which is a few rows a statement.
            for kind, run in groupby(sorted(records, key=lambda record: _TURN[type(record)]), key=type):
                if kind in CATALOGUE_TARGETS:
                    self._put_catalogue(kind, list(run))
                elif kind is TenantRecord:
                    self._put_tenants([record for record in run if isinstance(record, TenantRecord)])
                else:
                    self._put_owned(kind, list(run), self._homes(records))
        except IntegrityError as broken:
            if not is_taken(broken):
                message = f"A row of this import breaks a rule of its table: {broken_rule(broken)}."
                raise BadValueError(message, field="file") from broken
            message = "A row of this import has a key that another tenant's row holds."
            raise ConflictError(message) from broken

    def _put_catalogue(self, kind: type[Any], records: list[Record]) -> None:
        for plane in self._every_plane():
            for target in CATALOGUE_TARGETS[kind]:
                plane.put(target, records)

    def _put_tenants(self, records: list[TenantRecord]) -> None:
        for plane_id, mine in self._by_plane(records, lambda record: PlaneId(record.plane)):
            plane = self._plane(plane_id)
            plane.put(LINK, mine)
            for target in TENANT_TARGETS[TenantRecord]:
                plane.put(target, mine)
            rows = [directory_values(record) for record in mine]
            ours = plane.statuses([row["id"] for row in rows])
            for row in rows:
                row["status"] = ours.get(row["id"], row["status"])
            self._forget_domains([row["id"] for row in rows])
            upsert(self._control, table_of(DirectoryTenantRow), rows, key=("id",))
        self._put_keys(records)

    def _homes(self, records: Sequence[Record]) -> Mapping[str, PlaneId]:
        """Return where the tenants of these records live, looked up once, when their tenants stand in the directory."""
        if self._where is None:
            owners = (getattr(record, "tenant", None) for record in records)
            self._where = self.tenants({owner for owner in owners if owner is not None})
        return self._where

    def _put_owned(self, kind: type[Any], records: list[Any], where: Mapping[str, PlaneId]) -> None:
        missing = next((record.tenant for record in records if record.tenant not in where), None)
        if missing is not None:
            message = "A row of this import belongs to a tenant that the directory does not know."
            raise ConflictError(message, tenant=missing)
        for plane_id, mine in self._by_plane(records, lambda record: where[record.tenant]):
            plane = self._plane(plane_id)
            if kind is MemberRecord:
                self._forget_addresses(plane, mine)
            for target in (*TENANT_TARGETS[kind], *self._sealed_targets(kind)):
                plane.put(target, mine)
        self._put_keys(records)

    def _sealed_targets(self, kind: type[Any]) -> Iterator[Target]:
        """Yield where secrets go: sealed on the way, so that none is ever written as it is."""
        if kind is WebhookEndpointRecord:
            seal = self._seal

            def sealed(record: WebhookEndpointRecord) -> dict[str, Any] | None:
                return key_row(record, seal=seal, fingerprint=self._fingerprints.of)

            yield Target(EndpointKeyRow, ("tenant_id", "id"), sealed, Clash.KEEP)

    def _put_keys(self, records: Iterable[Record]) -> None:
        rows = [key for record in records for key in keys_of(record, self._fingerprints.of)]
        upsert(self._control, table_of(DirectoryKeyRow), rows, key=("kind", "value", "tenant_id"))

    def _forget_domains(self, tenants: list[str]) -> None:
        is_one, known = among(self._control, tenants)
        self._control.exec_driver_sql(
            f"DELETE FROM directory_key WHERE kind = 'domain' AND tenant_id {is_one}",  # noqa: S608  one mark
            (known,),
        )

    def _forget_addresses(self, plane: BulkPlane, records: list[MemberRecord]) -> None:
        """Remove the keys of addresses that members of this run no longer have."""
        new = {
            (tenant_id(record.tenant), member_id(record.tenant, record.external_id)): folded(record.email)
            for record in records
        }
        for tenant, member, email in plane.addresses(new):
            if folded(email) != new[TenantId(tenant), MemberId(member)]:
                table = table_of(DirectoryKeyRow)
                gone = table.delete().where(
                    table.c.kind == SearchKind.MEMBER_EMAIL.value,
                    table.c.value == self._fingerprints.of(folded(email)),
                    table.c.tenant_id == tenant,
                )
                self._control.execute(gone)

    def _by_plane(
        self, records: Iterable[Any], plane_of: Callable[[Any], PlaneId]
    ) -> Iterator[tuple[PlaneId, list[Any]]]:
        sorted_out: dict[PlaneId, list[Any]] = {}
        for record in records:
            sorted_out.setdefault(plane_of(record), []).append(record)
        yield from sorted_out.items()

    def _every_plane(self) -> Iterator[BulkPlane]:
        yield self._shared_plane
        for plane in self._openers:
            yield self._plane(plane)

    def _plane(self, plane: PlaneId) -> BulkPlane:
        if plane in self._shared:
            return self._shared_plane
        if plane not in self._openers:
            message = "There is no such plane."
            raise ConflictError(message, plane=plane)
        if plane not in self._opened:
            self._opened[plane] = BulkPlane(self._openers[plane]().session.connection())
        return self._opened[plane]


def _unsealable(_secret: str) -> NoReturn:
    message = "This house has no sealing key, so a webhook secret cannot be imported."
    raise BadValueError(message, field="secret", remedy="Set the sealing key, or leave the secret out.")


class StoredBulk:
    """The Bulk on SQLAlchemy."""

    def __init__(
        self,
        control: Database,
        *,
        planes: Mapping[PlaneId, Database],
        shared: frozenset[PlaneId],
        fingerprints: Fingerprints,
        ids: Ids,
        writers: Writers,
        seal: Callable[[str], NewKey] | None = None,
    ) -> None:
        """Keep the engines of the importer's part; without `seal` no secret of an endpoint can be imported."""
        self._control = control
        self._planes = planes
        self._shared = shared
        self._fingerprints = fingerprints
        self._ids = ids
        self._writers = writers
        self._seal = seal or _unsealable

    @unit
    def write(self) -> Iterator[StoredBulkUnit]:
        """Open an import: commits on success, other planes first, the control store last; otherwise rolls back."""
        with (
            opened(self._control, BulkSession, writing=True) as control,
            self._writers.lent(control) as counter,
            ExitStack() as stack,
        ):
            elsewhere: list[Transaction[BulkSession]] = []

            def opener(database: Database) -> Callable[[], Transaction[BulkSession]]:
                def open_once() -> Transaction[BulkSession]:
                    elsewhere.append(stack.enter_context(opened(database, BulkSession, writing=True)))
                    return elsewhere[-1]

                return open_once

            trail = StoredTrail(control.session, ids=self._ids, counter=counter)
            yield StoredBulkUnit(
                control,
                planes={plane: opener(database) for plane, database in self._planes.items()},
                shared=self._shared,
                fingerprints=self._fingerprints,
                trail=trail,
                seal=self._seal,
            )
            if trail.has_failed:
                message = "The import's entry could not be written, therefore nothing was imported."
                raise TrailUnavailableError(message)
            for each in elsewhere:
                each.commit()
            control.commit()
