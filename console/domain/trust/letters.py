"""Letters to a customer: what is told and by which way; none holds more of the tenant than the access itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.ids import TenantId


class LetterKind(StrEnum):
    """What a letter is about."""

    ACCESS = "access"
    DIGEST = "digest"
    CONSENT = "consent"
    CONSENT_REMINDER = "consent_reminder"
    CONSENT_DECIDED = "consent_decided"
    POLICY_CHANGED = "policy_changed"


class Way(StrEnum):
    """How it leaves the house."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One queued letter. Shape: `about` is the number of a line, or the id of a consent; `tries` are failed ones."""

    id: str
    tenant: TenantId
    kind: LetterKind
    way: Way
    about: str
    at: datetime
    due_at: datetime
    tries: int = 0
    because: str | None = None
