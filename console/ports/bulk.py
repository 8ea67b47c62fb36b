"""Writing many tenants at once, across planes: for imports and the demo world only."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from console.domain.ids import PlaneId
from console.domain.imports import Record
from console.ports.trail import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The keys that rows may refer to."""

    plans: frozenset[str]
    features: frozenset[str]
    add_ons: frozenset[str]


class BulkUnit(Protocol):
    """One import: everything in it is kept, or nothing is."""

    @property
    def trail(self) -> Trail:
        """Return the way to write the import's entry, in the same transaction."""
        ...

    def planes(self) -> frozenset[PlaneId]:
        """Return the planes that tenants can be put on."""
        ...

    def catalogue(self) -> Catalogue:
        """Return the keys of plans, features and add-ons, with those put in this unit."""
        ...

    def tenants(self, external_ids: Collection[str]) -> Mapping[str, PlaneId]:
        """Return where the known ones among some tenants live, with those put in this unit; one statement."""
        ...

    def slugs(self, slugs: Collection[str]) -> Mapping[str, str]:
        """Return the external id of the tenant that holds each taken slug; one statement."""
        ...

    def endpoints(self, wanted: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Return those of some webhook endpoints, each a tenant's and its own external id, that are known."""
        ...

    def put(self, records: Sequence[Record]) -> None:
        """Add or replace by external id, in the order given; of two with one identity the later holds.

        Shape: at most a few thousand records; plans, features and add-ons go to every plane, the others to their
        tenant's. Raises: OutsideError, ConflictError for a key that another row holds, BadValueError for any other rule
        of a table.
        """
        ...


class Bulk(Protocol):
    """Opens imports."""

    def write(self) -> AbstractContextManager[BulkUnit]:
        """Open an import: commits on success, the control store last; rolls everything back on any exception."""
        ...
