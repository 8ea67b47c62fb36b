"""Which tenants the access jobs look at: ids and times over all of them, on connections that can read nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import TextClause, text

from console.domain.errors import OutsideError
from console.domain.ids import PlaneId, TenantId
from console.ports.override_register import Overridden
from console.storage.engines import Database
from console.storage.faults import translated
from console.storage.fleet.due import fleet_session
from console.storage.types import stored_micros

_Answers = tuple[list[tuple[int, TenantId, PlaneId]], frozenset[PlaneId]]
_ENDED = text(
    """
    SELECT tenant_id, valid_until FROM plane_effective_set
    WHERE valid_until IS NOT NULL AND valid_until <= :now ORDER BY valid_until, tenant_id LIMIT :most
    """
)
_WITH_OVERRIDES = text(
    """
    SELECT DISTINCT tenant_id, 0 FROM plane_entitlement_override
    WHERE ended_at IS NULL AND tenant_id > :after ORDER BY tenant_id LIMIT :most
    """
)


class StoredAccessFleet:
    """The AccessFleet over the fleet's part of every plane; a plane that does not answer is left out."""

    def __init__(self, databases: Mapping[PlaneId, Database]) -> None:
        """Keep the engines; planes that share a database are asked once, under one name."""
        self._databases = dict(databases)

    def ended(self, now: datetime, *, limit: int) -> Sequence[tuple[PlaneId, TenantId]]:
        """Return tenants whose stored set has reached its end, longest ago first; a silent plane is left out."""
        found, _silent = self._asked(_ENDED, {"now": stored_micros(now), "most": limit})
        return [(plane, tenant) for _at, tenant, plane in sorted(found)[:limit]]

    def with_overrides(self, *, after: TenantId | None, limit: int) -> Overridden:
        """Return tenants that have an override that was not ended by hand, by id, and which planes said nothing."""
        found, silent = self._asked(_WITH_OVERRIDES, {"after": after or "", "most": limit})
        return Overridden(tenants=sorted({tenant for _zero, tenant, _plane in found})[:limit], silent=silent)

    def _asked(self, question: TextClause, values: Mapping[str, int | str]) -> _Answers:
        rows: list[tuple[int, TenantId, PlaneId]] = []
        silent: set[PlaneId] = set()
        for plane, database in self._databases.items():
            try:
                with (
                    translated(database.name),
                    database.turn(writing=False) as engine,
                    fleet_session(engine) as session,
                ):
                    rows += [(int(at), TenantId(tenant), plane) for tenant, at in session.execute(question, values)]
                    session.rollback()
            except OutsideError:
                silent.add(plane)
        return rows, frozenset(silent)
