"""The webhooks of one tenant: the whole WebhookBook, with the part that works a bulk replay off."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import literal, select, update

from console.domain.ids import DeliveryId, RunId
from console.domain.replays import ItemState, RunItem
from console.domain.webhooks import DeliveryState, Trigger
from console.ports.webhooks import ItemOutcome
from console.storage.replay_rows import shown_item
from console.storage.rows import changed
from console.storage.webhook_messages import in_parts
from console.storage.webhook_runs import StoredRuns
from console.storage.webhook_tables import DeliveryRow, RunItemRow, RunRow

_OPEN = (ItemState.WAITING.value, ItemState.RELEASED.value)
_PLACE = ("run", "position")  # what names an item
_PRIOR = ("prior_state", "prior_reason", "prior_tries", "prior_due_at")


class StoredWebhooks(StoredRuns):
    """The WebhookBook of one unit.

    Whoever moves items takes the run's row first and never waits for a delivery: what another transaction holds is
    passed over. So a sender, which holds deliveries while it waits for the run, can always go on.
    """

    def release_items(self, run: RunId, items: Sequence[RunItem], *, at: datetime) -> Sequence[RunItem]:
        """Hand waiting items to the sender: their deliveries become due at once with trigger BULK and this run.

        Shape: returns those that were handed over; an item whose delivery is SENDING or in another run is left waiting.
        """
        self._take(run)
        released: list[RunItem] = []
        for some in in_parts(items):
            rows = self._items_of(run, [item.delivery for item in some], states=(ItemState.WAITING.value,))
            free = self._free_deliveries(list(rows), run=run)
            going = [row for delivery, row in rows.items() if delivery in free]
            moved = [
                {"run": run, "position": row.position, "state": ItemState.RELEASED.value,
                 **dict(zip(_PRIOR, free[DeliveryId(row.delivery)], strict=True))}
                for row in going
            ]  # fmt: skip
            self._session.change_rows(RunItemRow, moved, by=_PLACE)
            released += [replace(shown_item(row), state=ItemState.RELEASED) for row in going]
            queued = {"state": DeliveryState.QUEUED.value, "due_at": at, "tries": 0, "reason": None}
            self._move_all(list(free), {**queued, "trigger": Trigger.BULK.value, "run": run})
        self._count(run, released=len(released))
        return sorted(released, key=lambda item: item.position)

    def recall_items(self, run: RunId) -> int:
        """Take released items that no sender has taken yet back to WAITING; return how many."""
        self._take(run)
        wanted = select(DeliveryRow).where(DeliveryRow.run == run, DeliveryRow.state != DeliveryState.SENDING.value)
        free = wanted.order_by(DeliveryRow.id).with_for_update(skip_locked=True)
        held = {DeliveryId(row.id): row for row in self._session.scalars(free)}
        recalled = 0
        for some in in_parts(list(held)):
            items = self._items_of(run, some, states=(ItemState.RELEASED.value,))
            back: list[dict[str, object]] = []
            waiting: list[dict[str, object]] = []
            for delivery, item in items.items():
                row = held[delivery]
                back.append(
                    {"id": row.id, "state": item.prior_state or row.state, "reason": item.prior_reason,
                     "tries": item.prior_tries or 0, "due_at": item.prior_due_at, "run": None,
                     "version": row.version + 1}
                )  # fmt: skip
                waiting.append(
                    {"run": run, "position": item.position, "state": ItemState.WAITING.value, "prior_state": None}
                )
            recalled += len(items)
            self._session.change_rows(DeliveryRow, back)
            self._session.change_rows(RunItemRow, waiting, by=_PLACE)
        self._count(run, released=-recalled)
        return recalled

    def settle_item(
        self, run: RunId, delivery: DeliveryId, *, state: ItemState, tries: int, reason: str | None
    ) -> bool:
        """Move a RELEASED or WAITING item on and the run's counters with it; False when it was settled before."""
        return self.settle_items(run, [ItemOutcome(delivery=delivery, state=state, tries=tries, reason=reason)]) == 1

    def settle_items(self, run: RunId, outcomes: Sequence[ItemOutcome]) -> int:
        """Move several items on as `settle_item` does, in a handful of statements; return how many were open."""
        moved = {each.delivery: each for each in outcomes}
        skipped_by = self._take(run)
        released = sent = skipped = settled = 0
        for some in in_parts(list(moved)):
            written = []
            for delivery, row in self._items_of(run, some, states=_OPEN).items():
                outcome = moved[delivery]
                released += (outcome.state is ItemState.RELEASED) - (row.state == ItemState.RELEASED.value)
                written.append(
                    {"run": run, "position": row.position, "state": outcome.state.value, "tries": outcome.tries,
                     "reason": outcome.reason}
                )  # fmt: skip
                sent += outcome.state is ItemState.SENT
                settled += 1
                if outcome.state is ItemState.SKIPPED:
                    skipped += 1
                    skipped_by[outcome.reason or ""] = skipped_by.get(outcome.reason or "", 0) + 1
            self._session.change_rows(RunItemRow, written, by=_PLACE)
        self._count(run, released=released, sent=sent, skipped=skipped, skipped_by=skipped_by)
        return settled

    def skip_waiting(self, run: RunId, *, reason: str, limit: int) -> int:
        """Skip waiting items for one reason and count them; return how many."""
        skipped_by = self._take(run)
        wanted = select(RunItemRow.position).where(RunItemRow.run == run, RunItemRow.state == ItemState.WAITING.value)
        positions = list(self._session.scalars(wanted.order_by(RunItemRow.position).limit(limit)))
        for some in in_parts(positions):
            these = update(RunItemRow).where(RunItemRow.run == run, RunItemRow.position.in_(some))
            changed(self._session, these.values(state=ItemState.SKIPPED.value, reason=reason))
        if positions:
            skipped_by[reason] = skipped_by.get(reason, 0) + len(positions)
            self._count(run, skipped=len(positions), skipped_by=skipped_by)
        return len(positions)

    def note_outcome(self, run: RunId, *, is_success: bool) -> int:
        """Count failures in a row of a run and return how many there are now."""
        now = literal(0) if is_success else RunRow.failures_in_row + 1
        noted = update(RunRow).where(RunRow.id == run).values(failures_in_row=now).returning(RunRow.failures_in_row)
        return self._session.scalar(noted, execution_options={"synchronize_session": False}) or 0

    def _take(self, run: RunId) -> dict[str, int]:
        """Lock the run's row, so that counters and items move together; return what it has skipped, by reason."""
        found = self._session.scalar(select(RunRow.skipped_by).where(RunRow.id == run).with_for_update())
        return {str(reason): int(many) for reason, many in (found or {}).items()}

    def _items_of(
        self, run: RunId, deliveries: Sequence[DeliveryId], *, states: tuple[str, ...]
    ) -> dict[DeliveryId, RunItemRow]:
        wanted = select(RunItemRow).where(
            RunItemRow.run == run, RunItemRow.delivery.in_(deliveries), RunItemRow.state.in_(states)
        )
        return {DeliveryId(row.delivery): row for row in self._session.scalars(wanted.order_by(RunItemRow.position))}

    def _free_deliveries(
        self, deliveries: Sequence[DeliveryId], *, run: RunId
    ) -> dict[DeliveryId, tuple[str, str | None, int, datetime | None]]:
        """Lock those that no sender and no other run holds; return how they stand."""
        row = DeliveryRow
        free = select(row.id, row.state, row.reason, row.tries, row.due_at).where(
            row.id.in_(deliveries),
            row.state != DeliveryState.SENDING.value,
            row.run.is_(None) | (row.run == run),
        )
        locked = free.order_by(row.id).with_for_update(skip_locked=True)
        return {
            DeliveryId(one.id): (one.state, one.reason, one.tries, one.due_at) for one in self._session.execute(locked)
        }

    def _count(
        self,
        run: RunId,
        *,
        released: int = 0,
        sent: int = 0,
        skipped: int = 0,
        skipped_by: dict[str, int] | None = None,
    ) -> None:
        if not (released or sent or skipped):
            return
        moved = {
            "released": RunRow.released + released,
            "sent": RunRow.sent + sent,
            "skipped": RunRow.skipped + skipped,
        }
        counted = update(RunRow).where(RunRow.id == run)
        changed(self._session, counted.values({**moved, **({"skipped_by": skipped_by} if skipped_by else {})}))
