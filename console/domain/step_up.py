"""Whether what an identity provider vouches for is recent and strong enough for a dangerous action."""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Protocol

SKEW = timedelta(seconds=30)


class Vouched(Protocol):
    """The two claims that a step-up rests on."""

    @property
    def acr(self) -> str:
        """Return how strongly the person signed in, in the provider's word; empty when it does not say."""
        ...

    @property
    def authenticated_at(self) -> datetime | None:
        """Return when the person themselves last signed in at the provider."""
        ...


def step_up_fault(claims: Vouched, *, asked_at: datetime, max_age_s: int, strong: AbstractSet[str]) -> str | None:
    """Return why a sign-in at the provider is not good enough for a step-up, or None when it is.

    Shape: `asked_at` is when we sent the browser away; `strong` holds the accepted acr values.
    Source: ASVS V6.8.4; Authlib checks neither acr nor auth_time.
    """
    if claims.authenticated_at is None:
        return "The identity provider did not say when you signed in (auth_time)."
    if claims.authenticated_at < asked_at - timedelta(seconds=max_age_s) - SKEW:
        return "You signed in too long ago; sign in again at the identity provider."
    if not claims.acr:
        return "The identity provider did not say how strongly you signed in (acr)."
    if claims.acr not in strong:
        return "You signed in without a second factor; use one at the identity provider."
    return None
