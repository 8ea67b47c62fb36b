"""The question put to policy, and the four answers that it can give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from console.domain.ids import ActionKey, PersonKey, ReasonCode, RuleId, StaffId, TenantId
from console.domain.staff import Role, StaffKind

Fact = bool | int | str


class DenyCode(StrEnum):
    """Every way to be refused; stable forever, documented in docs/refusals.md."""

    ACTION_CHANGED = "action_changed"
    ALREADY_IMPERSONATING = "already_impersonating"
    ALREADY_VOTED = "already_voted"
    APPROVER_ADDED_LATE = "approver_added_late"
    BAD_PARAMETER = "bad_parameter"
    BREAK_GLASS_NOT_ALLOWED = "break_glass_not_allowed"
    BUDGET_SPENT = "budget_spent"
    CEILING_EXCEEDED = "ceiling_exceeded"
    DIFF_NOT_SEEN = "diff_not_seen"
    DIGEST_MISMATCH = "digest_mismatch"
    EXPIRED = "expired"
    EXPIRY_TOO_FAR = "expiry_too_far"
    FROZEN = "frozen"
    IMPERSONATION_ENDED = "impersonation_ended"
    INTENT_NOT_TYPED = "intent_not_typed"
    LEASE_ENDED = "lease_ended"
    MEMBER_IS_STAFF = "member_is_staff"
    MINUTES_ABOVE_LIMIT = "minutes_above_limit"
    NOBODY_TOLD = "nobody_told"
    NO_LEASE = "no_lease"
    NOT_AN_APPROVER = "not_an_approver"
    NOT_YOURS = "not_yours"
    NOTE_MISSING = "note_missing"
    NOTE_TOO_LONG = "note_too_long"
    OWN_REVIEW = "own_review"
    POLICY_ERROR = "policy_error"
    PRECONDITION_STALE = "precondition_stale"
    QUORUM_IMPOSSIBLE = "quorum_impossible"
    REASON_NOT_ACCEPTED = "reason_not_accepted"
    REASON_UNKNOWN = "reason_unknown"
    REFERENCE_CLOSED = "reference_closed"
    REFERENCE_FOREIGN = "reference_foreign"
    REFERENCE_MALFORMED = "reference_malformed"
    REFERENCE_MISSING = "reference_missing"
    REFERENCE_UNKNOWN = "reference_unknown"
    REFERENCE_UNVOUCHED = "reference_unvouched"
    REVIEWER_APPROVED = "reviewer_approved"
    REVIEWER_GAINS = "reviewer_gains"
    REVIEW_OWED = "review_owed"
    ROLE_MISSING = "role_missing"
    SELF_APPROVAL = "self_approval"
    SELF_TARGET = "self_target"
    SERVICE_ACCOUNT = "service_account"
    SIGN_IN_REFUSED = "sign_in_refused"
    STALE_DIGEST = "stale_digest"
    STAFF_INACTIVE = "staff_inactive"
    TENANT_OPTED_OUT = "tenant_opted_out"
    THROTTLED = "throttled"
    TOO_MANY_LEASES = "too_many_leases"
    UNKNOWN_ACTION = "unknown_action"
    UNKNOWN_TENANT = "unknown_tenant"
    WRONG_STATE = "wrong_state"
    WRONG_TENANT = "wrong_tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The question whether this person may do this, here, for this reason, under these circumstances.

    Shape: `action` is a governed action's key or one of the machinery verbs of policies/staff.cedarschema
    (for example `lease.open`, `request.vote`); `facts` are the action's own, typed in the schema.
    `frozen` is the scope of the narrowest freeze over the person or the tenant, empty for none.
    Units: `step_up_age_s` seconds, -1 when no second factor was shown in this session; `must_confirm` means that it
    does not count, and that one is wanted for whatever needs a reason.
    """

    actor: StaffId
    person: PersonKey
    roles: frozenset[Role]
    kind: StaffKind
    action: ActionKey
    tenant: TenantId | None = None
    leased_tenant: TenantId | None = None
    reason: ReasonCode | None = None
    step_up_age_s: int = -1
    must_confirm: bool = False
    requesters: frozenset[PersonKey] = frozenset()
    frozen: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNeed:
    """`count` different people who hold any of `roles`."""

    name: str
    roles: frozenset[Role]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Permitted now, by these rules."""

    rules: tuple[RuleId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsApproval:
    """Permitted once each group has agreed."""

    rules: tuple[RuleId, ...]
    needs: tuple[GroupNeed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsStepUp:
    """Permitted after a second factor not older than `max_age_s` seconds."""

    rules: tuple[RuleId, ...]
    max_age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Refused: the code, the rules that refused, and what would make it possible.

    Shape: `also` holds what is wrong with further fields of the same form, each with its own sentence and remedy.
    """

    code: DenyCode
    rules: tuple[RuleId, ...] = ()
    sentence: str = ""
    remedy: str = ""
    field: str = ""
    also: tuple["Deny", ...] = ()


Decision = Allow | NeedsApproval | NeedsStepUp | Deny
Refusal = NeedsStepUp | Deny
