"""Which tenants link which customers of the billing provider, on connections that can read nothing else of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from console.domain.ids import PlaneId, TenantId
from console.storage.billing_tables import BillingCustomerRow
from console.storage.engines import Database
from console.storage.faults import translated
from console.storage.guards import ACROSS_TENANTS
from console.storage.prepared import Prepared
from console.storage.rows import table_of

_AT_ONCE = 500
_LINKS = table_of(BillingCustomerRow)
_LINKED = Prepared(
    select(_LINKS.c.customer, _LINKS.c.tenant_id)
    .where(_LINKS.c.customer.in_(bindparam("customers", expanding=True)), _LINKS.c.unlinked_at.is_(None))
    .distinct()
)


class StoredCustomerClaims:
    """The CustomerClaims over the fleet's part of every plane."""

    def __init__(self, databases: Mapping[PlaneId, Database]) -> None:
        """Keep the engines; planes that share a database are asked once, under one name."""
        self._databases = dict(databases)

    def of(self, customers: Sequence[str]) -> Mapping[str, tuple[TenantId, ...]]:
        """Return the tenants with a live link to each of these customers, in order of id; raises OutsideError."""
        wanted = sorted(set(customers))
        found: dict[str, set[str]] = defaultdict(set)
        for database in self._databases.values():
            for start in range(0, len(wanted), _AT_ONCE):
                for customer, tenant in _linked(database, wanted[start : start + _AT_ONCE]):
                    found[customer].add(tenant)
        return {customer: tuple(TenantId(each) for each in sorted(found[customer])) for customer in sorted(found)}


def _linked(database: Database, customers: list[str]) -> list[tuple[str, str]]:
    with (
        translated(database.name),
        database.turn(writing=False) as engine,
        engine.connect().execution_options(**{ACROSS_TENANTS: True}) as connection,
        connection.begin(),
    ):
        return [(row.customer, row.tenant_id) for row in _LINKED.rows(connection, {"customers": customers})]
