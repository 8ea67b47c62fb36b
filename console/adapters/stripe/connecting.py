"""Joins the library to its transport; the one module that the composition loads when Stripe is first asked."""

from console.adapters.outbound_calls import GuardedCalls
from console.adapters.stripe.calls import Calls
from console.adapters.stripe.client import StripeCalls
from console.adapters.stripe.transports import GuardedTransport, InProcessTransport, Wsgi


def over_network(out: GuardedCalls, *, api_key: str, address: str, version: str, account: str | None = None) -> Calls:
    """Return calls over the network."""
    return StripeCalls(GuardedTransport(out), api_key=api_key, address=address, version=version, account=account)


def in_process(app: Wsgi, *, api_key: str, version: str) -> Calls:
    """Return calls to an app in this process."""
    return StripeCalls(InProcessTransport(app), api_key=api_key, address="http://stripe.internal", version=version)
