"""Stripe as the port of a billing provider sees it: every object in canonical form, newest first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from console.adapters.stripe.beside import Beside, Kept
from console.adapters.stripe.calls import PAGE, Calls, every, listed, placed
from console.adapters.stripe.lists import SHELVES, is_of_customers, narrowed, single
from console.adapters.stripe.mapping import canonical, customer_named, deleted_customer
from console.adapters.stripe.reading import Document, MalformedError, rows, text_or_none
from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import Invoice, ObjectKind
from console.domain.errors import UnreadableObjectError
from console.ports.billing import ProviderPage, Unreadable
from console.ports.clock import Clock

NAME = "stripe"
_BY_PAYMENT = (ObjectKind.REFUND, ObjectKind.DISPUTE)  # Stripe lists them by payment, never by customer
_LONGEST_WHY = 300


class StripeProvider:
    """Reads Stripe. Shape: `is_live` is the mode of the key, for objects that do not say theirs."""

    name = NAME

    def __init__(self, calls: Calls, *, clock: Clock, is_live: bool) -> None:
        self._calls = calls
        self._clock = clock
        self._is_live = is_live
        self._kept = Kept()

    def fetch(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Return one object as it is now. Raises: OutsideError; UnreadableObjectError."""
        at = self._clock.now()
        document = self._calls.found(placed(SHELVES[kind].path, thing), single(kind))
        if document is None:
            return None
        beside = self._beside()
        if kind is ObjectKind.BALANCE_TRANSACTION:
            beside.prepare_transactions([document])
        return self._snapshot(kind, document, beside, at=at)

    def page(
        self,
        kind: ObjectKind,
        *,
        customer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = PAGE,
    ) -> ProviderPage:
        """Return objects newest first, of one customer or of all. Raises: OutsideError."""
        at = self._clock.now()
        if customer is not None and not SHELVES[kind].by_customer:
            found = self._of_customer(kind, customer, since=since, until=until)
            chosen, rest = _cut(found, after=after, limit=limit)
            return self._page(kind, chosen, has_more=rest, at=at, since=since, until=until)
        params = {**narrowed(kind, customer=customer, since=since, until=until), "limit": min(limit, PAGE)}
        if after is not None:
            params["starting_after"] = after
        answer = listed(self._calls, SHELVES[kind].path, params)
        has_more = answer.get("has_more") is True
        return self._page(kind, rows(answer, "data"), has_more=has_more, at=at, since=since, until=until)

    def invoice_of_number(self, *, customer: str, number: str) -> Snapshot | None:
        """Return a customer's invoice by the number that people know. Raises: OutsideError; UnreadableObjectError."""
        at = self._clock.now()
        params = narrowed(ObjectKind.INVOICE, customer=customer, since=None, until=None)
        for document in every(self._calls, SHELVES[ObjectKind.INVOICE].path, params):
            if document.get("number") == number:
                return self._snapshot(ObjectKind.INVOICE, document, self._beside(), at=at)
        return None

    def told(self, kind: ObjectKind, document: Document) -> Snapshot:
        """Return a document that a change brought. Raises: OutsideError; UnreadableObjectError."""
        return self._snapshot(kind, document, self._beside(), at=self._clock.now())

    def _beside(self) -> Beside:
        return Beside(self._calls, self._kept, is_live=self._is_live)

    def _snapshot(self, kind: ObjectKind, document: Document, beside: Beside, *, at: datetime) -> Snapshot:
        try:
            return self._read(kind, document, beside, at=at)
        except MalformedError as malformed:
            raise UnreadableObjectError(
                "Stripe's document lacks what its kind must have.",
                kind=kind.value,
                id=str(document.get("id")),
                why=str(malformed)[:_LONGEST_WHY],
            ) from malformed

    def _read(self, kind: ObjectKind, document: Document, beside: Beside, *, at: datetime) -> Snapshot:
        """Return a snapshot. Raises: MalformedError; OutsideError."""
        version = self._calls.version
        if document.get("deleted") is True:
            if kind is not ObjectKind.CUSTOMER:
                raise MalformedError("It was deleted.")
            thing = deleted_customer(document, beside)
            return Snapshot(thing=thing, raw=document, api_version=version, fetched_at=at, is_deleted=True)
        full = self._completed(document)
        return Snapshot(thing=canonical(kind, full, beside), raw=full, api_version=version, fetched_at=at)

    def _completed(self, document: Document) -> Document:
        """Return a document with the whole of the two lists of which Stripe sends only a beginning."""
        more: dict[str, Any] = {}
        for name, path, params in _inner_lists(document):
            inner = document.get(name)
            if isinstance(inner, Mapping) and inner.get("has_more") is True:
                more[name] = {**inner, "data": list(every(self._calls, path, params)), "has_more": False}
        return {**document, **more} if more else document

    def _page(
        self,
        kind: ObjectKind,
        documents: Sequence[Document],
        *,
        has_more: bool,
        at: datetime,
        since: datetime | None,
        until: datetime | None,
    ) -> ProviderPage:
        beside = self._beside()
        if kind is ObjectKind.PAYMENT:
            beside.prepare_payments(documents)
        elif kind is ObjectKind.BALANCE_TRANSACTION:
            beside.prepare_transactions(documents)
        items, unreadable = [], []
        for document in documents:
            try:
                read = self._read(kind, document, beside, at=at)
            except MalformedError as malformed:
                unreadable.append(_unreadable(kind, document, str(malformed)))
            else:
                if _is_within(read, since, until):
                    items.append(read)
        after = str(documents[-1].get("id")) if has_more and documents else None
        return ProviderPage(items=tuple(items), after=after, unreadable=tuple(unreadable))

    def _of_customer(
        self, kind: ObjectKind, customer: str, *, since: datetime | None, until: datetime | None
    ) -> list[Document]:
        """Return what of a customer has no list of its own, newest first; what is the account's belongs to nobody."""
        if not is_of_customers(kind):
            return []
        if kind not in _BY_PAYMENT:
            found = self._calls.found(placed(SHELVES[kind].path, customer))
            return [] if found is None or found.get("deleted") is True else [found]
        params = narrowed(kind, customer=None, since=since, until=until)
        of_customer = narrowed(ObjectKind.PAYMENT, customer=customer, since=None, until=None)
        documents = [
            document
            for payment in every(self._calls, SHELVES[ObjectKind.PAYMENT].path, of_customer)
            for document in self._of_payment(kind, payment, params)
        ]
        return sorted(documents, key=lambda each: (each.get("created") or 0, str(each.get("id"))), reverse=True)

    def _of_payment(self, kind: ObjectKind, payment: Document, params: Mapping[str, Any]) -> Iterable[Document]:
        charge = payment.get("latest_charge")
        if not isinstance(charge, Mapping):
            return []
        if kind is ObjectKind.DISPUTE and charge.get("disputed") is False:
            return []
        return every(self._calls, SHELVES[kind].path, {**params, "payment_intent": payment.get("id")})


def _inner_lists(document: Document) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    name = str(document.get("id"))
    return (
        ("lines", placed("/v1/invoices", name, "lines"), {}),
        ("items", "/v1/subscription_items", {"subscription": name}),
    )


def _cut(documents: Sequence[Document], *, after: str | None, limit: int) -> tuple[Sequence[Document], bool]:
    """Return the next so many documents, and whether there are more."""
    places = [number for number, each in enumerate(documents, start=1) if each.get("id") == after]
    begin = places[0] if places else len(documents) if after is not None else 0
    return documents[begin : begin + limit], len(documents) > begin + limit


def _is_within(read: Snapshot, since: datetime | None, until: datetime | None) -> bool:
    """Return whether an object counts for the stretch; only invoices are counted from another moment than Stripe's."""
    if not isinstance(read.thing, Invoice):
        return True
    at = read.thing.issued_at
    return (since is None or at >= since) and (until is None or at < until)


def _unreadable(kind: ObjectKind, document: Document, why: str) -> Unreadable:
    return Unreadable(
        kind=kind,
        id=text_or_none(document, "id") or "",
        customer=customer_named(document),
        why=why[:_LONGEST_WHY],
    )
