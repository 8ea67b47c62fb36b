"""Which providers' webhooks are taken in, as the settings say."""

from collections.abc import Mapping
from types import MappingProxyType

from console.adapters.inbound_stripe import PROVIDER as STRIPE
from console.adapters.inbound_stripe import StripeSignatures
from console.ports.inbound import InboundVerifier
from console.settings import Settings


def inbound_verifiers(settings: Settings) -> Mapping[str, InboundVerifier]:
    """Return a verifier for each provider that has a secret."""
    secrets = [secret.get_secret_value() for secret in settings.inbound.stripe_secrets]
    return MappingProxyType({STRIPE: StripeSignatures(secrets)} if secrets else {})
