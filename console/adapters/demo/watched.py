"""What the demo watches: a tenant that needs care, one that belongs to nobody, and a company that lends it people."""

from collections.abc import Mapping
from dataclasses import replace

from console.domain.signals import SignalKey, SignalRule

PROTECTED = frozenset({"keystone-bank"})
CANARIES = frozenset({"tidal-ghost-cinema"})
VENDOR = "harbour-desk"
_LISTS = {SignalKey("vip_tenant"): PROTECTED, SignalKey("canary_tenant"): CANARIES}


def watched(signals: Mapping[SignalKey, SignalRule]) -> dict[SignalKey, SignalRule]:
    """Return the rules with the demo's tenants on their lists; a company names its own in policies/signals.toml."""
    return {key: replace(rule, tenants=rule.tenants | _LISTS.get(key, frozenset())) for key, rule in signals.items()}
