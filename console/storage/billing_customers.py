"""The links of one tenant to customers of the billing provider."""

from datetime import datetime

from sqlalchemy import select, update

from console.domain.reconciling.books import Link
from console.storage.account_state import move_entitlements
from console.storage.billing_tables import BillingCustomerRow
from console.storage.guards import GuardedSession, Scoped
from console.storage.rows import changed


class StoredBillingCustomers:
    """The BillingCustomers of one unit; a row is never removed, a link is ended.

    Which customers a tenant is decides whose subscriptions count, so both move what access is computed from.
    """

    def __init__(self, session: GuardedSession) -> None:
        """Work inside the unit's transaction and scope."""
        self._session = session

    def links(self) -> tuple[Link, ...]:
        """Return the live links in order of the customer's id."""
        return tuple(Link(customer=row.customer, linked_at=row.linked_at) for row in self._session.scoped(_LIVE))

    def link(self, customer: str, *, by: str, because: str, at: datetime) -> bool:
        """Say that a customer is this tenant; False when it was said already."""
        if any(link.customer == customer for link in self.links()):
            return False
        self._session.put(BillingCustomerRow, customer=customer, linked_at=at, linked_by=by, because=because)
        move_entitlements(self._session)
        return True

    def unlink(self, customer: str, *, at: datetime) -> bool:
        """End a link; False when there is none."""
        live = update(BillingCustomerRow).where(
            BillingCustomerRow.customer == customer, BillingCustomerRow.unlinked_at.is_(None)
        )
        if changed(self._session, live.values(unlinked_at=at)) == 0:
            return False
        move_entitlements(self._session)
        return True


_LIVE = Scoped(
    select(BillingCustomerRow)
    .where(BillingCustomerRow.unlinked_at.is_(None))
    .order_by(BillingCustomerRow.customer, BillingCustomerRow.linked_at)
)
