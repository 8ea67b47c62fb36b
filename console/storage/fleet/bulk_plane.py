"""One plane during an import: what is there already, and the tables that are written."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, inspect

from console.domain.imports import Record
from console.storage.fleet.targets import Target
from console.storage.fleet.upserts import among, pairs, upsert
from console.storage.rows import table_of


class BulkPlane:
    """One plane's connection; shapes that are views of the product's own schema are left to the product."""

    def __init__(self, connection: Connection) -> None:
        """Look which shapes are tables here."""
        self._connection = connection
        self._tables = frozenset(inspect(connection).get_table_names())

    def put(self, target: Target, records: Iterable[Record]) -> None:
        """Write what the records have for one table."""
        table = table_of(target.row)
        if table.name in self._tables:
            made = (target.values(record) for record in records)
            rows = [row for row in made if row is not None]
            upsert(self._connection, table, rows, key=target.key, clash=target.clash)

    def statuses(self, tenants: Collection[str]) -> dict[str, str]:
        """Return the statuses that Sallyport itself has set; an import must not undo them in the directory."""
        is_one, known = among(self._connection, tenants)
        found = self._connection.exec_driver_sql(
            "SELECT tenant_id, status FROM plane_account_state "  # noqa: S608  one mark
            f"WHERE status IS NOT NULL AND tenant_id {is_one}",
            (known,),
        )
        return {row[0]: row[1] for row in found}

    def addresses(self, members: Collection[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """Return tenant, id and address of those members that are there already."""
        if "plane_member" not in self._tables:
            return []
        wanted, known = pairs(self._connection, members)
        found = self._connection.exec_driver_sql(
            "SELECT tenant_id, id, email FROM "  # noqa: S608  marks only
            f"{wanted} CROSS JOIN plane_member WHERE tenant_id = pair.one AND id = pair.two",
            known,
        )
        return [(tenant, member, email) for tenant, member, email in found]

    def endpoints(self, ids: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return tenant and id of those webhook endpoints that are there already."""
        wanted, known = pairs(self._connection, ids)
        found = self._connection.exec_driver_sql(
            "SELECT tenant_id, id FROM "  # noqa: S608  marks only
            f"{wanted} CROSS JOIN plane_webhook_endpoint WHERE tenant_id = pair.one AND id = pair.two",
            known,
        )
        return [(tenant, endpoint) for tenant, endpoint in found]
