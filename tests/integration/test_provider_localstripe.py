"""A second opinion: our adapter beside localstripe, somebody else's imitation of Stripe, where it is installed.

It is a program of its own under the GPL, which is started and spoken to, never imported. What it has it spells in part
as Stripe did years ago, so it also shows that a document that lacks what its kind must have is named and never guessed.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import pytest

from console.adapters.inbound_stripe import StripeSignatures
from console.adapters.outbound_calls import CallFailedError
from console.adapters.stripe.calls import Calls
from console.adapters.stripe.events import StripeEvents
from console.adapters.stripe.provider import StripeProvider
from console.domain.billing.objects import Customer, ObjectKind, Refund
from console.domain.errors import OutsideError, UnreadableObjectError
from console.ports.inbound import Verified
from tests.integration.provider_worlds import Noon
from tests.integration.test_provider_processes import over

PATIENCE_S = 60
SECRET = "whsec_of_localstripe"
# Binds loopback and writes nothing: by itself it would listen everywhere and keep a file in the folder of all.
_SERVE = """
import sys
from aiohttp import web
from localstripe import resources, server
type(resources.store).dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
pytestmark = pytest.mark.skipif(
    find_spec("localstripe") is None, reason="localstripe (GPL, another's) is not installed"
)


@dataclass(frozen=True)
class World:
    """localstripe with our adapter in front of it, and what its webhooks brought."""

    calls: Calls
    provider: StripeProvider
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def post(self, path: str, **params: object) -> str:
        """Make something and return its id; localstripe heeds no idempotency key."""
        return str(self.calls.post(f"/v1/{path}", params, key=f"k{time.monotonic_ns()}")["id"])

    def subscriber(self) -> tuple[str, str]:
        """Return a customer with a card who subscribed to a plan, and the subscription."""
        customer = self.post("customers", name="Acme", email="a@acme.example", metadata={"tenant_id": "ten_acme"})
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        method = self.post("payment_methods", type="card", card=card)
        self.post(f"payment_methods/{method}/attach", customer=customer)
        self.post(f"customers/{customer}", invoice_settings={"default_payment_method": method})
        product = self.post("products", name="Pro", type="service")
        plan = self.post("plans", product=product, interval="month", currency="eur", amount="900")
        return customer, self.post("subscriptions", customer=customer, items=[{"plan": plan, "quantity": "2"}])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    came: list[tuple[dict[str, str], bytes]] = []
    script = tmp_path / "serve.py"
    script.write_text(_SERVE)
    with receiver(came) as door, subprocess.Popen([sys.executable, str(script), str(port_after(door))]) as running:
        address = f"http://127.0.0.1:{port_after(door)}"
        calls, out = over(address, key="sk_test_12345")
        try:
            until = time.monotonic() + PATIENCE_S
            while True:
                try:
                    out.call("GET", f"{address}/", headers={})
                    break
                except CallFailedError:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            hook = f"url=http://127.0.0.1:{door}/in&secret={SECRET}".encode()
            form = {"content-type": "application/x-www-form-urlencoded"}
            assert out.call("POST", f"{address}/_config/webhooks/ours", headers=form, body=hook).status == 200
            provider = StripeProvider(calls, clock=Noon(datetime.now(UTC)), is_live=False)
            yield World(calls=calls, provider=provider, came=came)
        finally:
            out.close()
            running.terminate()


def port_after(port: int) -> int:
    """Return another port, likely free: localstripe cannot say which one it was given."""
    return port + 1 if port < 65_535 else port - 1


@contextmanager
def receiver(came: list[tuple[dict[str, str], bytes]]) -> Iterator[int]:
    """Take in webhooks on a port of this machine."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever, name="receiver", daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_it_reads_customers_and_refunds_alone_and_in_lists(world: World) -> None:
    customer, _ = world.subscriber()
    found = world.provider.fetch(ObjectKind.CUSTOMER, customer)
    assert found is not None
    assert isinstance(found.thing, Customer)
    assert (found.thing.name, found.thing.email, found.thing.tenant) == ("Acme", "a@acme.example", "ten_acme")
    assert found.thing in [each.thing for each in world.provider.page(ObjectKind.CUSTOMER).items]
    assert world.provider.fetch(ObjectKind.CUSTOMER, "cus_none") is None
    invoice = world.calls.found("/v1/invoices", {"customer": customer})
    assert invoice is not None
    refund = world.post("refunds", payment_intent=invoice["data"][0]["payment_intent"], amount="100")
    (told,) = world.provider.page(ObjectKind.REFUND).items
    assert isinstance(told.thing, Refund)
    assert (told.thing.id, told.thing.amount_minor, told.thing.currency) == (refund, 100, "EUR")
    assert told.thing.payment == invoice["data"][0]["payment_intent"]


def test_it_names_what_lacks_a_part_and_guesses_nothing(world: World) -> None:
    customer, subscription = world.subscriber()
    for kind in (ObjectKind.SUBSCRIPTION, ObjectKind.INVOICE):
        page = world.provider.page(kind, customer=customer)
        assert page.items == ()
        assert [each.why for each in page.unreadable if "missing" in each.why]
    with pytest.raises(UnreadableObjectError):
        world.provider.fetch(ObjectKind.SUBSCRIPTION, subscription)
    for kind in (ObjectKind.PRICE, ObjectKind.CREDIT_NOTE, ObjectKind.DISPUTE):  # which it has not
        with pytest.raises(OutsideError):
            world.provider.page(kind)


def test_it_lists_its_events_and_believes_the_signatures_of_its_webhooks(world: World) -> None:
    customer, _ = world.subscriber()
    since = datetime.now(UTC) - timedelta(hours=1)
    listed = {each.event_id: each.event_type for each in StripeEvents(world.calls).since(since, limit=100)}
    assert {"customer.created", "customer.subscription.created", "invoice.created"} <= set(listed.values())
    until = time.monotonic() + PATIENCE_S
    while len(world.came) < len(listed):
        assert time.monotonic() < until, (len(world.came), listed)
        time.sleep(0.1)
    ours, others = StripeSignatures([SECRET]), StripeSignatures(["whsec_another"])
    for headers, body in world.came:
        said = ours.verified(headers, body, now=datetime.now(UTC))
        assert isinstance(said, Verified), said
        assert listed[said.event_id] == said.event_type
        assert isinstance(others.verified(headers, body, now=datetime.now(UTC)), str)
        assert isinstance(ours.verified(headers, body + b" ", now=datetime.now(UTC)), str)
    about = {said.customer for headers, body in world.came
             if isinstance(said := ours.verified(headers, body, now=datetime.now(UTC)), Verified)}  # fmt: skip
    assert customer in about
