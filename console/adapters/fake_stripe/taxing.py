"""Tax of the invented provider: rates that are made by hand and added to every line of what names them."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from console.adapters.fake_stripe.asking import RefusedError, text_of
from console.adapters.fake_stripe.book import Document
from console.adapters.fake_stripe.changes import Changes

_WHOLE = Decimal(1)
_MOST = Decimal(100)


def create_rate(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Make a rate that is added to amounts; inclusive ones are not known here. Raises: RefusedError."""
    if params.get("inclusive") != "false":
        raise RefusedError("Only rates with inclusive=false are known here.", code="parameter_invalid")
    try:
        percentage = Decimal(text_of(params, "percentage"))
    except InvalidOperation:
        raise RefusedError("Invalid decimal: percentage", code="parameter_invalid_string") from None
    if not 0 <= percentage <= _MOST:
        raise RefusedError("percentage must be between 0 and 100.", code="parameter_invalid")
    made = changes.new("tax_rate", "txr", active=True, inclusive=False, percentage=float(percentage),
                       effective_percentage=None, display_name=text_of(params, "display_name"),
                       jurisdiction=params.get("jurisdiction"), country=params.get("country"))  # fmt: skip
    return changes.made({**made, "metadata": changes.labelled({}, params)}, None)


def rates_of(changes: Changes, params: Mapping[str, Any]) -> list[Document]:
    """Return the rates that parameters name as `default_tax_rates`. Raises: RefusedError."""
    given = params.get("default_tax_rates")
    return [changes.named("tax_rate", str(each)) for each in given] if isinstance(given, list) else []


def taxed(lines: Iterable[Document], rates: Iterable[Document]) -> list[Document]:
    """Return lines with what each rate adds to each of them, rounded line by line."""
    wanted = list(rates)
    return [{**line, "taxes": [_tax(int(line["amount"]), rate) for rate in wanted]} for line in lines]


def total_taxes(lines: Iterable[Document]) -> list[Document]:
    """Return the taxes of an invoice: what its lines have of each rate."""
    sums: dict[str, Document] = {}
    for tax in (each for line in lines for each in line["taxes"]):
        rate = tax["tax_rate_details"]["tax_rate"]
        known = sums.setdefault(rate, {**tax, "amount": 0, "taxable_amount": 0})
        for name in ("amount", "taxable_amount"):
            known[name] += tax[name]
    return list(sums.values())


def _tax(amount: int, rate: Document) -> Document:
    exact = amount * Decimal(str(rate["percentage"])) / 100
    return {
        "amount": int(exact.quantize(_WHOLE, rounding=ROUND_HALF_UP)),
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": amount,
        "type": "tax_rate_details",
    }
