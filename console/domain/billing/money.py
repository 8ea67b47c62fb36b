"""Money: whole minor units of one ISO 4217 currency; never a float, never a sum across currencies."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from console.domain.errors import ConsoleError

_CODE = re.compile(r"[A-Z]{3}")
_TYPED = re.compile(r"(?P<whole>[0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.(?P<rest>[0-9]{1,4}))?", re.ASCII)
_USUAL_EXPONENT = 2
# Source: ISO 4217; what a provider does differently is its adapter's business.
_WITHOUT_MINOR = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
    "XOF", "XPF",
)  # fmt: skip
_EXPONENTS: Mapping[str, int] = {
    **dict.fromkeys(_WITHOUT_MINOR, 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


class CurrencyError(ConsoleError):
    """A currency that is none, or two that were about to be added."""

    code = "currency_mismatch"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount. Units: `minor` whole minor units of `currency`, an upper-case ISO 4217 code."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no currency. Raises: CurrencyError."""
        if not _CODE.fullmatch(self.currency):
            message = "A currency is three capital letters."
            raise CurrencyError(message, currency=self.currency)

    def plus(self, other: "Money") -> "Money":
        """Return the sum. Raises: CurrencyError for another currency."""
        if other.currency != self.currency:
            message = "Amounts of two currencies are never added."
            raise CurrencyError(message, currency=self.currency, other=other.currency)
        return Money(self.minor + other.minor, self.currency)


def exponent(currency: str) -> int:
    """Return how many digits of a currency are minor: 0 for JPY, 2 for EUR, 3 for KWD."""
    return _EXPONENTS.get(currency, _USUAL_EXPONENT)


def worded(minor: int, currency: str) -> str:
    """Return an amount as people read it: `1,234.50 EUR`, `1,235 JPY`, `-0.05 EUR`."""
    digits = exponent(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}.{rest:0{digits}d} {currency}" if digits else f"{sign}{whole:,} {currency}"


def read(text: str, currency: str) -> int | None:
    """Return an amount that somebody typed, `1234.5` or `1,234.50`; None for what is no amount of the currency.

    Units: minor units. Shape: no more digits after the point than the currency has, and never a sign.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        return None
    whole, rest = found["whole"].replace(",", ""), found["rest"] or ""
    digits = exponent(currency)
    return int(whole + rest.ljust(digits, "0")) if len(rest) <= digits else None


def typed(minor: int, currency: str) -> str:
    """Return an amount as it is typed into a form, so that `read` gives the same again: `1234.50`, `1235`."""
    return worded(minor, currency).removesuffix(f" {currency}").replace(",", "")


def in_units(minor: int, currency: str) -> int:
    """Return an amount in whole units of its currency, rounded up: what limits that know no currency are held to."""
    unit: int = 10 ** exponent(currency)
    return -(-minor // unit)


def totals(amounts: Iterable[Money]) -> dict[str, int]:
    """Return one total for each currency, by code."""
    sums: dict[str, int] = defaultdict(int)
    for amount in amounts:
        sums[amount.currency] += amount.minor
    return dict(sorted(sums.items()))
