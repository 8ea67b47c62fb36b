"""The words that a provider uses for states and currencies; whatever is not here is unknown, and grants nothing."""

from collections.abc import Mapping

from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import BillingObject, ObjectKind, Subscription

STATUSES: Mapping[ObjectKind, frozenset[str]] = {
    ObjectKind.SUBSCRIPTION: frozenset(
        {"incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"}
    ),
    ObjectKind.INVOICE: frozenset({"draft", "open", "paid", "uncollectible", "void"}),
    ObjectKind.PAYMENT: frozenset(
        {
            "succeeded",
            "processing",
            "pending",
            "failed",
            "canceled",
            "requires_action",
            "requires_capture",
            "requires_confirmation",
            "requires_payment_method",
        }
    ),
    ObjectKind.REFUND: frozenset({"pending", "requires_action", "succeeded", "failed", "canceled"}),
    ObjectKind.CREDIT_NOTE: frozenset({"issued", "void"}),
    ObjectKind.DISPUTE: frozenset(
        {
            "warning_needs_response",
            "warning_under_review",
            "warning_closed",
            "needs_response",
            "under_review",
            "won",
            "lost",
            "prevented",
            "charge_refunded",
        }
    ),
    ObjectKind.PAYOUT: frozenset({"pending", "in_transit", "paid", "failed", "canceled"}),
}
LIVE = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})
PASSING = frozenset({"pending", "processing", "requires_action", "requires_capture", "requires_confirmation"})
OPEN_DISPUTE = frozenset({"warning_needs_response", "warning_under_review", "needs_response", "under_review"})
# Source: ISO 4217, the codes in use; funds and metals are no money that a customer pays with.
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST
XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())


def unknown_word(thing: BillingObject) -> tuple[str, str] | None:
    """Return field and word of an object that nothing here knows: its state, else its currency."""
    known = STATUSES.get(kind_of(thing))
    status = getattr(thing, "status", None)
    if known is not None and status not in known:
        return "status", str(status)
    currency = getattr(thing, "currency", None)
    if currency is not None and currency not in CURRENCIES:
        return "currency", str(currency)
    return None


def is_live(subscription: Subscription) -> bool:
    """Return whether a subscription goes on; an unknown state does not say so."""
    return subscription.status in LIVE
