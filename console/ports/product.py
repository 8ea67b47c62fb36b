"""The product that acts for members: who it is, the keys of its tokens, and what it tells of its side."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from console.domain.ids import ImpersonationId, MemberId, StaffId, TenantId
from console.domain.product_reports import ProductEvent, Report


class TokenKeys(Protocol):
    """Signs tokens with the newest key, and knows those made with the keys before it."""

    def signed(self, claims: Mapping[str, object]) -> str:
        """Return a token."""
        ...

    def read(self, token: str) -> Mapping[str, object] | None:
        """Return the claims of a token that one of our keys signed in exactly our way, None for anything else."""
        ...

    def rotate(self) -> str:
        """Make a new key that signs from now on, and return its id; tokens of the older ones stay readable."""
        ...

    def published(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the public halves of all keys, the newest first, as a JSON Web Key Set."""
        ...


class Product(Protocol):
    """The one product that is connected."""

    @property
    def client_id(self) -> str:
        """Return the name by which it calls us, which is also the audience of its tokens."""
        ...

    @property
    def issuer(self) -> str:
        """Return our own address as it reaches us, which is also the issuer of its tokens."""
        ...

    @property
    def address(self) -> str:
        """Return its origin, as a browser reaches it."""
        ...

    @property
    def callback(self) -> str:
        """Return the path to which a browser carries a code."""
        ...

    @property
    def keys(self) -> TokenKeys:
        """Return the keys of its tokens."""
        ...

    def is_called_by(self, client_id: str, secret: str) -> bool:
        """Return whether a caller knows the name and the secret; it takes as long whether it does or not."""
        ...

    def pseudonym(self, staff: StaffId) -> str:
        """Return under which name the product knows a staff member: always the same, and telling nothing else."""
        ...


class ProductReports(Protocol):
    """What the product told, inside one unit of work; append-only."""

    def add(self, report: Report, *, at: datetime) -> bool:
        """Store one request; False when it was told before."""
        ...

    def of(self, impersonation: ImpersonationId, *, before: str | None, limit: int) -> Sequence[Report]:
        """Return the requests of one impersonation, newest first, those after `before`."""
        ...

    def note(self, event: ProductEvent, *, tenant: TenantId, member: MemberId, at: datetime) -> bool:
        """Store an event; `member` is the id that its external one would have. False when it was told before."""
        ...

    def was_reset(self, tenant: TenantId, member: MemberId, *, since: datetime) -> bool:
        """Return whether an event about a member came since a moment."""
        ...
