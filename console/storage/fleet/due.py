"""Which tenants have something to send: ids and times over all of them, on connections that can read nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine, TextClause, text
from sqlalchemy.orm import Session

from console.domain.errors import OutsideError
from console.domain.ids import EndpointId, PlaneId, TenantId
from console.ports.sending import DueEndpoint
from console.storage.engines import Database
from console.storage.faults import translated
from console.storage.guards import ACROSS_TENANTS
from console.storage.types import stored_micros

T = TypeVar("T")

_LOOKED_AT = 5_000

# An endpoint may be asked when it is active, its breaker is closed and no sender holds it.
_FREE = """
  endpoint.state = 'active'
  AND (endpoint.breaker_until IS NULL OR endpoint.breaker_until <= :now)
  AND (endpoint.claimed_until IS NULL OR endpoint.claimed_until <= :now)
"""
# The longest waiting deliveries first: costs nothing when nothing is due.
_LONGEST_WAITING = text(
    f"""
    WITH waiting AS (
      SELECT tenant_id, endpoint, due_at FROM plane_webhook_delivery
      WHERE due_at IS NOT NULL AND due_at <= :now ORDER BY due_at LIMIT :looked_at
    )
    SELECT waiting.tenant_id, waiting.endpoint, min(waiting.due_at) AS since, count(*) AS many
    FROM waiting JOIN plane_webhook_endpoint AS endpoint
      ON endpoint.tenant_id = waiting.tenant_id AND endpoint.id = waiting.endpoint
    WHERE {_FREE}
    GROUP BY waiting.tenant_id, waiting.endpoint ORDER BY since, waiting.tenant_id, waiting.endpoint LIMIT :most
    """  # noqa: S608  no value of anybody's
)
_HOW_MANY = text(
    """
    SELECT count(*) FROM (
      SELECT due_at FROM plane_webhook_delivery
      WHERE due_at IS NOT NULL AND due_at <= :now ORDER BY due_at LIMIT :looked_at
    ) AS waiting
    """
)
# One seek for each endpoint: when one long queue would hide all the others.
_BY_ENDPOINT = text(
    f"""
    SELECT free.tenant_id, free.endpoint, free.since FROM (
      SELECT endpoint.tenant_id, endpoint.id AS endpoint, (
        SELECT min(delivery.due_at) FROM plane_webhook_delivery AS delivery
        WHERE delivery.tenant_id = endpoint.tenant_id AND delivery.endpoint = endpoint.id
          AND delivery.due_at IS NOT NULL
      ) AS since
      FROM plane_webhook_endpoint AS endpoint WHERE {_FREE}
    ) AS free
    WHERE free.since <= :now ORDER BY free.since, free.tenant_id, free.endpoint LIMIT :most
    """  # noqa: S608  no value of anybody's
)
# From tenant to tenant: a long queue of one of them costs one seek.
_UNFANNED = text(
    """
    WITH RECURSIVE tenant(id) AS (
      SELECT min(tenant_id) FROM plane_webhook_message WHERE fanned_at IS NULL
      UNION ALL
      SELECT (
        SELECT min(message.tenant_id) FROM plane_webhook_message AS message
        WHERE message.fanned_at IS NULL AND message.tenant_id > tenant.id
      ) FROM tenant WHERE tenant.id IS NOT NULL
    )
    SELECT id FROM tenant WHERE id IS NOT NULL LIMIT :most
    """
)
_EXPIRED = text(
    """
    SELECT DISTINCT tenant_id FROM (
      SELECT tenant_id FROM plane_webhook_message
      WHERE kept_until IS NOT NULL AND kept_until <= :now ORDER BY kept_until LIMIT :looked_at
    ) AS expired
    ORDER BY tenant_id LIMIT :most
    """
)


class StoredWebhookFleet:
    """The WebhookFleet over the fleet's part of every plane; a plane that does not answer is left out."""

    def __init__(self, databases: Mapping[PlaneId, Database]) -> None:
        """Keep the engines; planes that share a database are asked once, under one name."""
        self._databases = dict(databases)

    def due(self, now: datetime, *, limit: int) -> Sequence[DueEndpoint]:
        """Return endpoints with due deliveries, longest waiting first; a silent plane is left out."""
        values = {"now": stored_micros(now), "most": limit, "looked_at": _LOOKED_AT}

        def waiting(session: Session) -> list[tuple[int, str, str]]:
            is_long = (session.scalar(_HOW_MANY, values) or 0) >= _LOOKED_AT
            rows = session.execute(_BY_ENDPOINT if is_long else _LONGEST_WAITING, values)
            return [(row.since, row.tenant_id, row.endpoint) for row in rows]

        found = sorted((*row, plane) for plane, row in self._asked(waiting))
        return [
            DueEndpoint(plane=plane, tenant=TenantId(tenant), endpoint=EndpointId(endpoint))
            for _since, tenant, endpoint, plane in found[:limit]
        ]

    def unfanned(self, *, limit: int) -> Sequence[tuple[PlaneId, TenantId]]:
        """Return tenants with messages that nobody has addressed yet."""
        return self._tenants(_UNFANNED, {"most": limit})[:limit]

    def expired(self, now: datetime, *, limit: int) -> Sequence[tuple[PlaneId, TenantId]]:
        """Return tenants with payloads whose retention has ended."""
        values = {"now": stored_micros(now), "most": limit, "looked_at": _LOOKED_AT}
        return self._tenants(_EXPIRED, values)[:limit]

    def _tenants(self, question: TextClause, values: Mapping[str, int]) -> list[tuple[PlaneId, TenantId]]:
        found = self._asked(lambda session: list(session.scalars(question, values)))
        return [(plane, TenantId(tenant)) for plane, tenant in found]

    def _asked(self, question: Callable[[Session], Sequence[T]]) -> Iterator[tuple[PlaneId, T]]:
        for plane, database in self._databases.items():
            try:
                with (
                    translated(database.name),
                    database.turn(writing=False) as engine,
                    fleet_session(engine) as session,
                ):
                    answers = question(session)
                    session.rollback()
            except OutsideError:
                continue
            yield from ((plane, answer) for answer in answers)


def fleet_session(engine: Engine) -> Session:
    """Return a session that may read over tenants what the fleet's part of the database shows."""
    return Session(engine.execution_options(**{ACROSS_TENANTS: True}))
