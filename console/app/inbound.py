"""Which providers' webhooks are taken in, as the settings say."""

from collections.abc import Mapping
from types import MappingProxyType

from console.adapters.inbound_stripe import PROVIDER as STRIPE
from console.adapters.inbound_stripe import StripeSignatures
from console.ports.inbound import InboundVerifier
from console.settings import Settings


def inbound_verifiers(settings: Settings) -> Mapping[str, InboundVerifier]:
    """Return a verifier for each provider that has a secret; the demo's reads its own events and believes no call."""
    secrets = [secret.get_secret_value() for secret in settings.inbound.stripe_secrets]
    is_read = bool(secrets) or settings.billing.adapter == "demo"
    return MappingProxyType({STRIPE: StripeSignatures(secrets)} if is_read else {})
