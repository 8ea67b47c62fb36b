"""The rules of policies/ written a second time, by hand and in Python, to be held against Cedar.

Numbers and lists come from the TOML files through the book; who may do what stands here and in Cedar, independently.
"""

from dataclasses import dataclass
from typing import Any

from console.domain.decisions import Query
from console.domain.ids import ReasonCode
from console.domain.reasons import Effect
from console.domain.staff import Role, StaffKind
from console.policy.book import PolicyBook
from tests.policy.governed import GOVERNED

SUPPORT = {Role.SUPPORT_AGENT, Role.SUPPORT_LEAD}
FINANCE = {Role.FINANCE, Role.FINANCE_LEAD}
ENGINEERING = {Role.ENGINEER, Role.ON_CALL}
DESK = SUPPORT | FINANCE | ENGINEERING
VOTERS = {Role.SUPPORT_LEAD, Role.FINANCE_LEAD, Role.ON_CALL, Role.SECURITY_AUDITOR, Role.ADMINISTRATOR}
JUDGES = {Role.SUPPORT_LEAD, Role.FINANCE_LEAD, Role.SECURITY_AUDITOR}
EFFECTS = {key: effect for key, effect, _ in GOVERNED}
TENANT_ACTIONS = {key for key, _, reach in GOVERNED if reach == "tenant"}
MAY_USE = {
    "CUSTOMER_SUPPORT": SUPPORT,
    "BILLING_RECONCILIATION": FINANCE,
    "INCIDENT_RESPONSE": SUPPORT | ENGINEERING,
    "DATA_REPAIR": ENGINEERING,
    "CONTRACT_CHANGE": SUPPORT | FINANCE,
    "FRAUD_ABUSE_REVIEW": {Role.SUPPORT_LEAD},
    "LEGAL_PROCESS": {Role.SUPPORT_LEAD},
    "STAFF_CHANGE": {Role.ADMINISTRATOR},
    "BREAK_GLASS": ENGINEERING,
    "PERIOD_CLOSE": FINANCE,
    "REVIEW": JUDGES,
    "CONTAINMENT": {Role.ADMINISTRATOR, Role.ON_CALL},
}
PERMITTED: dict[str, set[Role]] = {
    "request.list": set(Role),
    "staff.read": {Role.ADMINISTRATOR, Role.SECURITY_AUDITOR},
    "staff.set_credentials": set(),
    "product.rotate_key": set(),
    "policy.read": {Role.ADMINISTRATOR, Role.SECURITY_AUDITOR},
    "trail.verify": {Role.SECURITY_AUDITOR},
    "trail.read": DESK | {Role.SECURITY_AUDITOR},
    "directory.import": set(),
    "directory.search": DESK | {Role.SECURITY_AUDITOR},
    "lease.open": DESK,
    "tenant.read": DESK,
    "request.read": set(Role),
    "request.execute": set(Role),
    "request.cancel": set(Role),
    "request.revise": set(Role),
    "request.revoke": set(Role),
    "request.vote": VOTERS,
    "entitlement.override": SUPPORT | FINANCE,
    "entitlement.end_override": SUPPORT | FINANCE,
    "entitlement.recalculate": SUPPORT | FINANCE,
    "entitlement.assign_owner": SUPPORT | FINANCE,
    "entitlement.grant_grace": SUPPORT | FINANCE,
    "entitlement.end_coverage": FINANCE,
    **{
        f"entitlement.{verb}_recalculation": {Role.SUPPORT_LEAD, Role.FINANCE_LEAD}
        for verb in ("plan", "run", "pause", "resume", "cancel")
    },
    "access.read": {Role.SUPPORT_LEAD} | FINANCE,
    "member.reveal": SUPPORT,
    "impersonation.start": SUPPORT,
    "impersonation.widen": SUPPORT,
    "impersonation.hold": SUPPORT,
    "tenant.add_note": SUPPORT,
    "tenant.suspend": {Role.SUPPORT_LEAD, Role.ON_CALL},
    "tenant.resume": {Role.SUPPORT_LEAD, Role.ON_CALL},
    **{key: FINANCE for key, _, _ in GOVERNED if key.startswith("billing.")},
    "billing.resync": SUPPORT | FINANCE,
    "billing.resync_tenant": SUPPORT | FINANCE,
    "billing.resync_all": {Role.FINANCE_LEAD} | ENGINEERING,
    "billing.cancel_resync": FINANCE | ENGINEERING,
    "lease.top_up": DESK,
    "break_glass.use": ENGINEERING,
    **dict.fromkeys(("review.read", "review.decide"), JUDGES),
    "freeze.read": set(Role),
    **{f"freeze.{verb}": {Role.ADMINISTRATOR, Role.ON_CALL} for verb in ("set", "lift", "drill")},
    "job.read": ENGINEERING | {Role.SECURITY_AUDITOR},
    "inbound.read": ENGINEERING,
    "signal.read": {Role.SECURITY_AUDITOR, Role.SUPPORT_LEAD},
    "signal.settle": {Role.SECURITY_AUDITOR, Role.SUPPORT_LEAD},
    "period.read": FINANCE | {Role.SECURITY_AUDITOR},
    "period.take_file": FINANCE,
    **{f"period.{verb}": FINANCE for verb in ("prepare", "close", "reopen")},
    "job.retry": ENGINEERING,
    "job.discard": ENGINEERING,
    "inbound.replay": ENGINEERING,
    "reconciliation.read": FINANCE | {Role.ON_CALL, Role.SECURITY_AUDITOR},
    "reconciliation.start": FINANCE,
    "reconciliation.start_tenant": FINANCE,
    "reconciliation.cancel": FINANCE | {Role.ON_CALL},
    **{key: FINANCE for key, _, _ in GOVERNED if key.startswith("finding.")},
    **{key: ENGINEERING for key, _, _ in GOVERNED if key.startswith("webhook.")},
    "webhook.test_send": ENGINEERING | SUPPORT,
    "webhook.resend": ENGINEERING | SUPPORT,
    **{
        f"staff.{verb}": {Role.ADMINISTRATOR}
        for verb in ("add", "change_roles", "deactivate", "reactivate", "end_sessions", "set_country")
    },
    **{key: {Role.SUPPORT_LEAD} for key in ("customer_token.make", "customer_webhook.set")},
    **{f"legal_hold.{verb}": {Role.SUPPORT_LEAD} for verb in ("set", "release")},
    "customer_token.revoke": SUPPORT | ENGINEERING,
    "access_policy.set": SUPPORT,
    **{f"consent.{verb}": SUPPORT | ENGINEERING for verb in ("ask", "withdraw")},
}
ALWAYS = {
    **{key: {"webhook_second": 1} for key in ("webhook.add_endpoint", "webhook.reemit", "webhook.run_replay")},
    **{key: {"support_lead": 1, "suspension_second": 1} for key in ("tenant.suspend", "tenant.resume")},
    **{key: {"finance_lead": 1} for key in ("finding.waive", "billing.unlink_customer", "billing.note_dispute")},
    **{key: {"finance_lead": 1} for key in ("entitlement.end_coverage", "period.close", "period.reopen")},
    **{key: {} for key in ("billing.resync", "billing.resync_tenant", "billing.cancel_resync")},
    "billing.resync_all": {"resync_second": 1},
    "impersonation.widen": {"support_lead": 1},
    "freeze.lift": {"thaw_second": 1},
    **{key: {"support_lead": 1} for key in ("customer_token.make", "customer_webhook.set")},
    **{f"legal_hold.{verb}": {"support_lead": 1} for verb in ("set", "release")},
}
STEPPED_UP = {"request.vote", "request.execute", "break_glass.use"}
CONTAINING = {"freeze.set", "freeze.lift", "freeze.drill", "staff.deactivate", "staff.end_sessions"}
OWN = {"home.read", "account.read", "session.revoke", "lease.end", "impersonation.end"}
AT_THE_SHELL = {"directory.import", "product.rotate_key", "trail.verify", "trail.read", "reconciliation.read"} | {
    key for key in PERMITTED if key.startswith("staff.")
}


@dataclass(frozen=True)
class Expected:
    """What must come out: refusal codes, or the second factor, or the groups (none of them means allow)."""

    codes: frozenset[str] = frozenset()
    step_up: bool = False
    groups: frozenset[tuple[str, int]] = frozenset()


def expected(book: PolicyBook, query: Query) -> Expected:
    """Return what the hand-written rules say to a well-formed question."""
    codes = set(_refusals(book, query))
    if not _named(query):
        codes.add("role_missing")
    if not codes and not _permitted(query):
        codes.add("role_missing")
    if codes:
        return Expected(codes=frozenset(codes))
    minutes = 10 if EFFECTS.get(query.action) is Effect.DANGEROUS or query.action in STEPPED_UP else None
    is_missing = minutes is not None and not 0 <= query.step_up_age_s <= minutes * 60
    wants_one = query.must_confirm and (minutes is not None or query.action in EFFECTS or query.action == "lease.open")
    if (is_missing or wants_one) and query.kind is not StaffKind.OPERATOR:
        return Expected(step_up=True)
    return Expected(groups=frozenset(_groups(book, query).items()))


def _named(query: Query) -> bool:
    if query.kind is StaffKind.OPERATOR and query.action in AT_THE_SHELL:
        return True
    if query.action in OWN:
        return query.kind is not StaffKind.OPERATOR
    return bool(query.roles & PERMITTED[query.action])


def _permitted(query: Query) -> bool:
    """Return whether somebody permits, given that nothing forbids."""
    facts: Any = query.facts
    if query.action == "reconciliation.read" and not query.roles & FINANCE:
        return facts["page"] in {"runs", "run"}
    if query.kind is StaffKind.OPERATOR and query.action in AT_THE_SHELL:
        return True
    if query.action in {"entitlement.override", "entitlement.end_override"} and not query.roles & SUPPORT:
        return query.reason == "CONTRACT_CHANGE"
    if query.action in {"tenant.suspend", "tenant.resume"} and Role.SUPPORT_LEAD not in query.roles:
        return query.reason in {"INCIDENT_RESPONSE", "BREAK_GLASS"}
    if query.action == "trail.read" and Role.SECURITY_AUDITOR not in query.roles:
        return bool(facts["scope"] == "tenant")
    return True


def _refusals(book: PolicyBook, query: Query) -> list[str]:
    key, roles, facts = query.action, query.roles, dict(query.facts)
    is_shell = query.kind is StaffKind.OPERATOR
    codes: list[str] = []
    if key in TENANT_ACTIONS | {"tenant.read", "break_glass.use"}:
        if query.leased_tenant is None:
            codes.append("no_lease")
        elif query.leased_tenant != query.tenant:
            codes.append("wrong_tenant")
    is_apart = bool(roles & {Role.ADMINISTRATOR, Role.SECURITY_AUDITOR}) or is_shell
    if is_apart and key in TENANT_ACTIONS | {"tenant.read", "lease.open", "impersonation.hold", "break_glass.use"}:
        codes.append("role_missing")
    if key == "directory.search" and Role.ADMINISTRATOR in roles:
        codes.append("role_missing")
    if key in EFFECTS or key == "lease.open":
        codes += _reason_refusals(book, query)
    if key == "trail.read" and Role.SECURITY_AUDITOR not in roles and not is_shell:
        codes += _trail_refusals(query)
    codes += _own_refusals(book, query, facts)
    codes += _freeze_refusals(query, facts) + _length_refusals(book, query, facts)
    return codes + _size_refusals(book, query, facts)


def _own_refusals(book: PolicyBook, query: Query, facts: dict[str, Any]) -> list[str]:
    """Return what the rules of this very action refuse."""
    key = query.action
    if key == "break_glass.use":
        return _glass_refusals(query, facts)
    if key.startswith("request."):
        return _request_refusals(query, facts)
    if key.startswith("impersonation."):
        return _impersonation_refusals(book, query, facts)
    if key == "signal.settle":
        return ["self_target"] * bool(facts["is_own"])
    return _review_refusals(query, facts)


def _review_refusals(query: Query, facts: dict[str, Any]) -> list[str]:
    if query.action != "review.decide":
        return []
    codes = ["service_account"] * (query.kind is not StaffKind.PERSON) + ["own_review"] * facts["acted"]
    return codes + ["reviewer_approved"] * facts["approved"] + ["reviewer_gains"] * facts["gains"]


def _glass_refusals(query: Query, facts: dict[str, Any]) -> list[str]:
    return [
        *["service_account"] * (query.kind is not StaffKind.PERSON),
        *["break_glass_not_allowed"] * (not facts["is_listed"]),
        *["review_owed"] * (facts["owes_review"] and not facts["is_drill"]),
        *["reference_unvouched"] * (not facts["reference_is_open"]),
        *["intent_not_typed"] * (not facts["intent_typed"]),
        *["nobody_told"] * (not facts["somebody_is_told"]),
    ]


def _freeze_refusals(query: Query, facts: dict[str, Any]) -> list[str]:
    if not query.frozen:
        return []
    key, is_wide = query.action, query.frozen in {"tenant", "all"}
    if key in {"request.vote", "request.execute"}:
        return [] if is_wide and facts["action_key"] == "freeze.lift" else ["frozen"]
    if key in EFFECTS and EFFECTS[key] is not Effect.READ:
        return [] if is_wide and key in CONTAINING else ["frozen"]
    return ["frozen"] * (key in {"lease.open", "tenant.read", "request.revise", "directory.import", "break_glass.use"})


def _reason_refusals(book: PolicyBook, query: Query) -> list[str]:
    reason = query.reason or ""
    if reason not in book.accepted(query.action):
        return ["reason_not_accepted"]
    if query.kind is StaffKind.OPERATOR and reason == "STAFF_CHANGE":
        return []
    if not query.roles & MAY_USE[reason]:
        return ["reason_not_accepted"]
    effect = EFFECTS.get(query.action)
    if effect is not None and effect not in book.reasons[ReasonCode(reason)].effects:
        return ["reason_not_accepted"]
    facts: Any = query.facts
    if query.action == "entitlement.override" and reason == "INCIDENT_RESPONSE":
        most = book.actions[query.action].ceilings["incident_increase_percent_most"]
        if facts["is_paid_raise"] or (facts["is_raise"] and facts["increase_percent"] > most):
            return ["reason_not_accepted"]
    if query.action == "access_policy.set" and facts["silences"] and reason != "LEGAL_PROCESS":
        return ["reason_not_accepted"]
    return []


def _trail_refusals(query: Query) -> list[str]:
    if query.facts["scope"] != "tenant":
        return ["role_missing"]
    if query.leased_tenant is None:
        return ["no_lease"]
    return ["wrong_tenant"] if query.leased_tenant != query.tenant else []


def _request_refusals(query: Query, facts: dict[str, Any]) -> list[str]:
    is_own = facts.get("is_requester", False) or query.person in query.requesters
    match query.action:
        case "request.vote":
            return _vote_refusals(query, facts, is_own=is_own)
        case "request.read":
            hidden = facts["is_tenant_request"] and Role.ADMINISTRATOR in query.roles
            stands = is_own or facts["holds_seat"] or Role.SECURITY_AUDITOR in query.roles
            return ["role_missing"] * hidden + ["not_yours"] * (not stands)
        case "request.cancel" | "request.revise":
            return [] if is_own else ["not_yours"]
        case "request.revoke":
            return [] if is_own or facts["holds_seat"] or Role.SECURITY_AUDITOR in query.roles else ["not_yours"]
        case "request.execute":
            return [] if is_own or facts["has_voted"] else ["not_yours"]
        case _:
            return []


def _vote_refusals(query: Query, facts: dict[str, Any], *, is_own: bool) -> list[str]:
    codes = []
    if query.kind is not StaffKind.PERSON:
        codes.append("service_account")
    if is_own:
        codes.append("self_approval")
    if not facts["holds_seat"]:
        codes.append("not_an_approver")
    elif not facts["held_when_filed"]:
        codes.append("approver_added_late")
    if facts["is_tenant_request"] and query.roles & {Role.ADMINISTRATOR, Role.SECURITY_AUDITOR}:
        codes.append("not_an_approver")
    if not facts["was_seen"]:
        codes.append("diff_not_seen")
    return codes


def _size_refusals(book: PolicyBook, query: Query, facts: dict[str, Any]) -> list[str]:
    limits = book.limits
    match query.action:
        case "lease.open":
            return _lease_refusals(book, query, facts)
        case "entitlement.override":
            most = book.actions[query.action].ceilings["increase_percent_most"]
            too_much = facts["is_raise"] and facts["increase_percent"] > most
            too_far = not 1 <= facts["days"] <= limits.override_longest_days
            return ["ceiling_exceeded"] * too_much + ["expiry_too_far"] * too_far
        case "billing.refund" | "billing.issue_credit" | "billing.apply_payment":
            most = book.actions[query.action].ceilings["units_most"]
            return ["ceiling_exceeded"] * (not 1 <= facts["amount_units"] <= most)
        case "webhook.run_replay":
            return ["ceiling_exceeded"] * (not 1 <= facts["planned"] <= limits.replay_most_planned)
        case "member.reveal" | "webhook.reveal_payload":
            return ["budget_spent"] * (facts["reveals_last_hour"] >= limits.reveals_per_hour)
        case "lease.top_up":
            too_much = not 1 <= facts["extra"] <= limits.top_up_most_tenants
            return ["self_target"] * facts["target_is_self"] + ["ceiling_exceeded"] * too_much
        case "consent.withdraw":
            return ["not_yours"] * (facts["is_others"] and Role.SUPPORT_LEAD not in query.roles)
        case "staff.change_roles" | "staff.deactivate" | "staff.end_sessions" | "freeze.set" | "freeze.lift":
            return ["self_target"] * facts["target_is_self"]
        case _:
            return []


def _impersonation_refusals(book: PolicyBook, query: Query, facts: dict[str, Any]) -> list[str]:
    if query.action == "impersonation.end":
        is_asked_to = query.roles & {Role.SUPPORT_LEAD, Role.SECURITY_AUDITOR}
        return ["not_yours"] * (not facts["is_own"] and not is_asked_to)
    if query.action != "impersonation.start":
        return []
    is_too_long = not 1 <= facts["minutes"] <= book.limits.impersonation_minutes
    return [
        *["minutes_above_limit"] * is_too_long,
        *["member_is_staff"] * facts["member_is_staff"],
        *["already_impersonating"] * facts["is_impersonating"],
        *["tenant_opted_out"] * facts["tenant_refuses"],
        *["reason_not_accepted"] * facts["is_other_reason"],
    ]


def _length_refusals(book: PolicyBook, query: Query, facts: dict[str, Any]) -> list[str]:
    most = {
        "finding.waive": book.limits.waiver_longest_days,
        "entitlement.grant_grace": book.limits.grace_longest_days,
        "legal_hold.set": book.limits.legal_hold_longest_days,
        "consent.ask": book.limits.consent_longest_hours,
    }.get(query.action)
    if most is None:
        return []
    return ["expiry_too_far"] * (not 1 <= facts["hours" if query.action == "consent.ask" else "days"] <= most)


def _lease_refusals(book: PolicyBook, query: Query, facts: dict[str, Any]) -> list[str]:
    limits = book.limits
    longest = book.reasons[query.reason].lease_minutes if query.reason else 0
    codes = []
    if not 1 <= facts["minutes"] <= longest:
        codes.append("minutes_above_limit")
    if facts["open_leases"] >= limits.leases_open_per_person:
        codes.append("too_many_leases")
    hour, day = limits.tenants_per_hour + facts["extra_tenants"], limits.tenants_per_day + facts["extra_tenants"]
    if facts["is_new_tenant"] and (facts["tenants_last_hour"] >= hour or facts["tenants_last_day"] >= day):
        codes.append("budget_spent")
    return codes


def _groups(book: PolicyBook, query: Query) -> dict[str, int]:
    known = _known_groups(query)
    return _asked_groups(book, query) if known is None else known


def _asked_groups(book: PolicyBook, query: Query) -> dict[str, int]:
    facts: Any = query.facts
    match query.action:
        case "entitlement.override":
            if facts["is_paid_raise"]:
                return {"finance_lead": 1}
            one_lead = book.actions[query.action].ceilings["increase_percent_one_lead"]
            if facts["is_raise"] and facts["increase_percent"] > one_lead:
                return {"support_lead": 1, "finance_lead": 1}
            return {"support_lead": 1}
        case _ if query.action.startswith("billing."):
            return {"finance_lead": 1} | ({"support_lead": 1} if _takes_two_teams(book, query) else {})
        case "entitlement.end_override":
            return {"support_lead": 1} | ({"finance_lead": 1} if facts["is_raise"] else {})
        case "entitlement.run_recalculation":
            few = book.actions[query.action].ceilings["losers_without_approval"]
            return {"support_lead": 1, "finance_lead": 1} if facts["losing"] > few else {}
        case "access_policy.set":
            return {"support_lead": 1} if facts["loosens"] or facts["silences"] else {}
        case "webhook.change_endpoint":
            return {"webhook_second": 1} if facts["changes_address"] else {}
        case "staff.add" | "staff.change_roles" | "staff.reactivate" if Role.ADMINISTRATOR in query.roles:
            return {"administrator": 1} if facts.get("grants_administrator", True) else {"second_person": 1}
        case _:
            return {}


def _known_groups(query: Query) -> dict[str, int] | None:
    facts: Any = query.facts
    if query.action == "access_policy.set":
        return {"support_lead": 1} if facts["loosens"] or facts["silences"] else {}
    return ALWAYS.get(query.action)


def _takes_two_teams(book: PolicyBook, query: Query) -> bool:
    facts: Any = query.facts
    match query.action:
        case "billing.cancel_duplicate":
            return bool(facts["both_paid"])
        case "billing.link_customer":
            return bool(facts["is_documented_only"])
        case _:
            return bool(
                facts["amount_units"] + facts["earlier_units"] > book.actions[query.action].ceilings["units_one_lead"]
            )
