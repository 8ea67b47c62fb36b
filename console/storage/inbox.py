"""The inbox of providers' webhooks inside a unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, column, func, literal_column, select, table, tuple_, update
from sqlalchemy.orm import Session

from console.domain.ids import InboundId, TenantId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.search_terms import folded
from console.storage.job_rows import shown_event
from console.storage.job_tables import InboundEventRow
from console.storage.prepared import Prepared
from console.storage.rows import add_unless_taken, changed, found
from console.storage.types import Words

_COUNTED_UP_TO = 10_000
# Word for word as the partial index says it, so that either database proves that it serves.
_IS_RECEIVED: ColumnElement[bool] = literal_column("inbound_event.state = 'received'")
_WAITING_OF = Prepared(
    select(InboundEventRow.customer, InboundEventRow.object_id).where(
        InboundEventRow.customer.in_(bindparam("customers", expanding=True)), _IS_RECEIVED
    )
)
_CUSTOMERS = table("directory_customer", column("value", Words()), column("tenant_id", Words()))  # a view


class StoredInbox:
    """The Inbox of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, event: InboundEvent) -> bool:
        """Keep an event; False when it came before."""
        return add_unless_taken(self._session, InboundEventRow, _values(event))

    def get(self, event: InboundId) -> InboundEvent | None:
        """Return one event."""
        row = self._session.scalar(select(InboundEventRow).where(InboundEventRow.id == event))
        return None if row is None else shown_event(row)

    def settle(
        self, event: InboundEvent, state: InboundState, *, at: datetime, because: str | None, tenant: TenantId | None
    ) -> bool:
        """Write how an event ended, by one conditional update on its version; False: was faster."""
        ended = {"state": state.value, "because": because, "tenant": tenant, "settled_at": at}
        return self._fenced(event, {**ended, "attempts": event.attempts + 1})

    def reopen(self, event: InboundEvent) -> bool:
        """Make a settled event RECEIVED again; False: was faster."""
        if event.state is InboundState.RECEIVED:
            return False
        return self._fenced(event, {"state": InboundState.RECEIVED.value, "because": None, "settled_at": None})

    def page(
        self, *, state: InboundState | None, event_type: str | None, before: InboundId | None, limit: int
    ) -> Sequence[InboundEvent]:
        """Return events newest first."""
        wanted = select(InboundEventRow)
        if state is not None:
            wanted = wanted.where(InboundEventRow.state == state.value)
        if event_type is not None:
            wanted = wanted.where(InboundEventRow.event_type == event_type)
        if before is not None:
            edge = select(InboundEventRow.received_at).where(InboundEventRow.id == before).scalar_subquery()
            wanted = wanted.where(tuple_(InboundEventRow.received_at, InboundEventRow.id) < tuple_(edge, before))
        newest = wanted.order_by(InboundEventRow.received_at.desc(), InboundEventRow.id.desc()).limit(limit)
        return [shown_event(row) for row in self._session.scalars(newest)]

    def counts(self) -> Mapping[InboundState, int]:
        """Return how many events stand in each state, counting no further than 10,000 each."""
        return {state: self._count(state) for state in InboundState}

    def known(self, provider: str, account: str, is_live: bool, event_ids: Sequence[str]) -> frozenset[str]:  # noqa: FBT001  part of the key
        """Return those event ids that the inbox has."""
        wanted = select(InboundEventRow.event_id).where(
            InboundEventRow.provider == provider,
            InboundEventRow.account == account,
            InboundEventRow.is_live == is_live,
            InboundEventRow.event_id.in_(event_ids),
        )
        return frozenset(self._session.scalars(wanted))

    def waiting_of(self, customers: Sequence[str]) -> frozenset[str]:
        """Return the objects and customers that an event of some customers is about which waits to be processed."""
        waiting = found(self._session, _WAITING_OF, customers=list(customers)) if customers else ()
        return frozenset(name for row in waiting for name in row if name is not None)

    def newest(self) -> str | None:
        """Return the provider's id of the event that came last."""
        newest = (InboundEventRow.received_at.desc(), InboundEventRow.id.desc())
        return self._session.scalar(select(InboundEventRow.event_id).order_by(*newest).limit(1))

    def oldest_waiting(self) -> datetime | None:
        """Return when the event came that waits longest to be processed."""
        waiting = InboundEventRow.state == InboundState.RECEIVED.value
        oldest = select(InboundEventRow.received_at).where(waiting).order_by(InboundEventRow.received_at).limit(1)
        return self._session.scalar(oldest)

    def failed_since(self, at: datetime) -> int:
        """Return how many events that came since then failed, counting no further than 10,000."""
        failed = (InboundEventRow.state == InboundState.FAILED.value, InboundEventRow.received_at >= at)
        some = select(InboundEventRow.id).where(*failed).limit(_COUNTED_UP_TO).subquery()
        return self._session.scalar(select(func.count()).select_from(some)) or 0

    def ignored_since(self, at: datetime, *, because: str) -> Mapping[str, int]:
        """Return how many events of each type were ignored for one cause since then, of the newest 10,000."""
        some = (
            select(InboundEventRow.event_type, InboundEventRow.because)
            .where(InboundEventRow.state == InboundState.IGNORED.value, InboundEventRow.received_at >= at)
            .order_by(InboundEventRow.received_at.desc())
            .limit(_COUNTED_UP_TO)
            .subquery()
        )
        wanted = select(some.c.event_type, func.count()).where(some.c.because == because).group_by(some.c.event_type)
        return {name: int(many) for name, many in self._session.execute(wanted.order_by(some.c.event_type))}

    def tenant_of_customer(self, customer: str) -> TenantId | None:
        """Return the tenant that a provider's customer id is mapped to in the directory; None when two claim it."""
        wanted = select(_CUSTOMERS.c.tenant_id).where(_CUSTOMERS.c.value == folded(customer))
        found = self._session.scalars(wanted.limit(2)).all()
        return TenantId(found[0]) if len(found) == 1 else None

    def _count(self, state: InboundState) -> int:
        some = select(InboundEventRow.id).where(InboundEventRow.state == state.value).limit(_COUNTED_UP_TO).subquery()
        return self._session.scalar(select(func.count()).select_from(some)) or 0

    def _fenced(self, event: InboundEvent, values: dict[str, Any]) -> bool:
        unmoved = update(InboundEventRow).where(
            InboundEventRow.id == event.id,
            InboundEventRow.version == event.version,
            InboundEventRow.state == event.state.value,
        )
        return changed(self._session, unmoved.values({**values, "version": event.version + 1})) == 1


def _values(event: InboundEvent) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in event.__dataclass_fields__}
    return {**values, "state": event.state.value}
