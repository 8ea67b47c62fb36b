"""The billing provider: what it keeps, and the few things that it may be asked to do.

Only adapters see a provider's own objects; everybody else sees the canonical form of `domain/billing`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.commands import Command
from console.domain.billing.objects import ObjectKind

NO_PROVIDER = "none"  # the name of what stands where no provider is connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An object that cannot be put into canonical form; it becomes a finding, never a guess."""

    kind: ObjectKind
    id: str
    customer: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPage:
    """One page of a list, newest first; `after` is where the next one goes on, None at the end."""

    items: tuple[Snapshot, ...]
    after: str | None
    unreadable: tuple[Unreadable, ...] = ()


class BillingProvider(Protocol):
    """Reads what the provider keeps."""

    @property
    def name(self) -> str:
        """Return the provider's name, as its webhooks are addressed."""
        ...

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Return one object as it is now, a deleted one marked as such; None where there never was one.

        Raises: OutsideError, `permanent` where asking again is of no use; UnreadableObjectError for a document that
        lacks what its kind must have.
        """
        ...

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> ProviderPage:
        """Return objects newest first, of one customer or of all, made in [since, until). Raises: as fetch."""
        ...

    def invoice_of_number(self, *, customer: str, number: str) -> Snapshot | None:
        """Return a customer's invoice by the number that people know. Raises: as fetch."""
        ...


class BillingWriter(Protocol):
    """Does what was approved, once. Only the job `billing.write` holds one."""

    def carry_out(self, command: Command, *, key: str) -> Snapshot:
        """Ask the provider to act and return the object that came of it, under an idempotency key.

        Shape: the same key with the same command has one effect however often it is asked, for at least 24 hours.
        Raises: OutsideError; `permanent` means that the provider refused and nothing happened.
        """
        ...

    def carried_out(self, command: Command, *, key: str) -> Snapshot | None:
        """Return what came of a command, found by the key that its object bears; None where nothing did."""
        ...
