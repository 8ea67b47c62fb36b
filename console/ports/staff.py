"""The staff of the company as the control store keeps them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.ids import PersonKey, StaffId
from console.domain.staff import Role, StaffMember


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How a staff member proves themselves locally; the TOTP secret is sealed by ports.secrets."""

    password_hash: str | None
    totp_sealed: str | None
    totp_last_step: int


class StaffBook(Protocol):
    """Reads and writes staff members inside one unit of work."""

    def get(self, staff: StaffId) -> StaffMember | None:
        """Return one staff member."""
        ...

    def by_person(self, person: PersonKey) -> StaffMember | None:
        """Return the account of a natural person."""
        ...

    def by_email(self, email: str) -> StaffMember | None:
        """Return the account with a sign-in address (compared case-folded)."""
        ...

    def page(self, *, after: StaffId | None, limit: int) -> Sequence[StaffMember]:
        """Return staff members in order of id."""
        ...

    def many(self, staff: Collection[StaffId]) -> Mapping[StaffId, StaffMember]:
        """Return several staff members in one go; who is unknown is left out."""
        ...

    def eligible(self, roles: Collection[Role]) -> Sequence[StaffMember]:
        """Return the active persons (no service accounts) who hold any of the roles."""
        ...

    def granted_since(self, staff: StaffId, roles: Collection[Role]) -> datetime | None:
        """Return since when somebody has held any of the roles without a break, or None."""
        ...

    def add(self, member: StaffMember) -> None:
        """Add an account; raises ConflictError when person or address is taken."""
        ...

    def set_roles(self, staff: StaffId, roles: frozenset[Role], *, at: datetime) -> None:
        """Replace the roles; a kept role keeps its since-date."""
        ...

    def set_active(self, staff: StaffId, *, is_active: bool, at: datetime) -> None:
        """Switch an account on or off."""
        ...

    def set_profile(self, staff: StaffId, *, name: str, email: str) -> None:
        """Store the name and address that the identity provider gives."""
        ...

    def set_vendor(self, staff: StaffId, vendor: str | None) -> None:
        """Store which other company pays a person, None for ours."""
        ...

    def vendors(self) -> Sequence[tuple[str, int]]:
        """Return the vendors with how many active people each has."""
        ...

    def seen(self, staff: StaffId, at: datetime) -> None:
        """Remember the last sign-in."""
        ...

    def ask_to_confirm(self, staff: StaffId, *, at: datetime) -> None:
        """Want a second factor that is shown after a moment, before anything that needs a reason."""
        ...

    def credentials(self, staff: StaffId) -> Credentials | None:
        """Return local credentials, or None where there are none."""
        ...

    def set_credentials(self, staff: StaffId, credentials: Credentials) -> None:
        """Replace local credentials."""
        ...

    def accept_totp_step(self, staff: StaffId, step: int) -> bool:
        """Store a used time step by one conditional update; False means it was used before."""
        ...
