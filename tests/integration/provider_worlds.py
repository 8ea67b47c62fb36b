"""Worlds of the invented provider for tests: in this process and over loopback, and one customer who has everything."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from console.adapters.fake_stripe.__main__ import served
from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.outbound_addresses import networks
from console.adapters.outbound_calls import GuardedCalls
from console.adapters.outbound_pinning import OutboundRules
from console.adapters.stripe.calls import Calls
from console.adapters.stripe.client import StripeCalls
from console.adapters.stripe.events import StripeEvents
from console.adapters.stripe.lists import VERSION
from console.adapters.stripe.provider import StripeProvider
from console.adapters.stripe.reading import Document
from console.adapters.stripe.transports import GuardedTransport, InProcessTransport
from console.adapters.stripe.writer import StripeWriter

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
API_KEY = "rk_test_of_the_invented_provider"
EURO_PRICE = 900


@dataclass
class Noon:
    """The console's clock; it goes with the provider's, which stands still until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        """Return the moment."""
        return self.at


@dataclass(frozen=True)
class ProviderWorld:
    """An account with the adapter in front of it."""

    fake: FakeStripe
    calls: Calls
    provider: StripeProvider
    writer: StripeWriter
    events: StripeEvents
    clock: Noon
    waits: list[float] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def customer(self, tenant: str = "tnt_acme", **labels: str) -> Document:
        """Make a customer."""
        params = {"name": "Acme", "metadata": {"tenant_id": tenant, **labels}}
        return self.calls.post("/v1/customers", params, key=self.key())

    def price(self, plan: str = "pro", **recurring: str) -> Document:
        """Make a monthly price."""
        wanted = {"interval": "month", **recurring}
        params = {"currency": "eur", "unit_amount": EURO_PRICE, "recurring": wanted, "metadata": {"plan": plan}}
        return self.calls.post("/v1/prices", params, key=self.key())

    def subscription(self, customer: str, *, quantity: int = 2, **more: object) -> Document:
        """Let a customer subscribe, which pays the first invoice."""
        items = [{"price": self.price()["id"], "quantity": quantity}]
        params = {"customer": customer, "items": items, **more}
        return self.calls.post("/v1/subscriptions", params, key=self.key())

    def payment(self, customer: str, amount: int) -> Document:
        """Take money for nothing in particular."""
        params = {"customer": customer, "amount": amount, "currency": "eur"}
        return self.calls.post("/v1/payment_intents", params, key=self.key())

    def invoice(self, customer: str, amount: int) -> Document:
        """Make an open invoice of one line."""
        params = {"customer": customer, "amount": amount, "currency": "eur", "description": "Work"}
        draft = self.calls.post("/v1/invoices", params, key=self.key())
        return self.calls.post(f"/v1/invoices/{draft['id']}/finalize", {}, key=self.key())

    def help(self, path: str, **params: object) -> Document:
        """Ask what only tests may."""
        return self.calls.post(f"/v1/test_helpers/{path}", params, key=self.key())

    def key(self) -> str:
        """Return an idempotency key that was never used."""
        return f"test-{next(self.numbers)}"

    def pass_by(self, **time: float) -> None:
        """Let the provider's clock go on, with all that happens on the way."""
        self.help("clock/advance", seconds=int(timedelta(**time).total_seconds()))
        self.clock.at = datetime.fromtimestamp(self.fake.book.now(), tz=UTC)


@contextmanager
def world_in_process(file: Path, *, version: str = VERSION) -> Iterator[ProviderWorld]:
    """Open a world whose adapter calls the provider without a socket."""
    clock, waits = Noon(), list[float]()
    fake = FakeStripe(file, api_key=API_KEY, now=NOON.timestamp)
    calls = StripeCalls(
        InProcessTransport(fake), api_key=API_KEY, address="http://stripe.internal", version=version, sleep=waits.append
    )
    yield _world(fake, calls, clock, waits)
    fake.close()


@contextmanager
def world_over_loopback(file: Path) -> Iterator[ProviderWorld]:
    """Open a world whose adapter calls the provider over HTTP, by the guarded way out."""
    clock, waits = Noon(), list[float]()
    fake = FakeStripe(file, api_key=API_KEY, now=NOON.timestamp)
    server = served(fake, 0)
    threading.Thread(target=server.serve_forever, name="fake-stripe", daemon=True).start()
    port = server.server_port
    rules = OutboundRules(ports=frozenset({port}), https_only=False, allowed=networks(["127.0.0.0/8"]))
    out = GuardedCalls(rules)
    address = f"http://127.0.0.1:{port}"
    calls = StripeCalls(GuardedTransport(out), api_key=API_KEY, address=address, version=VERSION, sleep=waits.append)
    yield _world(fake, calls, clock, waits)
    out.close()
    server.shutdown()
    server.server_close()
    fake.close()


def _world(fake: FakeStripe, calls: StripeCalls, clock: Noon, waits: list[float]) -> ProviderWorld:
    provider = StripeProvider(calls, clock=clock, is_live=True)
    return ProviderWorld(
        fake=fake,
        calls=calls,
        provider=provider,
        writer=StripeWriter(calls, provider),
        events=StripeEvents(calls),
        clock=clock,
        waits=waits,
    )
