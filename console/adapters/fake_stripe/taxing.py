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
    """Make a rate that is added to amounts, or is a part of them already. Raises: RefusedError."""
    if params.get("inclusive") not in {"true", "false"}:
        raise RefusedError("inclusive must be true or false.", code="parameter_invalid")
    try:
        percentage = Decimal(text_of(params, "percentage"))
    except InvalidOperation:
        raise RefusedError("Invalid decimal: percentage", code="parameter_invalid_string") from None
    if not 0 <= percentage <= _MOST:
        raise RefusedError("percentage must be between 0 and 100.", code="parameter_invalid")
    made = changes.new(
        "tax_rate",
        "txr",
        active=True,
        inclusive=params["inclusive"] == "true",
        percentage=float(percentage),
        effective_percentage=None,
        display_name=text_of(params, "display_name"),
        jurisdiction=params.get("jurisdiction"),
        country=params.get("country"),
    )
    return changes.made({**made, "metadata": changes.labelled({}, params)}, None)


def rates_of(changes: Changes, params: Mapping[str, Any]) -> list[Document]:
    """Return the rates that parameters name as `default_tax_rates`. Raises: RefusedError."""
    given = params.get("default_tax_rates")
    return [changes.named("tax_rate", str(each)) for each in given] if isinstance(given, list) else []


def taxed(lines: Iterable[Document], rates: Iterable[Document]) -> list[Document]:
    """Return lines with what each rate adds to each of them, or has of it, rounded line by line."""
    wanted = list(rates)
    within = sum((Decimal(str(rate["percentage"])) for rate in wanted if rate["inclusive"]), Decimal(0))
    return [{**line, "taxes": [_tax(int(line["amount"]), rate, within) for rate in wanted]} for line in lines]


def added(taxes: Iterable[Document]) -> int:
    """Return what taxes add to amounts: those that are a part of them add nothing."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def total_taxes(lines: Iterable[Document]) -> list[Document]:
    """Return the taxes of an invoice: what its lines have of each rate."""
    sums: dict[str, Document] = {}
    for tax in (each for line in lines for each in line["taxes"]):
        rate = tax["tax_rate_details"]["tax_rate"]
        known = sums.setdefault(rate, {**tax, "amount": 0, "taxable_amount": 0})
        for name in ("amount", "taxable_amount"):
            known[name] += tax[name]
    return list(sums.values())


def _tax(amount: int, rate: Document, within: Decimal) -> Document:
    """Return one tax of an amount; all rates `within` it take their parts of the same amount without them."""
    before = amount * _MOST / (_MOST + within)
    exact = before * Decimal(str(rate["percentage"])) / _MOST
    tax = int(exact.quantize(_WHOLE, rounding=ROUND_HALF_UP))
    return {
        "amount": tax,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": int(before.quantize(_WHOLE, rounding=ROUND_HALF_UP)),
        "type": "tax_rate_details",
    }
