"""What one tenant's plane remembers of disputes."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from console.domain.reconciling.books import Hold
from console.storage.billing_tables import BillingHoldRow
from console.storage.faults import is_taken
from console.storage.guards import GuardedSession, Scoped
from console.storage.rows import changed


def stored_holds(session: GuardedSession) -> tuple[Hold, ...]:
    """Return every hold of the session's tenant, in order of the dispute's id."""
    return tuple(_shown(row) for row in session.scoped(_ALL))


def put_hold(session: GuardedSession, hold: Hold, *, before: Hold | None, at: datetime) -> bool:
    """Write a hold if what stands is still `before`; False when somebody was faster."""
    values = {each.name: getattr(hold, each.name) for each in fields(Hold)}
    if before is None:
        try:
            session.put(BillingHoldRow, **values, updated_at=at)
        except IntegrityError as broken:
            if not is_taken(broken):
                raise
            return False
        return True
    row = BillingHoldRow
    is_same = row.outcome.is_(None) if before.outcome is None else row.outcome == before.outcome
    fenced = update(row).where(row.dispute == hold.dispute, is_same, row.reversals == before.reversals)
    moved = {name: value for name, value in values.items() if name != "dispute"}
    return changed(session, fenced.values({**moved, "updated_at": at})) == 1


def _shown(row: Any) -> Hold:  # noqa: ANN401  a row
    return Hold(**{each.name: getattr(row, each.name) for each in fields(Hold)})


_ALL = Scoped(select(BillingHoldRow).order_by(BillingHoldRow.dispute))
