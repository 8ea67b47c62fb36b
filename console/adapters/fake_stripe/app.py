"""The invented provider as a WSGI app: keys, idempotency, routes, and answers in Stripe's shapes."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from console.adapters.fake_stripe import furnishing, routes
from console.adapters.fake_stripe.asking import Ask, RefusedError, ask_of
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes
from console.adapters.fake_stripe.chaos import RETRY_AFTER_S, Chaos
from console.adapters.fake_stripe.clock import TestClock
from console.adapters.fake_stripe.documents import documents_of
from console.adapters.fake_stripe.rendering import NEWEST, Renderer
from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import BillingObject, ObjectKind

_KEPT_S = 86_400
_KEPT_STATUSES = frozenset({200, 402})  # a request that was refused for its form may be sent anew
_BROKEN = {"error": {"type": "api_error", "message": "Something went wrong on our end."}}
_BUSY = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."}}
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 404: "Not Found",
            413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error"}  # fmt: skip
TYPES: Mapping[ObjectKind, str] = {kind: kind.value for kind in ObjectKind} | {ObjectKind.PAYMENT: "payment_intent"}


class FakeStripe:
    """One account of the invented provider. Shape: `api_key` is the only key that is let in."""

    def __init__(self, file: Path, *, api_key: str, now: Callable[[], float] = time.time) -> None:
        self.book = Book(file, now=now)
        self.chaos = Chaos(self.book)
        self.clock = TestClock(self.book)
        self._api_key = api_key
        self._keyed = Lock()

    def close(self) -> None:
        """Close the file."""
        self.book.close()

    def load(self, things: Iterable[BillingObject]) -> int:
        """Write canonical objects as the provider's own and return how many documents; nothing is told of it."""
        with self.book.writing():
            return self.book.put_all(documents_of(things))

    def load_customers(self, customers: Iterable[furnishing.Going]) -> int:
        """Write customers with all that is theirs, and what canonical objects do not say: rates that go on, and use.

        Shape: a subscription goes on with the rates of its newest invoice; events of features without a meter are none.
        """
        with self.book.writing():
            return self.book.put_all(furnishing.going_on(self.book, customers))

    def furnish(self, features: Mapping[str, Mapping[str, str]]) -> None:
        """Let the prices that were loaded have meters and features, which are given by plan: keys with names."""
        with self.book.writing():
            furnishing.meter_prices(Changes(self.book))
            furnishing.entitle_plans(Changes(self.book), features)

    def mutate(self, thing: BillingObject) -> None:
        """Replace an object, told to nobody: what the drift injector does."""
        with self.book.writing():
            if kind_of(thing) is ObjectKind.PAYMENT:
                for document in self._allocated(thing.id):
                    self.book.remove("invoice_payment", document)
            self.book.put_all(documents_of([thing]))

    def delete(self, kind: ObjectKind, thing: str) -> None:
        """Take an object away, told to nobody; of a customer it stays known that there was one."""
        with self.book.writing():
            known = self.book.get(TYPES[kind], thing)
            if kind is ObjectKind.CUSTOMER and known is not None:
                self.book.put(routes.deleted(known))
            else:
                self.book.remove(TYPES[kind], thing)

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer one request."""
        status, body, headers = self._answered(environ)
        if status == 200 and self.chaos.take("garbled"):
            body = body[: len(body) // 2]
        told = [("Content-Type", "application/json"), ("Content-Length", str(len(body.encode()))), *headers.items()]
        start_response(f"{status} {_REASONS[status]}", told)
        return [body.encode()]

    def _answered(self, environ: Mapping[str, Any]) -> tuple[int, str, dict[str, str]]:
        try:
            ask = ask_of(environ)
            version = ask.version or NEWEST
            self._check_key(ask)
        except RefusedError as refused:
            return refused.status, json.dumps(refused.document()), {}
        if self.chaos.take("busy"):
            return 429, json.dumps(_BUSY), {"Retry-After": str(RETRY_AFTER_S)}
        status, body, replayed = self._once(ask, version)
        again = {"Idempotent-Replayed": "true"} if replayed else {}
        return status, body, {"Stripe-Version": version, "Request-Id": f"req_{time.monotonic_ns():x}", **again}

    def _once(self, ask: Ask, version: str) -> tuple[int, str, bool]:
        """Return the answer to one request; under a key that came before, the same answer again."""
        if ask.key is None:
            return (*self._tried(ask, version), False)
        with self._keyed:
            return self._kept(ask, version)

    def _kept(self, ask: Ask, version: str) -> tuple[int, str, bool]:
        known = self._remembered(ask)
        if known is not None:
            return (*known, True)
        status, body = self._tried(ask, version)
        if status in _KEPT_STATUSES or status >= 500:
            values = (ask.key, ask.fingerprint(), self.book.now(), status, body)
            self.book.rows("INSERT OR REPLACE INTO idempotent VALUES (?, ?, ?, ?, ?)", values)
        return status, body, False

    def _remembered(self, ask: Ask) -> tuple[int, str] | None:
        asked = "SELECT asked, status, body FROM idempotent WHERE key = ? AND at > ?"
        found = self.book.rows(asked, (ask.key, self.book.now() - _KEPT_S))
        if not found:
            return None
        fingerprint, status, body = found[0]
        if fingerprint != ask.fingerprint():
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            return 400, json.dumps(RefusedError(message, kind="idempotency_error").document())
        return int(status), str(body)

    def _tried(self, ask: Ask, version: str) -> tuple[int, str]:
        if self.chaos.take("broken"):
            return 500, json.dumps(_BROKEN)
        try:
            answer = self._changed(ask, version)
        except RefusedError as refused:
            return refused.status, json.dumps(refused.document())
        if ask.method != "GET" and self.chaos.take("broken_after"):
            return 500, json.dumps(_BROKEN)
        if ask.method == "GET" and answer.get("object") == "list" and answer["data"] and self.chaos.take("growing"):
            self._grow(answer["data"][0])
        return 200, json.dumps(answer, ensure_ascii=False, separators=(",", ":"))

    def _changed(self, ask: Ask, version: str) -> Document:
        renderer = Renderer(self.book, version)
        if ask.method == "GET":
            return routes.read(self.book, ask, renderer)
        changes = Changes(self.book)
        changes.key = ask.key
        if ask.path[:1] == ("test_helpers",):
            return routes.helped(self, ask)
        kept: RefusedError | None = None
        with self.book.writing():
            try:
                answer = renderer.shown(routes.written(changes, ask), routes.expanded(ask))
            except RefusedError as refused:
                if refused.status != 402:
                    raise
                kept = refused  # a declined card leaves its payment behind
                answer = {}
        if kept is not None:
            raise kept
        return answer

    def _grow(self, first: Document) -> None:
        twin = self.book.get(str(first["object"]), str(first["id"]))
        if twin is not None:
            self.book.put({**twin, "id": f"{twin['id']}_new{time.monotonic_ns():x}", "created": self.book.now()})

    def _check_key(self, ask: Ask) -> None:
        given = ask.headers.get("authorization", "")
        if given != f"Bearer {self._api_key}":
            raise RefusedError("Invalid API Key provided.", status=401)

    def _allocated(self, payment: str) -> list[str]:
        found = self.book.rows("SELECT id FROM object WHERE parent = ? AND type = 'invoice_payment'", (payment,))
        return [str(each[0]) for each in found]
