"""Impersonations, and the one-use codes by which they are handed over to the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.freezes import FreezeScope
from console.domain.ids import ImpersonationId, MemberId, RequestId, SessionKey, StaffId, TenantId
from console.domain.impersonations import Impersonation, ImpersonationEnd
from console.domain.leases import Lease
from console.domain.product_tokens import HandOffCode
from console.domain.trust.consents import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a new impersonation would rest on. Units: minutes. Shape: `session` is None for who acts without a browser.

    `running` is the one of the same person that is alive; `consent` the one that it would spend, where the tenant
    asks for consent.
    """

    is_connected: bool
    session: SessionKey | None
    lease: Lease | None
    running: Impersonation | None
    tenant_allows: bool
    consent: Consent | None
    longest_minutes: int
    idle_minutes: int


class ImpersonationBook(Protocol):
    """Reads and writes impersonations inside one unit of work."""

    def add(self, row: Impersonation) -> bool:
        """Store a new one; False when this staff member has one that nothing has ended, and then nothing is stored."""
        ...

    def get(self, impersonation: ImpersonationId) -> Impersonation | None:
        """Return one, ended or not."""
        ...

    def open_of(self, staff: StaffId) -> Impersonation | None:
        """Return the one of a person that nothing has ended in the store (clocks not applied)."""
        ...

    def touch(self, impersonation: ImpersonationId, at: datetime) -> None:
        """Move the idle clock of one that is not ended; it never goes back."""
        ...

    def widen(self, impersonation: ImpersonationId, *, by: RequestId) -> bool:
        """Let one that only reads write, by one conditional update; False when it is ended or writes already."""
        ...

    def end(self, impersonation: ImpersonationId, *, by: ImpersonationEnd, at: datetime) -> bool:
        """End one by one conditional update; False when it was ended before."""
        ...

    def open_after(self, after: ImpersonationId | None, *, limit: int) -> Sequence[Impersonation]:
        """Return those that nothing has ended in the store, in order of id."""
        ...

    def open_on(self, tenant: TenantId, members: Sequence[MemberId]) -> Sequence[Impersonation]:
        """Return those on some members of a tenant that nothing has ended in the store."""
        ...

    def open_in(self, session: SessionKey) -> Sequence[Impersonation]:
        """Return those that a session began and nothing has ended in the store."""
        ...

    def open_under(self, scope: FreezeScope, subject: str, *, limit: int) -> Sequence[Impersonation]:
        """Return those that a freeze would end, in order of id (clocks not applied)."""
        ...

    def of_tenant(
        self, tenant: TenantId, *, before: ImpersonationId | None, limit: int
    ) -> Sequence[tuple[Impersonation, str]]:
        """Return those of a tenant, ended or not, newest first, each with its staff member's name."""
        ...

    def add_code(self, code: HandOffCode) -> None:
        """Store a one-use code by its digest."""
        ...

    def code(self, digest: str) -> HandOffCode | None:
        """Return a code, used or not."""
        ...

    def spend(self, digest: str, at: datetime) -> bool:
        """Use a code by one conditional update; False when it was used before."""
        ...
