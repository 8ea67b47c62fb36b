"""Tokens by which a customer's own programs read their log and decide: only the hash is kept."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from console.domain.ids import TenantId

PREFIX = "spc_"
_FORM = re.compile(r"spc_[A-Za-z0-9_-]{32,64}")


def token_hash(token: str) -> str | None:
    """Return what is stored of a token, or None for what cannot be one; 256 random bits need no salt."""
    return sha256(token.encode()).hexdigest() if _FORM.fullmatch(token) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerToken:
    """One token of one tenant; `may_decide` opens the access policy and consents besides the log.

    Shape: `made_by` is the staff member to whom it was shown, once.
    """

    id: str
    tenant: TenantId
    label: str
    may_decide: bool
    made_by: str
    made_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
