"""What the sender does to deliveries of one tenant; the third part of its WebhookBook."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from console.domain.ids import DeliveryId, EndpointId
from console.domain.webhooks import Delivery, DeliveryState
from console.ports.webhooks import Settled
from console.storage.guards import Scoped
from console.storage.rows import changed
from console.storage.webhook_messages import NOT_DELIVERED, StoredMessages, in_parts
from console.storage.webhook_rows import attempt_row, moving_values, shown_delivery
from console.storage.webhook_tables import AttemptRow, DeliveryRow

_SENDING = DeliveryState.SENDING.value
_WAITING = (DeliveryState.QUEUED.value, DeliveryState.RETRY_SCHEDULED.value)


class StoredSending(StoredMessages):
    """Claims and settles in batches: a handful of statements, however many deliveries."""

    def due(self, endpoint: EndpointId, *, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return deliveries whose `due_at` has come, also those whose sender vanished, oldest first."""
        return [shown_delivery(row) for row in self._session.scoped(_DUE, endpoint=endpoint, now=now, most=limit)]

    def claim_deliveries(self, deliveries: Sequence[Delivery], *, by: str, until: datetime) -> Sequence[Delivery]:
        """Mark deliveries SENDING until then and return them as they stand now; those that moved are left out."""
        taken: list[Delivery] = []
        for some in in_parts(deliveries):
            locked = self._session.scoped(_LOCKED, ids=[each.id for each in some])
            versions = {row.id: row.version for row in locked}
            free = [each for each in some if versions.get(each.id) == each.version]  # so nothing else has moved
            mine = [
                replace(each, state=DeliveryState.SENDING, due_at=until, claimed_by=by, version=each.version + 1)
                for each in free
            ]
            if mine:
                self._session.move(_CLAIMED, ids=[each.id for each in mine], due=until, holder=by)
            taken += mine
        return taken

    def settle(self, results: Iterable[Settled], *, by: str) -> int:
        """Append attempts and write deliveries that `by` still holds; return how many it did not hold any more.

        Shape: what is not held any more leaves no attempt either: who took it over has said that it was interrupted.
        """
        lost = 0
        for some in in_parts(list(results)):
            versions = self._held([each.delivery.id for each in some], by=by)
            mine = [each for each in some if each.delivery.id in versions]
            self._session.add_rows(AttemptRow, [attempt_row(each.attempt) for each in mine])
            moved = [
                {"id": one.id, **moving_values(one), "version": versions[one.id] + 1}
                for one in (each.delivery for each in mine)
            ]
            self._session.change_rows(DeliveryRow, moved)
            lost += len(some) - len(mine)
        return lost

    def give_back(self, deliveries: Sequence[Delivery], *, by: str) -> int:
        """Write state and `due_at` of claimed deliveries that were not tried after all; return how many `by` held."""
        given = 0
        for some in in_parts(deliveries):
            versions = self._held([each.id for each in some], by=by)
            self._session.change_rows(
                DeliveryRow,
                [
                    {"id": each.id, "state": each.state.value, "due_at": each.due_at, "claimed_by": None,
                     "version": versions[each.id] + 1}
                    for each in some if each.id in versions
                ],
            )  # fmt: skip
            given += len(versions)
        return given

    def _held(self, deliveries: Sequence[DeliveryId], *, by: str) -> dict[str, int]:
        """Lock those deliveries that `by` still holds; return their versions."""
        return {row.id: row.version for row in self._session.scoped(_HELD, ids=list(deliveries), holder=by)}

    def hold(self, endpoint: EndpointId, *, state: DeliveryState, reason: str, limit: int) -> int:
        """Move queued and scheduled deliveries of an endpoint to HELD or SUPPRESSED; return how many.

        Shape: a delivery that a bulk replay holds is left to its run.
        """
        wanted = select(DeliveryRow.id).where(
            DeliveryRow.endpoint == endpoint,
            DeliveryRow.due_at.is_not(None),
            DeliveryRow.state.in_(_WAITING),
            DeliveryRow.run.is_(None),
        )
        ordered = wanted.order_by(DeliveryRow.due_at, DeliveryRow.created_at, DeliveryRow.id)
        free = ordered.limit(limit).with_for_update(skip_locked=True)
        values = {"state": state.value, "reason": reason, "due_at": None}
        return self._move_all(list(self._session.scalars(free)), values)

    def unhold(self, endpoint: EndpointId, *, at: datetime, limit: int) -> int:
        """Queue held deliveries of an endpoint again; return how many."""
        wanted = select(DeliveryRow.id).where(
            DeliveryRow.endpoint == endpoint, DeliveryRow.state == DeliveryState.HELD.value, NOT_DELIVERED
        )
        free = wanted.order_by(DeliveryRow.created_at, DeliveryRow.id).limit(limit).with_for_update(skip_locked=True)
        values = {"state": DeliveryState.QUEUED.value, "reason": None, "due_at": at}
        return self._move_all(list(self._session.scalars(free)), values)

    def _move_all(self, ids: Sequence[str], values: Mapping[str, object]) -> int:
        """Write the same to deliveries that this transaction has locked."""
        moved = 0
        for some in in_parts(ids):
            statement = update(DeliveryRow).where(DeliveryRow.id.in_(some))
            moved += changed(self._session, statement.values({**values, "version": DeliveryRow.version + 1}))
        return moved


_WANTED = (
    select(DeliveryRow.id, DeliveryRow.version)
    .where(DeliveryRow.id.in_(bindparam("ids", expanding=True)))
    .order_by(DeliveryRow.id)
    .with_for_update()
)
_LOCKED = Scoped(_WANTED)
_HELD = Scoped(_WANTED.where(DeliveryRow.claimed_by == bindparam("holder"), DeliveryRow.state == _SENDING))
_CLAIMED = Scoped(
    update(DeliveryRow)
    .where(DeliveryRow.id.in_(bindparam("ids", expanding=True)))
    .values(
        state=_SENDING,
        due_at=bindparam("due", type_=DeliveryRow.due_at.type),
        claimed_by=bindparam("holder", type_=DeliveryRow.claimed_by.type),
        version=DeliveryRow.version + 1,
    )
)
_DUE = Scoped(
    select(DeliveryRow)
    .where(DeliveryRow.endpoint == bindparam("endpoint"), DeliveryRow.due_at <= bindparam("now"))
    .order_by(DeliveryRow.due_at, DeliveryRow.created_at, DeliveryRow.id)
    .limit(bindparam("most"))
)
