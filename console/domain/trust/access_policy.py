"""What a tenant permits of staff's work beyond looking, and how it wants to be told."""

from dataclasses import dataclass
from enum import StrEnum


class ImpersonationRule(StrEnum):
    """Whether staff may act as one of the tenant's members."""

    ALLOWED = "allowed"
    CONSENT = "consent"
    REFUSED = "refused"

    @property
    def looseness(self) -> int:
        """Return how much it permits, compared with the others."""
        return (ImpersonationRule.REFUSED, ImpersonationRule.CONSENT, ImpersonationRule.ALLOWED).index(self)


class Notify(StrEnum):
    """How the tenant's administrators are written to; NONE only where the law forbids more."""

    EACH = "each"
    DIGEST = "digest"
    NONE = "none"

    @property
    def looseness(self) -> int:
        """Return how little is said, compared with the others."""
        return (Notify.EACH, Notify.DIGEST, Notify.NONE).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """One tenant's own rules; `version` is 0 where nobody ever set any."""

    impersonation: ImpersonationRule = ImpersonationRule.ALLOWED
    notify: Notify = Notify.DIGEST
    version: int = 0

    def loosens(self, to: "AccessPolicy") -> bool:
        """Return whether another policy would permit more, or say less."""
        return to.impersonation.looseness > self.impersonation.looseness or to.notify.looseness > self.notify.looseness


DEFAULT_POLICY = AccessPolicy()
