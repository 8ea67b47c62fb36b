"""All that use cases work with, assembled once by app.py."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.actions.registry import Registry
from console.policy.book import PolicyBook
from console.ports.billing import BillingProvider, BillingWriter
from console.ports.billing_customers import CustomerClaims
from console.ports.clock import Clock, Ids
from console.ports.directory import Fleet
from console.ports.identity import IdentityProvider
from console.ports.inbound import InboundVerifier, ProviderEvents
from console.ports.override_register import AccessFleet
from console.ports.periods import LedgerShelf
from console.ports.planes import Planes
from console.ports.product import Product
from console.ports.secrets import Fingerprints, OneTimeCodes, Passwords
from console.ports.sending import Outbound, WebhookFleet, WebhookKeys
from console.ports.store import Store
from console.ports.tickets import Tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The ports, the policy and the registry; web and cli pass it on and never look inside.

    Shape: with `emergency_passwords` a password is only the way in while the identity provider is down, and alarms.
    """

    store: Store
    planes: Planes
    fleet: Fleet
    book: PolicyBook
    registry: Registry
    clock: Clock
    ids: Ids
    tickets: Tickets
    provider: BillingProvider
    provider_writer: BillingWriter
    ledgers: LedgerShelf
    passwords: Passwords
    codes: OneTimeCodes
    identity: IdentityProvider | None
    local_passwords: bool
    outbound: Outbound
    webhook_keys: WebhookKeys
    webhook_fleet: WebhookFleet
    customer_claims: CustomerClaims
    access_fleet: AccessFleet
    inbound_verifiers: Mapping[str, InboundVerifier]
    provider_events: Mapping[str, ProviderEvents]
    product: Product | None
    fingerprints: Fingerprints
    emergency_passwords: bool = False
