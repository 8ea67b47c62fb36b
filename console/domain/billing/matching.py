"""How sure it is that two records belong together; from a guess nothing is ever linked by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from console.domain.billing.objects import Invoice, Payment
from console.domain.ids import TenantId


class Strength(IntEnum):
    """Why two records match, the strongest first."""

    PROVIDER_ID = 1  # our row bears the provider's id
    METADATA = 2  # the provider's object names the tenant
    CHAIN = 3  # invoice number, idempotency key, or payment of an invoice
    CANDIDATE = 4  # customer, currency, amount and time agree
    SUGGESTION = 5  # e-mail or name agrees

    @property
    def may_link(self) -> bool:
        """Return whether this is enough to take it as true; a person decides all else."""
        return self <= Strength.CHAIN


REASONS = {"metadata": Strength.METADATA, "email": Strength.SUGGESTION, "name": Strength.SUGGESTION}


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A tenant that a customer may belong to, and why."""

    strength: Strength
    why: str
    tenant: TenantId


def matches(similar: Iterable[tuple[TenantId, str]]) -> tuple[Match, ...]:
    """Return the tenants that look like a customer, the strongest first; a reason that nobody knows is a guess."""
    return tuple(sorted(Match(REASONS.get(why, Strength.SUGGESTION), why, tenant) for tenant, why in similar))


def named(found: Sequence[Match]) -> TenantId | None:
    """Return the one tenant that the customer certainly belongs to, or None where none or several claim it."""
    sure = {each.tenant for each in found if each.strength.may_link}
    return next(iter(sure)) if len(sure) == 1 else None


def payable(payment: Payment, left_minor: int, invoices: Iterable[Invoice]) -> Invoice | None:
    """Return the only open invoice that the rest of a payment would settle exactly: a candidate, for a person."""
    fitting = [
        each
        for each in invoices
        if (each.customer, each.currency, each.remaining_minor, each.status)
        == (payment.customer, payment.currency, left_minor, "open")
    ]
    return fitting[0] if len(fitting) == 1 else None
