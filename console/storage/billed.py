"""The billing side of one tenant's plane: commands to the provider, links to its customers, holds of disputes."""

from datetime import datetime
from functools import cached_property

from console.domain.reconciling.books import Hold
from console.storage.billing_customers import StoredBillingCustomers
from console.storage.billing_holds import put_hold, stored_holds
from console.storage.guards import GuardedSession
from console.storage.provider_writes import StoredProviderWrites


class Billed:
    """What a tenant plane offers of billing; it is mixed into the plane, which brings the session."""

    _session: GuardedSession

    @cached_property
    def provider_writes(self) -> StoredProviderWrites:
        """Return what the billing provider was asked to do for this tenant."""
        return StoredProviderWrites(self._session)

    @cached_property
    def customers(self) -> StoredBillingCustomers:
        """Return which customers of the billing provider this tenant is."""
        return StoredBillingCustomers(self._session)

    def holds(self) -> tuple[Hold, ...]:
        """Return what was noted of disputes, also of those that are over, in order of the dispute's id."""
        return stored_holds(self._session)

    def put_hold(self, hold: Hold, *, before: Hold | None, at: datetime) -> bool:
        """Write what is noted of a dispute if what stands is still `before`; False when somebody was faster."""
        return put_hold(self._session, hold, before=before, at=at)
