"""Runs of reconciliation: their bounds, how far each has come, what it saw; a run that is over never changes again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from console.domain.billing.objects import ObjectKind
from console.domain.ids import Digest, RequestId, StaffId, TenantId
from console.domain.reconciling.findings import FindingId, ReconciliationId

FLEET = "fleet"
# Made once and living on, they are pulled whatever their age; of the rest only what the window holds.
AGELESS = frozenset({ObjectKind.PRICE, ObjectKind.CUSTOMER, ObjectKind.SUBSCRIPTION})


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    PULLING = "pulling"  # what the provider keeps is staged
    COMPARING = "comparing"  # tenant by tenant, then the account as a whole
    SETTLING = "settling"  # findings that are gone are resolved, then what heals by itself is healed
    DONE = "done"
    STOPPED = "stopped"  # too many differences at once: somebody has to look, nothing was healed
    CANCELLED = "cancelled"
    FAILED = "failed"


class RunEvent(StrEnum):
    """What can happen to a run."""

    BEGIN = "begin"
    PULLED = "pulled"
    COMPARED = "compared"
    SETTLED = "settled"
    STOP = "stop"
    CANCEL = "cancel"
    FAIL = "fail"


OPEN_STATES = (RunState.QUEUED, RunState.PULLING, RunState.COMPARING, RunState.SETTLING)
_S, _E = RunState, RunEvent
TRANSITIONS: Mapping[tuple[RunState, RunEvent], RunState] = MappingProxyType(
    {
        (_S.QUEUED, _E.BEGIN): _S.PULLING,
        (_S.PULLING, _E.PULLED): _S.COMPARING,
        (_S.COMPARING, _E.COMPARED): _S.SETTLING,
        (_S.SETTLING, _E.SETTLED): _S.DONE,
        (_S.SETTLING, _E.STOP): _S.STOPPED,
        **{(state, _E.CANCEL): _S.CANCELLED for state in OPEN_STATES},
        **{(state, _E.FAIL): _S.FAILED for state in OPEN_STATES},
    }
)


def after(state: RunState, event: RunEvent) -> RunState | None:
    """Return the state that follows, or None when the event is not legal in this state."""
    return TRANSITIONS.get((state, event))


class How(StrEnum):
    """How a run took what it saw a second time."""

    SEEN = "seen"
    IN_FLIGHT = "in_flight"  # young, and an event about it waits in the inbox
    SETTLING = "settling"  # the provider's state is a passing one: only the next run may call it a finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRules:
    """Numbers of reconciliation. Units: in each name. Source: policies/reconciliation.toml.

    Shape: healing stops where more findings than `heal_most_findings`, or tenants than `heal_most_percent` of those
    compared, would be healed by one run; so few as `heal_least_tenants` tenants never stop it.
    """

    is_nightly: bool
    nightly_hour_utc: int
    window_days: int
    in_flight_minutes: int
    page_objects: int
    slice_seconds: int
    batch_tenants: int
    heal_most_findings: int
    heal_most_percent: int
    heal_least_tenants: int
    heal_most_returns: int
    staging_days: int

    def most_tenants(self, compared: int) -> int:
        """Return how many tenants one run may heal."""
        return max(self.heal_least_tenants, compared * self.heal_most_percent // 100)

    def window(self, until: datetime) -> datetime:
        """Return from when on objects are compared."""
        return until - timedelta(days=self.window_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """What a run, or the house, has of one kind: how many, and what is at risk by currency, in minor units."""

    count: int
    at_risk: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One run.

    Shape: `tenant` is None for the whole fleet; `previous` is the run before over the same ground, against which
    passing states are held; `cursor` says where the next step goes on; `counts` are figures of each phase
    (`pulled.invoice`, `tenants`, `candidates`, `opened`, `healed` …), `found` totals by kind;
    `inputs_digest` is over everything that was compared, `findings_digest` over everything that was seen twice.
    """

    id: ReconciliationId
    tenant: TenantId | None
    state: RunState
    version: int
    queued_at: datetime
    started_by: StaffId | None
    request: RequestId | None
    rules_version: str
    previous: ReconciliationId | None = None
    window_from: datetime | None = None
    window_until: datetime | None = None
    newest_event: str | None = None
    tenants_total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, KindTotal] = field(default_factory=dict)
    cursor: Mapping[str, str] = field(default_factory=dict)
    inputs_digest: Digest | None = None
    findings_digest: Digest | None = None
    began_at: datetime | None = None
    finished_at: datetime | None = None
    because: str | None = None

    @property
    def scope(self) -> str:
        """Return what a run covers in one word: the fleet, or a tenant's id."""
        return FLEET if self.tenant is None else self.tenant

    @property
    def is_open(self) -> bool:
        """Return whether the run still goes on."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """One object of the provider as a run pulled it; `document` is None where it could not be read, and `why` says so.

    Shape: `parent` is the payout of a balance transaction.
    """

    kind: ObjectKind
    id: str
    customer: str | None
    digest: Digest
    document: Mapping[str, Any] | None
    parent: str | None = None
    is_deleted: bool = False
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """That a run saw a finding, looked twice, and saw it again; never changed, never removed."""

    finding: FindingId
    kind: str
    tenant: TenantId | None
    objects: tuple[str, ...]
    digest: Digest
    how: How


def counted(counts: Mapping[str, int], **more: int) -> dict[str, int]:
    """Return counters with some of them grown; a name's double underscore stands for a dot."""
    grown = dict(counts)
    for name, many in more.items():
        key = name.replace("__", ".")
        grown[key] = grown.get(key, 0) + many
    return grown


def grown(found: Mapping[str, KindTotal], kind: str, minor: int, currency: str | None) -> dict[str, KindTotal]:
    """Return totals with one more of a kind; amounts of two currencies are never added."""
    before = found.get(kind, KindTotal(count=0, at_risk={}))
    at_risk = dict(before.at_risk)
    if currency is not None and minor:
        at_risk[currency] = at_risk.get(currency, 0) + minor
    return {**found, kind: KindTotal(count=before.count + 1, at_risk=at_risk)}
