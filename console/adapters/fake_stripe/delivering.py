"""Signed webhooks of the invented provider, tried again until they arrive, and the ways in which they go wrong."""

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.chaos import WEBHOOKS, Chaos
from console.adapters.fake_stripe.rendering import Renderer

RETRIES_S = (60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200)  # about three days
_LATE_S = 3_600
_SKEW_S = 4_000
_BATCH = 50
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where webhooks go. Shape: `secret` is what our console knows as one of `inbound.stripe_secrets`."""

    url: str
    secret: str
    version: str


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Return the signature header of a body."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


class Deliverer:
    """Sends what is due; an event that arrived is no longer pending."""

    def __init__(self, book: Book, endpoint: Endpoint) -> None:
        self._book = book
        self._endpoint = endpoint
        self._chaos = Chaos(book)
        self._renderer = Renderer(book, endpoint.version)

    def deliver_due(self) -> int:
        """Send what is due, oldest first, and return how many arrived."""
        now = self._book.now()
        asked = (
            "SELECT delivery.event, attempt, mood FROM delivery JOIN object ON object.type = 'event' "
            "AND object.id = delivery.event WHERE due <= ? ORDER BY due, object.seq LIMIT ?"
        )
        due = self._book.rows(asked, (now, _BATCH))
        if len(due) > 1 and self._chaos.take("reorder"):
            due.reverse()
        return sum(self._deliver(event, attempt, mood, now=now) for event, attempt, mood in due)

    def _deliver(self, event: str, attempt: int, mood: str, *, now: int) -> bool:
        """Send one event, or let go wrong what is armed; a mood of an event is asked for once."""
        document = self._book.get("event", event)
        mood = mood or (self._chaos.take(*(each for each in WEBHOOKS if each != "reorder")) or "none")
        if document is None or mood == "drop":
            self._book.rows("DELETE FROM delivery WHERE event = ?", (event,))
            return False
        if mood == "delay":
            self._book.rows("UPDATE delivery SET due = ?, mood = 'none' WHERE event = ?", (now + _LATE_S, event))
            return False
        times = 2 if mood == "duplicate" else 1
        if all([self._send(document, mood, now=now) for _ in range(times)]):  # noqa: C419  both are sent
            self._book.rows("DELETE FROM delivery WHERE event = ?", (event,))
            self._book.put({**document, "status": "delivered", "pending_webhooks": 0})
            return True
        self._again(event, attempt, now=now)
        return False

    def _again(self, event: str, attempt: int, *, now: int) -> None:
        if attempt >= len(RETRIES_S):
            self._book.rows("DELETE FROM delivery WHERE event = ?", (event,))
            return
        due = now + RETRIES_S[attempt]
        self._book.rows(
            "UPDATE delivery SET due = ?, attempt = ?, mood = 'none' WHERE event = ?", (due, attempt + 1, event)
        )

    def _send(self, document: Document, mood: str, *, now: int) -> bool:
        told = self._renderer.shown(document)
        told.pop("status", None)
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        at = now - _SKEW_S if mood == "skew" else now
        secret = "whsec_of_somebody_else" if mood == "bad_signature" else self._endpoint.secret
        signed = signature(secret, body, at=at)
        return self._posted(body[: len(body) // 2] if mood == "truncated" else body, signed)

    def _posted(self, body: bytes, signed: str) -> bool:
        address = urlsplit(self._endpoint.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json", "Stripe-Signature": signed, "User-Agent": "Fake-Stripe/1"}
            connection.request("POST", address.path, body=body, headers=headers)
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
