"""Findings: one discrepancy each, the same one in every run that sees it, until somebody or something resolves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from console.domain.canonical import digest_hex
from console.domain.ids import ActionKey, Digest, ExecutionId, RequestId, StaffId, TenantId

FindingId = NewType("FindingId", str)
ReconciliationId = NewType("ReconciliationId", str)
LONGEST_VALUE = 500  # characters of either side's words that are kept


class RepairClass(StrEnum):
    """Who may repair a kind of discrepancy."""

    SAFE = "R"  # read from the provider, write here: by itself or by one click
    AGENT = "A"  # one person with a reason
    FINANCE = "F"  # finance, and a second person
    INVESTIGATE = "X"  # no button: somebody has to look


class Direction(StrEnum):
    """Who loses while it stays as it is."""

    WE_LOSE = "we_lose"
    CUSTOMER_LOSES = "customer_loses"
    NOBODY = "nobody"


class FindingState(StrEnum):
    """Where a finding stands."""

    IN_FLIGHT = "in_flight"  # younger than the window, and something is still on its way
    OPEN = "open"
    IN_PROGRESS = "in_progress"  # somebody took it, or a repair waits for its approval
    EXPLAINED = "explained"
    WAIVED = "waived"
    RESOLVED = "resolved"


class FindingEvent(StrEnum):
    """What can happen to a finding."""

    SEEN = "seen"  # a run saw it
    SEEN_IN_FLIGHT = "seen_in_flight"
    GONE = "gone"  # a run over the same ground did not see it
    TAKE = "take"
    LEAVE = "leave"
    EXPLAIN = "explain"
    WAIVE = "waive"
    LAPSE = "lapse"  # the waiver ran out
    REOPEN = "reopen"


_S, _E = FindingState, FindingEvent
_BY_HAND = (_S.OPEN, _S.IN_PROGRESS, _S.EXPLAINED)
TRANSITIONS: Mapping[tuple[FindingState, FindingEvent], FindingState] = {
    (_S.IN_FLIGHT, _E.SEEN): _S.OPEN,
    (_S.IN_FLIGHT, _E.SEEN_IN_FLIGHT): _S.IN_FLIGHT,
    (_S.RESOLVED, _E.SEEN): _S.OPEN,
    (_S.RESOLVED, _E.SEEN_IN_FLIGHT): _S.IN_FLIGHT,
    **{(state, _E.SEEN): state for state in (_S.OPEN, _S.IN_PROGRESS, _S.EXPLAINED, _S.WAIVED)},
    **{(state, _E.SEEN_IN_FLIGHT): state for state in (_S.OPEN, _S.IN_PROGRESS, _S.EXPLAINED, _S.WAIVED)},
    **{(state, _E.GONE): _S.RESOLVED for state in _S if state is not _S.RESOLVED},
    **{(state, _E.EXPLAIN): _S.EXPLAINED for state in (_S.OPEN, _S.IN_PROGRESS)},
    **{(state, _E.WAIVE): _S.WAIVED for state in _BY_HAND},
    (_S.OPEN, _E.TAKE): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, _E.TAKE): _S.IN_PROGRESS,
    (_S.IN_PROGRESS, _E.LEAVE): _S.OPEN,
    (_S.EXPLAINED, _E.REOPEN): _S.OPEN,
    (_S.WAIVED, _E.REOPEN): _S.OPEN,
    (_S.WAIVED, _E.LAPSE): _S.OPEN,
}


def after(state: FindingState, event: FindingEvent) -> FindingState | None:
    """Return the state that follows, or None when the event is not legal in this state."""
    return TRANSITIONS.get((state, event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of discrepancy. `number` is the row of the catalogue: several kinds may share one.

    Shape: `compares` names the two sides (`P-M` provider and mirror, `M-E` mirror and access, `U-M` use and invoice,
    `C-E` overrides and access, `cash`, `books`, `events`, `P` the provider's own tie-outs); `action` is the governed
    action that repairs it, None for class X; `heals` whether the machinery may run it by itself.
    """

    key: str
    number: int
    title: str
    sentence: str
    compares: str
    repair: RepairClass
    action: ActionKey | None
    heals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A discrepancy as a detector sees it, before it is looked at a second time.

    Shape: `objects` are provider or own ids, in the order that makes it the same finding in every run; `differs` names
    the field; `ours` and `theirs` are the two values in words; `params` are those of the repairing action;
    `settles` is True where the provider's state is a passing one and must persist over two runs. Units: `at_risk_minor`
    minor units of `currency`, never negative.
    """

    kind: str
    tenant: TenantId | None
    objects: tuple[str, ...]
    differs: str = ""
    ours: str = ""
    theirs: str = ""
    at_risk_minor: int = 0
    currency: str | None = None
    direction: Direction = Direction.NOBODY
    params: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    happened_at: datetime | None = None
    settles: bool = False

    @property
    def id(self) -> FindingId:
        """Return the identity: kind, tenant, objects and what differs, the same in every run."""
        return FindingId(f"fnd_{digest_hex([self.kind, self.tenant, list(self.objects), self.differs])[:32]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding as stored. Units: as Candidate."""

    id: FindingId
    kind: str
    tenant: TenantId | None
    objects: tuple[str, ...]
    differs: str
    ours: str
    theirs: str
    at_risk_minor: int
    currency: str | None
    direction: Direction
    params: Mapping[str, str]
    evidence: Mapping[str, str]
    state: FindingState
    version: int
    first_seen_at: datetime
    last_seen_at: datetime
    first_run: ReconciliationId
    last_run: ReconciliationId
    times_reopened: int = 0
    owner: StaffId | None = None
    waived_until: datetime | None = None
    waived_by: ExecutionId | None = None
    explanation: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    repair: RequestId | None = None  # the request for its repair, while that waits


def digest_of(said: Candidate | Finding) -> Digest:
    """Return the digest of what a finding says, or would say; its state and age are not part of it."""
    return Digest(
        digest_hex(
            [
                said.id,
                said.kind,
                said.ours[:LONGEST_VALUE],
                said.theirs[:LONGEST_VALUE],
                said.at_risk_minor,
                said.currency,
                dict(said.params),
            ]
        )
    )
