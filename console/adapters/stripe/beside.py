"""What Stripe keeps beside a document and mappers need: prices, tax rates, allocations, contents of payouts."""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from console.adapters.stripe.amounts import minor
from console.adapters.stripe.calls import Calls, Params, every, placed
from console.adapters.stripe.payouts import PayoutContents
from console.adapters.stripe.reading import Document, part, reference, whole_or_none
from console.adapters.stripe.told import currency_of
from console.domain.billing.objects import Allocation

_MOST_KEPT = 10_000
_KEPT_S = 300.0
_NEAR_S = 3_600
_FEW = 10  # payments; for fewer it is cheaper to ask for each


class Beside:
    """Answers one reading; prices and tax rates are asked for once in a while, allocations anew for every page."""

    def __init__(self, calls: Calls, kept: "Kept", *, is_live: bool) -> None:
        self.is_live = is_live
        self._calls = calls
        self._kept = kept
        self._allocations: dict[str, tuple[Allocation, ...]] = {}
        self._payouts: Mapping[str, str] = {}

    def price(self, price: str) -> Document | None:
        """Return a price by its id. Raises: OutsideError."""
        return self._kept.prices.get(price, lambda: self._calls.found(placed("/v1/prices", price)))

    def tax_rate(self, rate: str) -> Document | None:
        """Return a tax rate by its id. Raises: OutsideError."""
        return self._kept.tax_rates.get(rate, lambda: self._calls.found(placed("/v1/tax_rates", rate)))

    def allocations(self, payment: str) -> tuple[Allocation, ...]:
        """Return which invoices got how much of a payment. Raises: OutsideError."""
        known = self._allocations.get(payment)
        return self._asked(payment) if known is None else known

    def payout_of(self, transaction: str) -> str | None:
        """Return the payout that sent a balance transaction to the bank, of the page that was prepared."""
        return self._payouts.get(transaction)

    def prepare_payments(self, payments: Iterable[Document]) -> None:
        """Ask for the allocations of many payments at once: those of their own hour, made when the invoice was."""
        taken = [each for each in payments if _captured(each)]
        if len(taken) <= _FEW:
            return
        moments = [each["created"] for each in taken]
        near = {"gte": min(moments) - _NEAR_S, "lte": max(moments) + _NEAR_S}
        found: dict[str, list[Allocation]] = {}
        for each in _oldest_first(self._calls, {"created": near}):
            payment = reference(part(each, "payment").get("payment_intent"))
            if payment is not None:
                found.setdefault(payment, []).extend(_allocation(each))
        for each in taken:
            parts = found.get(each["id"], [])
            # What does not add up may have been applied later, so that payment is asked for by itself.
            if sum(one.amount_minor for one in parts) == minor(_captured(each), currency_of(each)):
                self._allocations[each["id"]] = tuple(parts)

    def prepare_transactions(self, transactions: Iterable[Document]) -> None:
        """Find the payouts of a page of balance transactions. Raises: OutsideError."""
        self._payouts = self._kept.payouts.of(self._calls, list(transactions))

    def _asked(self, payment: str) -> tuple[Allocation, ...]:
        chosen = {"payment": {"type": "payment_intent", "payment_intent": payment}}
        return tuple(one for each in _oldest_first(self._calls, chosen) for one in _allocation(each))


class Kept:
    """What outlives one reading; what may be mended at Stripe is forgotten after a while."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self.prices = Cache(now=now)
        self.tax_rates = Cache(now=now)
        self.payouts = PayoutContents()


class Cache:
    """Documents by id, each for a while, and also that there is none."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._found: dict[str, tuple[float, Document | None]] = {}
        self._lock = Lock()

    def get(self, thing: str, ask: Callable[[], Document | None]) -> Document | None:
        """Return what is kept, or ask for it."""
        with self._lock:
            kept = self._found.get(thing)
        if kept is not None and self._now() < kept[0] + _KEPT_S:
            return kept[1]
        found = ask()
        with self._lock:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            self._found[thing] = (self._now(), found)
        return found


def _oldest_first(calls: Calls, chosen: Params) -> Iterable[Document]:
    """Return invoice payments in the order in which they were made."""
    return list(every(calls, "/v1/invoice_payments", chosen))[::-1]


def _captured(payment: Document) -> int:
    return whole_or_none(part(payment, "latest_charge"), "amount_captured") or 0


def _allocation(document: Document) -> Iterable[Allocation]:
    """Yield the allocation of an invoice payment; one that was not paid allocates nothing."""
    invoice, amount = reference(document.get("invoice")), whole_or_none(document, "amount_paid")
    if invoice is not None and amount and document.get("status") == "paid":
        yield Allocation(invoice=invoice, amount_minor=minor(amount, currency_of(document)))
