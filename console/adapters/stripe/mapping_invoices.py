"""Invoices and credit notes in canonical form, in the shapes from before and after 2025-03-31."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from console.adapters.stripe.amounts import minor
from console.adapters.stripe.reading import (
    Document,
    MalformedError,
    label,
    moment,
    moment_or_none,
    part,
    reference,
    rows,
    text,
    text_or_none,
    whole,
    whole_or_none,
)
from console.adapters.stripe.told import FEATURE, Tax, Told, currency_of, is_live, named
from console.domain.billing.objects import CreditNote, Invoice, InvoiceLine

_OPEN = "open"  # what was tried to collect an invoice means something only while it is owed


def invoice(document: Document, told: Told) -> Invoice:
    """Return an invoice. Raises: MalformedError; OutsideError."""
    currency = currency_of(document)
    passed = part(document, "status_transitions")
    is_open = text(document, "status") == _OPEN
    issued = moment_or_none(document, "effective_at") or moment_or_none(passed, "finalized_at")
    return Invoice(
        id=text(document, "id"),
        number=text_or_none(document, "number"),
        customer=named(document, "customer"),
        subscription=_subscription(document),
        status=text(document, "status"),
        currency=currency,
        lines=tuple(_line(each, currency, told) for each in rows(document, "lines")),
        discount_minor=minor(_discounts(document), currency),
        tax_minor=_exclusive_tax(document, currency),
        total_minor=minor(whole(document, "total"), currency),
        balance_applied_minor=minor(_balance_applied(document), currency),
        due_minor=minor(whole(document, "amount_due"), currency),
        paid_minor=minor(whole(document, "amount_paid"), currency),
        remaining_minor=minor(whole(document, "amount_remaining"), currency),
        issued_at=issued or moment(document, "created"),
        due_at=moment_or_none(document, "due_date"),
        paid_at=moment_or_none(passed, "paid_at"),
        is_paid_out_of_band=_is_out_of_band(document),
        is_live=is_live(document, told),
        attempts=(whole_or_none(document, "attempt_count") or 0) if is_open else 0,
        next_attempt_at=moment_or_none(document, "next_payment_attempt") if is_open else None,
    )


def credit_note(document: Document, told: Told) -> CreditNote:
    """Return a credit note. Raises: MalformedError."""
    currency = currency_of(document)
    credit = part(document, "customer_balance_transaction")
    return CreditNote(
        id=text(document, "id"),
        number=text_or_none(document, "number"),
        customer=named(document, "customer"),
        invoice=named(document, "invoice"),
        status=text(document, "status"),
        currency=currency,
        total_minor=minor(whole(document, "total"), currency),
        pre_payment_minor=minor(whole(document, "pre_payment_amount"), currency),
        post_payment_minor=minor(whole(document, "post_payment_amount"), currency),
        refunded_minor=minor(_refunded(document), currency),
        credited_minor=minor(-(whole_or_none(credit, "amount") or 0), currency),
        out_of_band_minor=minor(whole_or_none(document, "out_of_band_amount") or 0, currency),
        reason=text_or_none(document, "reason"),
        issued_at=moment(document, "created"),
        is_live=is_live(document, told),
    )


def _subscription(document: Document) -> str | None:
    """Return the subscription: `parent` names it since 2025-03-31, the invoice itself before."""
    return reference(part(document, "parent", "subscription_details").get("subscription")) or reference(
        document.get("subscription")
    )


def _discounts(document: Document) -> int:
    """Return coupons and the like, with what prepaid credits took off the total."""
    credits_used = [
        each
        for each in rows(document, "total_pretax_credit_amounts")
        if each.get("type") == "credit_balance_transaction"
    ]
    return sum(whole(each, "amount") for each in [*rows(document, "total_discount_amounts"), *credits_used])


def _exclusive_tax(document: Document, currency: str) -> int:
    """Return the tax that is added to the lines; inclusive tax is a part of them already."""
    return minor(sum(whole(each, "amount") for each in _taxes(document, "total_taxes", "total_tax_amounts")), currency)


def _taxes(document: Document, name: str, once_named: str) -> Iterable[Document]:
    for each in rows(document, name) or rows(document, once_named):
        is_inclusive = each.get("tax_behavior") == "inclusive" or each.get("inclusive") is True
        if not is_inclusive:
            yield each


def _balance_applied(document: Document) -> int:
    ending = whole_or_none(document, "ending_balance")
    return 0 if ending is None else ending - (whole_or_none(document, "starting_balance") or 0)


def _is_out_of_band(document: Document) -> bool:
    return document.get("paid_out_of_band") is True or bool(whole_or_none(document, "amount_paid_off_stripe"))


def _line(document: Document, currency: str, told: Told) -> InvoiceLine:
    price = _price_of(document)
    period = part(document, "period")
    tax = _tax(document, currency, told)
    return InvoiceLine(
        id=text(document, "id"),
        text=text_or_none(document, "description") or "",
        amount_minor=minor(whole(document, "amount"), currency),
        price=price,
        feature=label(document, FEATURE) or _feature(price, told),
        quantity=whole_or_none(document, "quantity"),
        unit_minor=_unit(document, currency),
        period_from=moment(period, "start"),
        period_until=moment(period, "end"),
        is_proration=_is_proration(document),
        tax_minor=tax.minor,
        tax_basis_points=tax.basis_points,
        jurisdiction=tax.jurisdiction,
    )


def _price_of(document: Document) -> str | None:
    """Return the price: under `pricing` since 2025-03-31, on the line before."""
    return reference(part(document, "pricing", "price_details").get("price")) or reference(document.get("price"))


def _feature(price: str | None, told: Told) -> str | None:
    found = None if price is None else told.price(price)
    return None if found is None else label(found, FEATURE)


def _unit(document: Document, currency: str) -> int | None:
    """Return what one costs; None where that is a fraction, or where nothing is counted."""
    said = part(document, "pricing").get("unit_amount_decimal", part(document, "price").get("unit_amount_decimal"))
    unit = None if said is None else _decimal(said)
    return minor(int(unit), currency) if unit is not None and unit == unit.to_integral_value() else None


def _is_proration(document: Document) -> bool:
    parents = [part(document, "parent", f"{kind}_item_details") for kind in ("subscription", "invoice")]
    return any(each.get("proration") is True for each in (document, *parents))


def _tax(document: Document, currency: str, told: Told) -> Tax:
    """Return the tax of a line with its rate; several rates count as their sum, a broken hundredth as no rate."""
    taxes = list(_taxes(document, "taxes", "tax_amounts"))
    rates = [rate for rate in (_rate(each, told) for each in taxes) if rate is not None]
    parts = [_points(rate) for rate in rates]
    points = sum((each for each in parts if each is not None), Decimal(0))
    is_whole = bool(parts) and None not in parts and points == points.to_integral_value()
    places = [place for place in (text_or_none(rate, "jurisdiction") for rate in rates) if place is not None]
    return Tax(
        minor=minor(sum(whole(each, "amount") for each in taxes), currency),
        basis_points=int(points) if is_whole else None,
        jurisdiction=" + ".join(dict.fromkeys(places)) or None,
    )


def _rate(tax: Document, told: Told) -> Document | None:
    known = part(tax, "tax_rate")
    if known:
        return known
    rate = reference(part(tax, "tax_rate_details").get("tax_rate")) or reference(tax.get("tax_rate"))
    return None if rate is None else told.tax_rate(rate)


def _points(rate: Document) -> Decimal | None:
    said = [rate.get(name) for name in ("effective_percentage", "percentage") if rate.get(name) is not None]
    return _decimal(said[0]) * 100 if said else None


def _decimal(said: object) -> Decimal:
    try:
        return Decimal(str(said))
    except InvalidOperation:
        raise MalformedError(f"{said!r:.40} is no number.") from None


def _refunded(document: Document) -> int:
    refunds = rows(document, "refunds")
    if refunds:
        return sum(whole(each, "amount_refunded") for each in refunds)
    return whole_or_none(part(document, "refund"), "amount") or 0  # expanded, and one at most, before 2025
