"""Messages, deliveries and attempts of one tenant; the second part of its WebhookBook."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, select, update

from console.domain.ids import DeliveryId, EndpointId, MessageId
from console.domain.webhooks import Attempt, AttemptOutcome, DeadLetters, Delivery, DeliveryState, Message
from console.ports.webhooks import DeliveryFilter
from console.storage.guards import Scoped
from console.storage.rows import changed
from console.storage.webhook_endpoints import StoredEndpoints
from console.storage.webhook_rows import (
    delivery_row,
    moving_values,
    shown_attempt,
    shown_delivery,
    shown_message,
)
from console.storage.webhook_tables import AttemptRow, DeliveryRow, MessageRow

_ASKED_AT_ONCE = 1_000
# With the values as they stand in the partial indexes, so that either database proves that they serve.
_EXHAUSTED: ColumnElement[bool] = DeliveryRow.state == literal_column("'exhausted'")
NOT_DELIVERED: ColumnElement[bool] = DeliveryRow.state != literal_column("'delivered'")


class StoredMessages(StoredEndpoints):
    """What was said, where it went, and how that ended."""

    def message(self, message: MessageId) -> Message | None:
        """Return one message."""
        return self.messages([message]).get(message)

    def messages(self, wanted: Sequence[MessageId]) -> Mapping[MessageId, Message]:
        """Return several messages by id."""
        known: dict[MessageId, Message] = {}
        for some in in_parts(list(dict.fromkeys(wanted))):
            rows = self._session.scoped(_MESSAGES, ids=list(some))
            known.update((MessageId(row.id), shown_message(row)) for row in rows)
        return known

    def add_message(self, message: Message, deliveries: Sequence[Delivery]) -> None:
        """Store a message together with its deliveries. Raises: ConflictError."""
        row = {
            "id": message.id,
            "event_type": message.event_type,
            "kind": message.kind.value,
            "payload": message.payload,
            "created_at": message.created_at,
            "expires_at": message.expires_at,
            "replay_of": message.replay_of,
            "subject": message.subject,
        }
        self._insert(MessageRow, [row])
        self._insert(DeliveryRow, [delivery_row(each) for each in deliveries])

    def expire_payloads(self, *, now: datetime, limit: int) -> int:
        """Take away the payloads of messages whose retention has ended; return how many."""
        kept = select(MessageRow.id).where(MessageRow.kept_until.is_not(None), MessageRow.kept_until <= now)
        ended = list(self._session.scalars(kept.order_by(MessageRow.kept_until).limit(limit)))
        gone = 0
        for some in in_parts(ended):
            these = update(MessageRow).where(MessageRow.id.in_(some), MessageRow.payload.is_not(None))
            gone += changed(self._session, these.values(payload=None))
        return gone

    def unfanned(self, *, limit: int) -> Sequence[Message]:
        """Return messages that nobody has taken note of yet, oldest first: the product's, and our own."""
        wanted = select(MessageRow).where(MessageRow.fanned_at.is_(None))
        ordered = wanted.order_by(MessageRow.created_at, MessageRow.id).limit(limit)
        return [shown_message(row) for row in self._session.scalars(ordered)]

    def addressed_among(self, messages: Sequence[MessageId]) -> frozenset[MessageId]:
        """Return those messages that have deliveries: our own are stored with them."""
        found: set[MessageId] = set()
        for some in in_parts(list(messages)):
            wanted = select(DeliveryRow.message).where(DeliveryRow.message.in_(some)).distinct()
            found.update(MessageId(each) for each in self._session.scalars(wanted))
        return frozenset(found)

    def fan_out(self, message: MessageId, deliveries: Sequence[Delivery], *, at: datetime) -> bool:
        """Take note of a message and address it; False when that was done before."""
        waiting = update(MessageRow).where(MessageRow.id == message, MessageRow.fanned_at.is_(None))
        if changed(self._session, waiting.values(fanned_at=at)) != 1:
            return False
        self._insert(DeliveryRow, [delivery_row(each) for each in deliveries])
        return True

    def deliveries(self, which: DeliveryFilter, *, before: DeliveryId | None, limit: int) -> Sequence[Delivery]:
        """Return deliveries newest first by (created_at, id); `before` is the last of the page before."""
        given: dict[str, object] = {
            "endpoint": which.endpoint,
            "event_type": which.event_type,
            "message": which.message,
            "state": which.state and which.state.value,
            "since": which.since,
            "until": which.until,
        }
        if before is not None:
            page_before = self.delivery(before)
            if page_before is None:
                return []
            given |= {"edge": page_before.created_at, "before": before, "until": None}
        asked = {name: value for name, value in given.items() if value is not None}
        wanted = _list_of(frozenset(asked), which.state is DeliveryState.DELIVERED)
        return [shown_delivery(row) for row in self._session.scoped(wanted, **asked, most=limit)]

    def delivery(self, delivery: DeliveryId) -> Delivery | None:
        """Return one delivery."""
        return next((shown_delivery(row) for row in self._session.scoped(_DELIVERY, id=delivery)), None)

    def named(self, deliveries: Sequence[DeliveryId]) -> Mapping[DeliveryId, Delivery]:
        """Return several deliveries by id."""
        known: dict[DeliveryId, Delivery] = {}
        for some in in_parts(list(dict.fromkeys(deliveries))):
            rows = self._session.scalars(select(DeliveryRow).where(DeliveryRow.id.in_(some)))
            known.update((DeliveryId(row.id), shown_delivery(row)) for row in rows)
        return known

    def deliveries_of(self, message: MessageId) -> Sequence[Delivery]:
        """Return where a message went."""
        wanted = select(DeliveryRow).where(DeliveryRow.message == message)
        ordered = wanted.order_by(DeliveryRow.created_at, DeliveryRow.id)
        return [shown_delivery(row) for row in self._session.scalars(ordered)]

    def change_delivery(self, delivery: Delivery, *, version: int) -> bool:
        """Write the fields that move by one conditional update on `version`, which moves; False: was faster."""
        fenced = update(DeliveryRow).where(DeliveryRow.id == delivery.id, DeliveryRow.version == version)
        return changed(self._session, fenced.values({**moving_values(delivery), "version": version + 1})) == 1

    def attempts(self, delivery: DeliveryId, *, limit: int) -> Sequence[Attempt]:
        """Return the attempts of a delivery, newest first."""
        return [shown_attempt(row) for row in self._session.scoped(_ATTEMPTS, delivery=delivery, most=limit)]

    def dead_letters(self, *, limit: int) -> Sequence[DeadLetters]:
        """Return exhausted deliveries grouped by endpoint and fingerprint, largest first."""
        count = func.count().label("count")
        group = (DeliveryRow.endpoint, DeliveryRow.fingerprint)
        last = (func.max(DeliveryRow.last_outcome), func.max(DeliveryRow.last_status))
        wanted = (
            select(*group, count, func.min(DeliveryRow.created_at), func.max(DeliveryRow.created_at), *last)
            .where(_EXHAUSTED)
            .group_by(*group)
            .order_by(count.desc(), *group)
            .limit(limit)
        )
        return [
            DeadLetters(
                endpoint=EndpointId(endpoint), fingerprint=fingerprint or "", count=many, oldest_at=oldest,
                newest_at=newest, outcome=None if outcome is None else AttemptOutcome(outcome), status=status,
            )
            for endpoint, fingerprint, many, oldest, newest, outcome, status in self._session.execute(wanted)
        ]  # fmt: skip

    def event_types(self, *, limit: int) -> Sequence[str]:
        """Return the event types that this tenant has been told of, in order of name."""
        names: list[str] = []
        while len(names) < limit:  # one seek for each name: DISTINCT would walk every delivery
            seek = self._session.scoped(_NEXT_TYPE, after=names[-1]) if names else self._session.scoped(_FIRST_TYPE)
            if seek[0].name is None:
                break
            names.append(seek[0].name)
        return names


def in_parts(values: Sequence[Any]) -> list[Sequence[Any]]:
    """Return runs short enough for one statement."""
    return [values[start : start + _ASKED_AT_ONCE] for start in range(0, len(values), _ASKED_AT_ONCE)]


_TYPE = func.min(DeliveryRow.event_type).label("name")
_FIRST_TYPE = Scoped(select(_TYPE))
_NEXT_TYPE = Scoped(select(_TYPE).where(DeliveryRow.event_type > bindparam("after")))


@lru_cache(maxsize=128)
def _list_of(asked: frozenset[str], is_delivered: bool) -> Scoped:  # noqa: FBT001  part of the key
    """Return the statement of a list with these filters, built once."""
    row = DeliveryRow
    filters: dict[str, ColumnElement[bool]] = {
        "endpoint": row.endpoint == bindparam("endpoint"),
        "event_type": row.event_type == bindparam("event_type"),
        "message": row.message == bindparam("message"),
        "state": row.state == bindparam("state"),
        "since": row.created_at >= bindparam("since"),
        "until": row.created_at < bindparam("until"),
        # Not as a pair with the id: SQLite would walk from the newest down to it.
        "edge": row.created_at <= bindparam("edge"),
        "before": or_(row.created_at < bindparam("edge"), row.id < bindparam("before")),
    }
    wanted = select(row).where(*(condition for name, condition in filters.items() if name in asked))
    if "state" in asked and not is_delivered:
        wanted = wanted.where(NOT_DELIVERED)
    return Scoped(wanted.order_by(row.created_at.desc(), row.id.desc()).limit(bindparam("most")))


_DELIVERY = Scoped(select(DeliveryRow).where(DeliveryRow.id == bindparam("id")))
_ATTEMPTS = Scoped(
    select(AttemptRow)
    .where(AttemptRow.delivery == bindparam("delivery"))
    .order_by(AttemptRow.number.desc(), AttemptRow.id.desc())
    .limit(bindparam("most"))
)
_MESSAGES = Scoped(select(MessageRow).where(MessageRow.id.in_(bindparam("ids", expanding=True))))
