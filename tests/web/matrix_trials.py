"""What each action is asked with in the matrix, and the facts that policy has to hear of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.decisions import Fact
from console.domain.ids import SessionKey, StaffId
from console.domain.imports import delivery_id_of, endpoint_id_of, member_id_of
from console.domain.periods import PeriodState
from console.domain.recalculations import SweepState
from console.domain.reconciling.findings import FindingState
from console.domain.replays import RunState
from console.usecases.parameters import Raw
from tests.web.cast import PEOPLE
from tests.web.money_stage import UNLINKED
from tests.web.period_stage import OCTOBER
from tests.web.webhook_stage import MAIN
from tests.web.world import NORDWIND

REFERENCES = {
    "CUSTOMER_SUPPORT": "ZD-48213", "BILLING_RECONCILIATION": "INV-2026-004711", "INCIDENT_RESPONSE": "INC-2301",
    "DATA_REPAIR": "CHG-1180", "CONTRACT_CHANGE": "CTR-2026-0117", "FRAUD_ABUSE_REVIEW": "CASE-77",
    "LEGAL_PROCESS": "MAT-12", "BREAK_GLASS": "INC-2301", "STAFF_CHANGE": "HR-123",
    "PERIOD_CLOSE": "CLOSE-2026-10", "CONTAINMENT": "INC-2301", "REVIEW": "REV-2026-11",
}  # fmt: skip


COLLEAGUE = PEOPLE["support_agent_2"].id


AWAY = StaffId("stf_away")


OLD = endpoint_id_of(NORDWIND, "old")


MISSING = delivery_id_of(NORDWIND, "msg_nordwindmiss000", "main")


WAITING = delivery_id_of(NORDWIND, "msg_nordwindlate", "main")


EMPTY = {"rate_per_s": "", "description": ""}


RUNS = {
    "webhook.run_replay": RunState.PLANNED,
    "webhook.pause_replay": RunState.RUNNING,
    "webhook.resume_replay": RunState.PAUSED,
    "webhook.cancel_replay": RunState.PLANNED,
}


SWEEPS = {
    "entitlement.run_recalculation": SweepState.PLANNED,
    "entitlement.pause_recalculation": SweepState.RUNNING,
    "entitlement.resume_recalculation": SweepState.PAUSED,
    "entitlement.cancel_recalculation": SweepState.PLANNED,
}


ON_AN_OVERRIDE = frozenset({"entitlement.end_override", "entitlement.assign_owner"})


BROWSER = SessionKey("of_the_matrix")


STATES = {
    "finding.take": FindingState.OPEN,
    "finding.leave": FindingState.IN_PROGRESS,
    "finding.explain": FindingState.OPEN,
    "finding.waive": FindingState.OPEN,
    "finding.reopen": FindingState.EXPLAINED,
}


@dataclass(frozen=True)
class Trial:
    """What is asked for, and the facts that policy has to hear of it."""

    raw: Raw
    facts: Mapping[str, Fact]
    is_suspended: bool = False


PERIODS = {"prepare": PeriodState.OPEN, "close": PeriodState.SOFT_CLOSED, "reopen": PeriodState.CLOSED}


TRIALS: Mapping[str, Trial] = {
    "entitlement.override": Trial(
        {"feature": "seats", "value": "250", "until": "2027-01-31"},
        {"is_paid_raise": True, "is_raise": True, "increase_percent": 25, "days": 71},
    ),
    "entitlement.end_override": Trial({"override": ""}, {"is_raise": False}),
    "entitlement.recalculate": Trial({}, {}),
    "entitlement.assign_owner": Trial({"override": ""}, {}),
    "entitlement.grant_grace": Trial({"cause": "payment_overdue", "until": "2026-12-05"}, {"days": 14}),
    "entitlement.end_coverage": Trial({"refund": "re_nordwind1"}, {}),
    "entitlement.plan_recalculation": Trial({"plan": "", "rate_per_s": ""}, {}),
    "entitlement.run_recalculation": Trial({"run": "x"}, {"losing": 1}),
    "entitlement.pause_recalculation": Trial({"run": "x"}, {}),
    "entitlement.resume_recalculation": Trial({"run": "x"}, {}),
    "entitlement.cancel_recalculation": Trial({"run": "x"}, {}),
    "member.reveal": Trial(
        {"member": member_id_of(NORDWIND, "nordwind-m1"), "field": "email"}, {"field": "email", "reveals_last_hour": 0}
    ),
    "impersonation.start": Trial(
        {"member": member_id_of(NORDWIND, "nordwind-m1"), "minutes": "30"},
        {
            "minutes": 30, "member_is_staff": False, "is_impersonating": False, "tenant_refuses": False,
            "is_other_reason": False,
        },
    ),
    "impersonation.widen": Trial({"impersonation": "x"}, {}),
    "tenant.add_note": Trial({"text": "Called back, all is well."}, {}),
    "tenant.suspend": Trial({"because": "Invoices are unpaid since March."}, {}),
    "tenant.resume": Trial({}, {}, is_suspended=True),
    "billing.resync": Trial({"invoice": "INV-nordwind-1", "kind": "", "object": ""}, {}),
    "billing.resync_tenant": Trial({}, {}),
    "billing.resync_all": Trial({"since": ""}, {}),
    "billing.cancel_resync": Trial({"resync": "exe_1"}, {}),
    "billing.refund": Trial(
        {"payment": "pi_nordwind1", "amount": "40.00", "currency": "EUR", "why": "duplicate"},
        {"amount_units": 40, "earlier_units": 0},
    ),
    "billing.issue_credit": Trial(
        {
            "invoice": "in_nordwind1", "amount": "9.01", "back": "9.01", "currency": "EUR", "to": "balance",
            "why": "order_change",
        },
        {"amount_units": 10, "earlier_units": 0},
    ),
    "billing.apply_payment": Trial(
        {"payment": "pi_nordwind2", "invoice": "in_nordwind2", "amount": "50.00", "currency": "EUR"},
        {"amount_units": 50, "earlier_units": 0},
    ),
    "billing.cancel_duplicate": Trial(
        {"keep": "sub_nordwind1", "cancel": "sub_nordwind2", "both_paid": "no"}, {"both_paid": False}
    ),
    "billing.link_customer": Trial({"customer": UNLINKED, "proof": "metadata"}, {"is_documented_only": False}),
    "billing.unlink_customer": Trial({"customer": "cus_nordwind", "at_provider": "leave"}, {}),
    "billing.note_dispute": Trial({"dispute": "dp_nordwind1"}, {}),
    "lease.top_up": Trial({"colleague": COLLEAGUE, "extra": "5"}, {"extra": 5, "target_is_self": False}),
    "staff.add": Trial(
        {"name": "Ada Field", "email": "ada@brightline.example", "person": "https://id.example|a", "roles": "finance"},
        {"grants_administrator": False},
    ),
    "staff.change_roles": Trial(
        {"colleague": COLLEAGUE, "roles": ["support_lead"]}, {"target_is_self": False, "grants_administrator": False}
    ),
    "staff.deactivate": Trial({"colleague": COLLEAGUE}, {"target_is_self": False}),
    "staff.reactivate": Trial({"colleague": AWAY}, {"grants_administrator": False}),
    "webhook.add_endpoint": Trial({"url": "https://new.nordwind.example/in", "event_types": "*", **EMPTY}, {}),
    "webhook.change_endpoint": Trial({"endpoint": MAIN, "rate_per_s": "5"}, {"changes_address": False}),
    "webhook.pause_endpoint": Trial({"endpoint": MAIN}, {}),
    "webhook.enable_endpoint": Trial({"endpoint": OLD, "recover": "no"}, {}),
    "webhook.disable_endpoint": Trial({"endpoint": MAIN}, {}),
    "webhook.delete_endpoint": Trial({"endpoint": MAIN}, {}),
    "webhook.rotate_secret": Trial({"endpoint": MAIN}, {}),
    "webhook.test_send": Trial({"endpoint": MAIN}, {}),
    "webhook.send_snapshot": Trial({"endpoint": MAIN, "subject": "account"}, {}),
    "webhook.resend": Trial({"delivery": MISSING}, {}),
    "webhook.reemit": Trial({"delivery": MISSING}, {}),
    "webhook.cancel_delivery": Trial({"delivery": WAITING}, {}),
    "webhook.reveal_payload": Trial({"message": "msg_nordwindmiss000"}, {"reveals_last_hour": 0}),
    "webhook.plan_replay": Trial({"since": "2026-11-21 00:00", "until": "2026-11-21 11:00"}, {}),
    "webhook.run_replay": Trial({"run": "x"}, {"planned": 4}),
    "webhook.pause_replay": Trial({"run": "x"}, {}),
    "webhook.resume_replay": Trial({"run": "x"}, {}),
    "webhook.cancel_replay": Trial({"run": "x"}, {}),
    "job.retry": Trial({"job": "x"}, {}),
    "job.discard": Trial({"job": "x"}, {}),
    "inbound.replay": Trial({"event": "x"}, {}),
    **{f"period.{verb}": Trial({"period": OCTOBER}, {}) for verb in PERIODS},
    "review.decide": Trial(
        {"review": "rev_open", "verdict": "ok", "because": "Looked at the diff and the ticket."},
        {"acted": False, "approved": False, "gains": False},
    ),
    "freeze.set": Trial({"scope": "vendor", "subject": "northwind"}, {"target_is_self": False}),
    "freeze.lift": Trial({"freeze": "frz_standing"}, {"target_is_self": False}),
    "freeze.drill": Trial({}, {}),
    "staff.end_sessions": Trial({"colleague": COLLEAGUE}, {"target_is_self": False}),
    "staff.set_country": Trial({"colleague": COLLEAGUE, "country": "DE"}, {}),
    "customer_token.make": Trial({"label": "SIEM", "opens": "log"}, {}),
    "customer_token.revoke": Trial({"token": "cut_1"}, {}),
    "customer_webhook.set": Trial({"url": "https://siem.nordwind.example/in"}, {}),
    "legal_hold.set": Trial({"until": "2026-12-31"}, {"days": 40}),
    "legal_hold.release": Trial({"hold": "lgh_1"}, {}),
    "access_policy.set": Trial({"impersonation": "consent", "notify": "digest"}, {"loosens": False, "silences": False}),
    "consent.ask": Trial(
        {"what": "See why your invoice shows two taxes.", "member": "", "mode": "read", "minutes": "30",
         "answer_hours": "72"}, {"hours": 72}
    ),
    "consent.withdraw": Trial({"consent": "cns_1"}, {"is_others": False}),
    "reconciliation.start": Trial({}, {}),
    "reconciliation.start_tenant": Trial({}, {}),
    "reconciliation.cancel": Trial({"run": "x"}, {}),
    "signal.settle": Trial(
        {"signal": "x", "verdict": "harmless", "note": "She worked through a list."}, {"is_own": False}
    ),
    "finding.take": Trial({"finding": "x"}, {}),
    "finding.leave": Trial({"finding": "x"}, {}),
    "finding.explain": Trial({"finding": "x", "note": "Known since March, see the contract."}, {}),
    "finding.waive": Trial({"finding": "x", "until": "2026-12-31", "note": "Paid by bank transfer."}, {"days": 40}),
    "finding.reopen": Trial({"finding": "x"}, {}),
}  # fmt: skip
