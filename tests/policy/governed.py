"""The governed actions of this product, as policy knows them."""

from pathlib import Path

from console.domain.ids import ActionKey
from console.domain.reasons import Effect

POLICIES = Path(__file__).parents[2] / "policies"

GOVERNED: tuple[tuple[ActionKey, Effect, str], ...] = tuple(
    (ActionKey(key), effect, reach)
    for key, effect, reach in (
        ("entitlement.override", Effect.DANGEROUS, "tenant"),
        ("entitlement.end_override", Effect.DANGEROUS, "tenant"),
        ("member.reveal", Effect.READ, "tenant"),
        ("tenant.add_note", Effect.WRITE, "tenant"),
        ("tenant.suspend", Effect.DANGEROUS, "tenant"),
        ("tenant.resume", Effect.DANGEROUS, "tenant"),
        ("billing.resync", Effect.WRITE, "tenant"),
        ("lease.top_up", Effect.DANGEROUS, "control"),
        ("staff.add", Effect.DANGEROUS, "control"),
        ("staff.change_roles", Effect.DANGEROUS, "control"),
        ("staff.deactivate", Effect.DANGEROUS, "control"),
        ("staff.reactivate", Effect.DANGEROUS, "control"),
        ("staff.end_sessions", Effect.WRITE, "control"),
    )
)
