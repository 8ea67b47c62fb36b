"""Stripe's amounts and ISO 4217's: the same minor units, but for two currencies."""

# Source: docs.stripe.com/currencies, special cases. ISK and UGX have no minor unit, yet Stripe keeps writing two
# digits for them, always 00. HUF and TWD have two digits everywhere (only their payouts must be whole hundreds), and
# three-digit currencies (BHD, JOD, KWD, OMR, TND) end in 0; all of these are already what ISO 4217 says.
_STRIPE_UNITS = {"ISK": 100, "UGX": 100}


class FractionError(ValueError):
    """An amount is smaller than what its currency has."""


def minor(amount: int, currency: str) -> int:
    """Return ISO minor units of an amount as Stripe writes it. Raises: FractionError."""
    units = _STRIPE_UNITS.get(currency, 1)
    whole, rest = divmod(amount, units)
    if rest:
        raise FractionError(f"{amount} is a fraction of what {currency} has.")
    return whole


def amount(minor_units: int, currency: str) -> int:
    """Return an amount as Stripe writes it."""
    return minor_units * _STRIPE_UNITS.get(currency, 1)
