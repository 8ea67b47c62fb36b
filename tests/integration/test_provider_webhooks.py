"""The invented provider's webhooks: signed, tried again, and wrong in every way that the console must bear."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import stripe

from console.adapters.fake_stripe.delivering import Deliverer, Endpoint
from console.adapters.fake_stripe.rendering import NEWEST
from console.adapters.inbound_stripe import StripeSignatures
from console.ports.inbound import Verified
from tests.integration.provider_worlds import ProviderWorld, world_in_process

SECRET = "whsec_of_a_test_only"


@dataclass
class Inbox:
    """Takes what comes; `status` is what it answers."""

    status: int = 200
    took: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Post:
    """A provider that has something to say, and a receiver."""

    world: ProviderWorld
    inbox: Inbox
    deliverer: Deliverer

    def told(self, *, now: datetime | None = None) -> list[Verified | str]:
        """Return what the console makes of everything that came."""
        verifier = StripeSignatures([SECRET])
        at = now or self.world.clock.now()
        return [verifier.verified({"stripe-signature": signed}, body, now=at) for signed, body in self.inbox.took]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.took.append((self.headers["Stripe-Signature"], body))
            self.send_response(inbox.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's own signature
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with world_in_process(tmp_path / "provider.sqlite3") as world:
        url = f"http://127.0.0.1:{server.server_port}/inbound/stripe"
        yield Post(world, inbox, Deliverer(world.fake.book, Endpoint(url, SECRET, NEWEST)))
    server.shutdown()
    server.server_close()


def pending(world: ProviderWorld) -> int:
    return len(world.calls.found("/v1/events", {"delivery_success": "false"})["data"])  # type: ignore[index]


def test_it_tells_in_order_what_it_did_and_signs_it(post: Post) -> None:
    customer = post.world.customer()["id"]
    post.world.calls.post(f"/v1/customers/{customer}", {"name": "Bolt"}, key="k")
    assert pending(post.world) == 2
    assert post.deliverer.deliver_due() == 2
    told = post.told()
    assert [each.event_type for each in told if isinstance(each, Verified)] == ["customer.created", "customer.updated"]
    assert {each.customer for each in told if isinstance(each, Verified)} == {customer}
    assert pending(post.world) == 0
    assert post.deliverer.deliver_due() == 0
    body = json.loads(post.inbox.took[1][1])
    assert body["data"]["previous_attributes"] == {"name": "Acme"}
    assert body["request"]["idempotency_key"] == "k"


def test_the_official_library_takes_the_signature(post: Post) -> None:
    post.world.customer()
    post.deliverer.deliver_due()
    ((signed, body),) = post.inbox.took
    stripe.WebhookSignature.verify_header(body.decode(), signed, SECRET)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode() + " ", signed, SECRET)


def test_it_tries_again_until_it_arrives(post: Post) -> None:
    post.inbox.status = 503
    post.world.customer()
    assert post.deliverer.deliver_due() == 0
    assert post.deliverer.deliver_due() == 0
    assert len(post.inbox.took) == 1
    post.inbox.status = 200
    post.world.pass_by(seconds=61)
    assert post.deliverer.deliver_due() == 1
    first, second = (json.loads(body)["id"] for _, body in post.inbox.took)
    assert first == second


def test_it_gives_up_after_three_days_and_the_list_still_knows(post: Post) -> None:
    post.inbox.status = 503
    post.world.customer()
    for _ in range(40):
        post.deliverer.deliver_due()
        post.world.pass_by(hours=2)
    tries = len(post.inbox.took)
    post.world.pass_by(days=5)
    post.deliverer.deliver_due()
    assert len(post.inbox.took) == tries
    assert 5 < tries <= 10
    begun = post.world.clock.now() - timedelta(days=20)
    assert [each.event_type for each in post.world.events.since(begin_of(begun), limit=10)] == ["customer.created"]


def begin_of(at: datetime) -> datetime:
    return at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("mood", "why"),
    [("bad_signature", "No active secret"), ("truncated", "No active secret"), ("skew", "too old")],
)
def test_what_is_not_authentic_is_refused_by_the_console(post: Post, mood: str, why: str) -> None:
    post.world.fake.chaos.arm(mood)
    post.world.customer()
    post.deliverer.deliver_due()
    (refused,) = post.told()
    assert isinstance(refused, str)
    assert why in refused


def test_it_can_come_twice_with_one_id(post: Post) -> None:
    post.world.fake.chaos.arm("duplicate")
    post.world.customer()
    assert post.deliverer.deliver_due() == 1
    first, second = post.told()
    assert isinstance(first, Verified)
    assert first == second


def test_it_can_come_in_another_order(post: Post) -> None:
    post.world.fake.chaos.arm("reorder")
    customer = post.world.customer()["id"]
    post.world.calls.post(f"/v1/customers/{customer}", {"name": "Bolt"}, key="k")
    post.deliverer.deliver_due()
    assert [each.event_type for each in post.told() if isinstance(each, Verified)] == [
        "customer.updated",
        "customer.created",
    ]


def test_it_can_come_late(post: Post) -> None:
    post.world.fake.chaos.arm("delay")
    post.world.customer()
    assert post.deliverer.deliver_due() == 0
    assert post.inbox.took == []
    post.world.pass_by(hours=1, seconds=1)
    assert post.deliverer.deliver_due() == 1


def test_what_never_comes_is_in_the_list_of_events(post: Post) -> None:
    post.world.fake.chaos.arm("drop")
    begun = post.world.clock.now()
    post.world.customer()
    assert post.deliverer.deliver_due() == 0
    assert post.inbox.took == []
    (listed,) = post.world.events.since(begun, limit=10)
    said = StripeSignatures([SECRET]).listed(listed)
    assert isinstance(said, Verified)
    assert said.event_id == listed.event_id
