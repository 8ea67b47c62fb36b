"""Changes at the invented provider: every one leaves an event, and every amount stays within its bounds."""

import secrets
from collections.abc import Mapping
from typing import Any

from console.adapters.fake_stripe.asking import RefusedError
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.rendering import NEWEST, Renderer

_LIVE = True


class Changes:
    """Writes documents and the events that tell of them; the caller holds the transaction."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.key: str | None = None
        self._shown = Renderer(book, NEWEST)

    def named(self, kind: str, thing: str) -> Document:
        """Return a document that must be there. Raises: RefusedError, 404."""
        found = self.book.get(kind, thing)
        if found is None or found.get("deleted"):
            raise RefusedError(f"No such {kind}: '{thing}'", status=404, code="resource_missing")
        return found

    def new(self, kind: str, prefix: str, **fields: Any) -> Document:  # noqa: ANN401  a document's own
        """Return a fresh document, not yet kept."""
        return {
            "object": kind,
            "id": f"{prefix}_{secrets.token_hex(9)}",
            "created": self.book.now(),
            "livemode": _LIVE,
            "metadata": {},
            **fields,
        }

    def made(self, document: Document, event: str | None) -> Document:
        """Keep a new document and tell of it."""
        self.book.put(document)
        if event is not None:
            self.tell(event, document)
        return document

    def changed(self, before: Document, event: str | None, **fields: Any) -> Document:  # noqa: ANN401  a document's own
        """Keep a changed document and tell what it was before."""
        after = self.book.put({**before, **fields})
        previous = {name: before.get(name) for name in fields if before.get(name) != after.get(name)}
        if event is not None:
            self.tell(event, after, previous)
        return after

    def tell(self, event_type: str, document: Document, previous: Mapping[str, Any] | None = None) -> None:
        """Keep an event and put it among those that are due to be sent."""
        data: Document = {"object": self._shown.shown(document)}
        if previous is not None:
            data["previous_attributes"] = dict(previous)
        event = self.new(
            "event",
            "evt",
            type=event_type,
            api_version=NEWEST,
            data=data,
            pending_webhooks=1,
            status="pending",
            request={"id": f"req_{secrets.token_hex(7)}", "idempotency_key": self.key},
        )
        del event["metadata"]
        self.book.put(event)
        self.book.rows("INSERT INTO delivery VALUES (?, ?, 0, '')", (event["id"], float(self.book.now())))

    def labelled(self, document: Document, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the metadata of a document with what parameters set; an empty text takes a label away."""
        given = params.get("metadata")
        labels = {**document.get("metadata", {}), **(given if isinstance(given, dict) else {})}
        return {name: str(value) for name, value in labels.items() if value != ""}

    def balance(self, kind: str, source: Document, amount: int, *, fee: int = 0) -> None:
        """Move the provider's balance for us."""
        self.made(
            self.new(
                "balance_transaction",
                "txn",
                type=kind,
                reporting_category=kind,
                source=source["id"],
                payout=None,
                currency=source["currency"],
                amount=amount,
                fee=fee,
                net=amount - fee,
                status="pending",
                available_on=self.book.now() + 2 * 86_400,
            ),
            None,
        )


def disputed_amount(book: Book, payment: str) -> int:
    """Return what of a payment banks took back, or may."""
    found = book.rows(
        "SELECT json_extract(doc, '$.amount'), status FROM object WHERE parent = ? AND type = 'dispute'", (payment,)
    )
    return sum(int(amount) for amount, status in found if status not in {"won", "warning_closed"})
