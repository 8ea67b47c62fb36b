"""What policies/ says once it is loaded: rules per action, reasons, limits, and the parsed Cedar handles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from console.domain.decisions import Deny, DenyCode, GroupNeed
from console.domain.errors import ConsoleError
from console.domain.ids import ActionKey, ReasonCode, RuleId
from console.domain.jobs import JobRules
from console.domain.reasons import ReasonRule
from console.domain.reconciling.runs import ReconciliationRules
from console.domain.reviews import ReviewKind
from console.domain.sending import SendingRules
from console.domain.signals import SignalKey, SignalRule
from console.domain.staff import Role, StaffKind
from console.policy.cedar import Handles

# Cedar actions that are not governed actions: what the console itself does for a person.
MACHINERY: frozenset[ActionKey] = frozenset(
    ActionKey(verb)
    for verb in (
        "home.read",
        "account.read",
        "session.revoke",
        "directory.search",
        "directory.import",
        "lease.open",
        "lease.end",
        "tenant.read",
        "impersonation.hold",
        "impersonation.end",
        "product.rotate_key",
        "trail.read",
        "trail.verify",
        "request.read",
        "request.list",
        "request.vote",
        "request.cancel",
        "request.revoke",
        "request.execute",
        "request.revise",
        "staff.read",
        "staff.set_credentials",
        "policy.read",
        "job.read",
        "inbound.read",
        "access.read",
        "reconciliation.read",
        "signal.read",
        "period.read",
        "period.take_file",
        "freeze.read",
        "break_glass.use",
        "review.read",
    )
)

# Several refusals at once: the first of these is the one that is told first. Who comes before where, where before why.
IMPORTANCE: tuple[DenyCode, ...] = (
    DenyCode.UNKNOWN_ACTION,
    DenyCode.POLICY_ERROR,
    DenyCode.SERVICE_ACCOUNT,
    DenyCode.SELF_APPROVAL,
    DenyCode.SELF_TARGET,
    DenyCode.OWN_REVIEW,
    DenyCode.REVIEWER_APPROVED,
    DenyCode.REVIEWER_GAINS,
    DenyCode.ROLE_MISSING,
    DenyCode.FROZEN,
    DenyCode.NO_LEASE,
    DenyCode.WRONG_TENANT,
    DenyCode.BREAK_GLASS_NOT_ALLOWED,
    DenyCode.REVIEW_OWED,
    DenyCode.REFERENCE_UNVOUCHED,
    DenyCode.INTENT_NOT_TYPED,
    DenyCode.NOBODY_TOLD,
    DenyCode.NOT_YOURS,
    DenyCode.NOT_AN_APPROVER,
    DenyCode.APPROVER_ADDED_LATE,
    DenyCode.DIFF_NOT_SEEN,
    DenyCode.REASON_UNKNOWN,
    DenyCode.REASON_NOT_ACCEPTED,
    DenyCode.MINUTES_ABOVE_LIMIT,
    DenyCode.MEMBER_IS_STAFF,
    DenyCode.TENANT_OPTED_OUT,
    DenyCode.ALREADY_IMPERSONATING,
    DenyCode.CEILING_EXCEEDED,
    DenyCode.EXPIRY_TOO_FAR,
    DenyCode.TOO_MANY_LEASES,
    DenyCode.BUDGET_SPENT,
    DenyCode.THROTTLED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRule:
    """The workflow half of a governed action's rule.

    Shape: `tiers` are those that the action's permits name; every execution of one with a `review` is judged.
    Source: policies/actions.toml.
    """

    key: ActionKey
    reasons: frozenset[ReasonCode]
    tiers: Mapping[str, tuple[GroupNeed, ...]]
    approve_minutes: int
    execute_minutes: int
    step_up_minutes: int | None
    runs: Literal["on_approval", "by_hand"]
    ceilings: Mapping[str, int]
    break_glass_allowed: bool = False
    review: ReviewKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbRule:
    """What a machinery verb needs beyond a role. Source: policies/actions.toml."""

    key: ActionKey
    reasons: frozenset[ReasonCode] = frozenset()
    step_up_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hours, counts and amounts. Units: in each name. Source: policies/limits.toml."""

    session_absolute_minutes: int
    session_idle_minutes: int
    step_up_fresh_minutes: int
    step_up_tries: int
    sign_in_tries: int
    sign_in_address_tries: int
    sign_in_window_minutes: int
    staff_unused_days: int
    stranger_entries_per_minute: int
    lease_idle_minutes: int
    leases_open_per_person: int
    tenants_per_hour: int
    tenants_per_day: int
    top_up_most_tenants: int
    top_up_minutes: int
    impersonation_minutes: int
    impersonation_idle_minutes: int
    token_seconds: int
    hand_off_seconds: int
    request_approve_minutes: int
    request_execute_minutes: int
    searches_per_minute: int
    reveal_remask_seconds: int
    reveals_per_hour: int
    files_per_hour: int
    replay_most_planned: int
    override_longest_days: int
    grace_longest_days: int
    waiver_longest_days: int
    legal_hold_longest_days: int
    consent_longest_hours: int
    consent_remind_hours: int
    customer_reads_per_minute: int
    customer_digest_hour_utc: int
    customer_link_days: int
    break_glass_undo_seconds: int
    break_glass_run_minutes: int
    break_glass_taint_days: int
    review_within_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """One Cedar policy as people read it.

    Shape: `actions` are the keys it speaks about; `roles` and `kinds` those its text names; a forbid has a `deny_code`.
    """

    id: RuleId
    file: str
    sentence: str
    deny_code: DenyCode | None
    remedy: str
    tier: str | None
    actions: frozenset[ActionKey]
    roles: frozenset[Role]
    kinds: frozenset[StaffKind]

    @property
    def is_permit(self) -> bool:
        """Return whether the rule permits; the others forbid."""
        return self.deny_code is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Could:
    """Who is named by the permits of one action."""

    roles: frozenset[Role]
    kinds: frozenset[StaffKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBook:
    """Everything in policies/, checked. Shape: `version` is SHA-256 over all policy files."""

    version: str
    actions: Mapping[ActionKey, ActionRule]
    verbs: Mapping[ActionKey, VerbRule]
    tiers: Mapping[str, tuple[GroupNeed, ...]]
    reasons: Mapping[ReasonCode, ReasonRule]
    limits: Limits
    sending: SendingRules
    jobs: JobRules
    reconciliation: ReconciliationRules
    signals: Mapping[SignalKey, SignalRule]
    group_roles: Mapping[str, Role]
    group_vendors: Mapping[str, str]
    acr_strong: frozenset[str]
    step_up_exempt: frozenset[StaffKind]
    rules: Mapping[RuleId, RuleText]
    could: Mapping[ActionKey, Could]
    handles: Handles
    paused: frozenset[ActionKey] = frozenset()
    containing: frozenset[ActionKey] = frozenset()
    told: dict[tuple[object, ...], Deny] = field(default_factory=dict, repr=False, compare=False)
    shown: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def is_paused_by_a_freeze(self, action: ActionKey) -> bool:
        """Return whether some rule refuses an action because of a freeze, and so must be asked in view of them."""
        return action in self.paused

    def accepted(self, action: ActionKey) -> frozenset[ReasonCode]:
        """Return the reason codes that an action or verb accepts."""
        rule = self.actions.get(action) or self.verbs.get(action)
        return frozenset() if rule is None else rule.reasons

    def step_up_minutes(self, action: ActionKey) -> int | None:
        """Return how fresh the second factor must be, or None when none is asked."""
        rule = self.actions.get(action) or self.verbs.get(action)
        return None if rule is None else rule.step_up_minutes


class PolicyFaultsError(ConsoleError):
    """The policy folder cannot be used; `faults` holds one line each, with the mend."""

    code = "policy_faults"

    def __init__(self, faults: Iterable[str]) -> None:
        """Keep the lines, one fault each."""
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))
