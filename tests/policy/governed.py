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
        ("entitlement.recalculate", Effect.WRITE, "tenant"),
        ("entitlement.assign_owner", Effect.WRITE, "tenant"),
        ("entitlement.grant_grace", Effect.WRITE, "tenant"),
        ("entitlement.end_coverage", Effect.DANGEROUS, "tenant"),
        ("entitlement.plan_recalculation", Effect.WRITE, "control"),
        ("entitlement.run_recalculation", Effect.DANGEROUS, "control"),
        ("entitlement.pause_recalculation", Effect.WRITE, "control"),
        ("entitlement.resume_recalculation", Effect.WRITE, "control"),
        ("entitlement.cancel_recalculation", Effect.WRITE, "control"),
        ("member.reveal", Effect.READ, "tenant"),
        ("tenant.add_note", Effect.WRITE, "tenant"),
        ("tenant.suspend", Effect.DANGEROUS, "tenant"),
        ("tenant.resume", Effect.DANGEROUS, "tenant"),
        ("billing.resync", Effect.WRITE, "tenant"),
        ("billing.refund", Effect.DANGEROUS, "tenant"),
        ("billing.issue_credit", Effect.DANGEROUS, "tenant"),
        ("billing.apply_payment", Effect.DANGEROUS, "tenant"),
        ("billing.cancel_duplicate", Effect.DANGEROUS, "tenant"),
        ("billing.link_customer", Effect.DANGEROUS, "tenant"),
        ("billing.unlink_customer", Effect.DANGEROUS, "tenant"),
        ("billing.note_dispute", Effect.DANGEROUS, "tenant"),
        ("webhook.add_endpoint", Effect.DANGEROUS, "tenant"),
        ("webhook.change_endpoint", Effect.DANGEROUS, "tenant"),
        ("webhook.pause_endpoint", Effect.WRITE, "tenant"),
        ("webhook.enable_endpoint", Effect.WRITE, "tenant"),
        ("webhook.disable_endpoint", Effect.WRITE, "tenant"),
        ("webhook.delete_endpoint", Effect.DANGEROUS, "tenant"),
        ("webhook.rotate_secret", Effect.DANGEROUS, "tenant"),
        ("webhook.test_send", Effect.WRITE, "tenant"),
        ("webhook.resend", Effect.WRITE, "tenant"),
        ("webhook.reemit", Effect.DANGEROUS, "tenant"),
        ("webhook.send_snapshot", Effect.WRITE, "tenant"),
        ("webhook.cancel_delivery", Effect.WRITE, "tenant"),
        ("webhook.reveal_payload", Effect.READ, "tenant"),
        ("webhook.plan_replay", Effect.WRITE, "tenant"),
        ("webhook.run_replay", Effect.DANGEROUS, "tenant"),
        ("webhook.pause_replay", Effect.WRITE, "tenant"),
        ("webhook.resume_replay", Effect.WRITE, "tenant"),
        ("webhook.cancel_replay", Effect.WRITE, "tenant"),
        ("job.retry", Effect.WRITE, "control"),
        ("job.discard", Effect.DANGEROUS, "control"),
        ("inbound.replay", Effect.WRITE, "control"),
        ("reconciliation.start", Effect.WRITE, "control"),
        ("reconciliation.start_tenant", Effect.WRITE, "tenant"),
        ("reconciliation.cancel", Effect.WRITE, "control"),
        ("finding.take", Effect.WRITE, "control"),
        ("finding.leave", Effect.WRITE, "control"),
        ("finding.explain", Effect.WRITE, "control"),
        ("finding.waive", Effect.DANGEROUS, "control"),
        ("finding.reopen", Effect.WRITE, "control"),
        ("lease.top_up", Effect.DANGEROUS, "control"),
        ("staff.add", Effect.DANGEROUS, "control"),
        ("staff.change_roles", Effect.DANGEROUS, "control"),
        ("staff.deactivate", Effect.DANGEROUS, "control"),
        ("staff.reactivate", Effect.DANGEROUS, "control"),
        ("staff.end_sessions", Effect.WRITE, "control"),
    )
)
