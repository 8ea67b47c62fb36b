"""The test clock of the invented provider: moved forward, it does in order what time would have done."""

import heapq
import json

from console.adapters.fake_stripe import invoicing, paying, subscribing
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes

_PAYOUT_AFTER_S = 2 * 86_400
_MOST_STEPS = 100_000


class TestClock:
    """Moves the provider's time, never backwards."""

    __test__ = False  # it is no test

    def __init__(self, book: Book) -> None:
        self._book = book
        self._changes = Changes(book)

    def advance(self, seconds: int) -> int:
        """Let so many seconds pass and return how many things happened."""
        target = self._book.now() + max(seconds, 0)
        due = self._due(target)
        happened = 0
        while due and happened < _MOST_STEPS:
            at, kind, thing = heapq.heappop(due)
            self._move_to(max(at, self._book.now()))
            for following in self._happen(kind, thing):
                if following[0] <= target:
                    heapq.heappush(due, following)
            happened += 1
        self._move_to(target)
        with self._book.writing():
            paying.pay_out(self._changes, older_than_s=_PAYOUT_AFTER_S)
            self._arrive()
        return happened

    def _move_to(self, at: int) -> None:
        shift = int(self._book.setting("clock", "0")) + at - self._book.now()
        self._book.set("clock", str(shift))

    def _due(self, target: int) -> list[tuple[int, str, str]]:
        """Return what happens by itself until then, as a heap."""
        due: list[tuple[int, str, str]] = []
        asked = "SELECT doc FROM object WHERE type = 'subscription' AND status IN (?, ?, ?, ?)"
        for (doc,) in self._book.rows(asked, ("active", "trialing", "past_due", "incomplete")):
            due += _of_subscription(json.loads(doc))
        for (doc,) in self._book.rows("SELECT doc FROM object WHERE type = 'invoice' AND status IN ('draft', 'open')"):
            due += _of_invoice(json.loads(doc))
        due = [each for each in due if each[0] <= target]
        heapq.heapify(due)
        return due

    def _happen(self, kind: str, thing: str) -> list[tuple[int, str, str]]:
        """Do one thing and return what follows from it."""
        with self._book.writing():
            if kind == "expire":
                subscribing.expire(self._changes, thing)
                return []
            if kind == "renew":
                draft = subscribing.renew(self._changes, thing)
                after = self._book.get("subscription", thing) or {}
                return [*_of_subscription(after), *(_of_invoice(draft) if draft else [])]
            return self._collected(kind, thing)

    def _collected(self, kind: str, thing: str) -> list[tuple[int, str, str]]:
        invoice = self._book.get("invoice", thing)
        if invoice is None or invoice["status"] != ("draft" if kind == "finalize" else "open"):
            return []
        if kind == "finalize":
            invoice = invoicing.finalize(self._changes, thing)
        if invoice["status"] == "open":
            invoice = invoicing.collect(self._changes, thing)
        subscribing.follow(self._changes, invoice)
        return _of_invoice(invoice)

    def _arrive(self) -> None:
        now = self._book.now()
        for (doc,) in self._book.rows("SELECT doc FROM object WHERE type = 'payout' AND status = 'in_transit'"):
            payout = json.loads(doc)
            if payout["arrival_date"] <= now:
                self._changes.changed(payout, "payout.paid", status="paid")


def _of_subscription(subscription: Document) -> list[tuple[int, str, str]]:
    if subscription.get("status") == "incomplete":
        return [(subscription["created"] + subscribing.GIVES_UP_AFTER_S, "expire", subscription["id"])]
    end = (
        subscribing.period_end(subscription)
        if subscription.get("status") in {"active", "trialing", "past_due"}
        else None
    )
    return [] if end is None else [(end, "renew", subscription["id"])]


def _of_invoice(invoice: Document) -> list[tuple[int, str, str]]:
    if invoice["status"] == "draft" and invoice.get("auto_advance"):
        return [(invoice["created"] + subscribing.FINALIZES_AFTER_S, "finalize", invoice["id"])]
    again = invoice.get("next_payment_attempt") if invoice["status"] == "open" else None
    return [] if again is None else [(again, "collect", invoice["id"])]
