"""Which billing provider stands behind the house, as settings say: none, Stripe, or the invented one of the demo."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import MappingProxyType
from urllib.parse import urlsplit

from console.adapters.billing import NoProvider
from console.adapters.fake_stripe.app import FakeStripe
from console.adapters.fake_stripe.book import FILE
from console.adapters.fake_stripe.delivering import Deliverer, Endpoint
from console.adapters.outbound_addresses import networks
from console.adapters.outbound_calls import GuardedCalls
from console.adapters.outbound_pinning import OutboundRules
from console.adapters.stripe import connecting
from console.adapters.stripe.calls import Calls, LazyCalls
from console.adapters.stripe.events import StripeEvents
from console.adapters.stripe.lists import VERSION
from console.adapters.stripe.provider import NAME, StripeProvider
from console.adapters.stripe.writer import StripeWriter
from console.domain.errors import ConsoleError
from console.ports.billing import BillingProvider, BillingWriter
from console.ports.clock import Clock
from console.ports.inbound import ProviderEvents
from console.settings import Settings

_ANSWER_BYTES = 33_554_432  # a page of a hundred invoices with all their lines
_DEMO_KEY = "rk_live_of_the_invented_provider"  # it opens nothing but a file of this folder
_LOOPBACK = ("127.0.0.0/8", "::1/128")


class ProviderMissingError(ConsoleError):
    """The extra is not installed."""

    code = "provider_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """A provider in its three roles; `fake` is the invented one itself, where the demo has it."""

    provider: BillingProvider
    writer: BillingWriter
    events: Mapping[str, ProviderEvents] = field(default_factory=lambda: MappingProxyType({}))
    fake: FakeStripe | None = None


@contextmanager
def provided(settings: Settings, clock: Clock) -> Iterator[Provided]:
    """Open the provider that settings name; nothing is asked yet. Raises: ProviderMissingError."""
    match settings.billing.adapter:
        case "none":
            yield Provided(provider=NoProvider(), writer=NoProvider())
        case "demo":
            fake = FakeStripe(settings.var / FILE, api_key=_DEMO_KEY)
            make = LazyCalls(lambda: connecting.in_process(fake, api_key=_DEMO_KEY, version=VERSION), version=VERSION)
            try:
                yield _stripe(make, clock, is_live=True, fake=fake)
            finally:
                fake.close()
        case "stripe":
            out = _way_out(settings)
            try:
                yield _stripe(_over_network(settings, out), clock, is_live=settings.billing.mode == "live")
            finally:
                out.close()


def deliverer(settings: Settings, fake: FakeStripe) -> Deliverer | None:
    """Return what brings the invented provider's webhooks to the console's own address, or None without a secret."""
    if not settings.inbound.stripe_secrets:
        return None
    url = f"http://{settings.server.host}:{settings.server.port}/inbound/{NAME}"
    secret = settings.inbound.stripe_secrets[0].get_secret_value()
    return Deliverer(fake.book, Endpoint(url=url, secret=secret, version=VERSION))


def _stripe(calls: Calls, clock: Clock, *, is_live: bool, fake: FakeStripe | None = None) -> Provided:
    provider = StripeProvider(calls, clock=clock, is_live=is_live)
    events: dict[str, ProviderEvents] = {NAME: StripeEvents(calls)}
    return Provided(provider=provider, writer=StripeWriter(calls, provider), events=MappingProxyType(events), fake=fake)


def _over_network(settings: Settings, out: GuardedCalls) -> Calls:
    if find_spec("stripe") is None:
        message = "billing.adapter is stripe, which is not installed: pip install sallyport[stripe]"
        raise ProviderMissingError(message)
    chosen = settings.billing
    key = "" if chosen.api_key is None else chosen.api_key.get_secret_value()

    def make() -> Calls:
        return connecting.over_network(
            out, api_key=key, address=chosen.address, version=VERSION, account=chosen.account
        )

    return LazyCalls(make, version=VERSION)


def _way_out(settings: Settings) -> GuardedCalls:
    """Return the way to the provider; this machine is only reached where the address of the settings names it."""
    address = urlsplit(settings.billing.address)
    is_plain = address.scheme == "http"
    return GuardedCalls(
        OutboundRules(
            ports=frozenset({address.port or (80 if is_plain else 443)}),
            https_only=not is_plain,
            allowed=networks(_LOOPBACK) if is_plain else (),
            timeout_s=settings.billing.timeout_s,
            body_bytes=_ANSWER_BYTES,
        )
    )
