"""Which customers of the billing provider are one tenant, and who else says that they are theirs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import TenantId
from console.domain.reconciling.books import Link


class BillingCustomers(Protocol):
    """The links of one tenant; `also` of a Link stays empty here, because a plane shows one tenant only."""

    def links(self) -> tuple[Link, ...]:
        """Return the live links in order of the customer's id."""
        ...

    def link(self, customer: str, *, by: str, because: str, at: datetime) -> bool:
        """Say that a customer is this tenant and move `entitlement_version`; False when it was said already."""
        ...

    def unlink(self, customer: str, *, at: datetime) -> bool:
        """End a link and move `entitlement_version`; False when there is none."""
        ...


class CustomerClaims(Protocol):
    """The narrow look across tenants: ids of customers and of the tenants that link them, nothing else."""

    def of(self, customers: Sequence[str]) -> Mapping[str, tuple[TenantId, ...]]:
        """Return the tenants with a live link to each of these customers, in order of id; raises OutsideError.

        Shape: customers that nobody links are left out. A plane that does not answer is an error and never "nobody".
        """
        ...
