"""Findings as pages show them: the queue without any value of a tenant, and one finding under its tenant's lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.decisions import Deny
from console.domain.entries import TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import ActionKey, Digest, StaffId, TenantId
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import (
    Direction,
    Finding,
    FindingEvent,
    FindingId,
    FindingState,
    Kind,
    digest_of,
)
from console.domain.reconciling.findings import (
    after as following,
)
from console.domain.requests import Request
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.actions import Reach
from console.ports.planes import TenantPlane
from console.ports.reconciliation import FindingFilter
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter, StoredEntry
from console.usecases.house import House
from console.usecases.offer_actions import reasons_offered
from console.usecases.opened_tenant import Opened, read_opened
from console.usecases.read_reconciliation import asked, recorded, sees

_PAGE = 40
_HISTORY = 50
_COUNT_AT_MOST = 99
_BY_HAND = {
    FindingEvent.TAKE: ActionKey("finding.take"),
    FindingEvent.LEAVE: ActionKey("finding.leave"),
    FindingEvent.EXPLAIN: ActionKey("finding.explain"),
    FindingEvent.WAIVE: ActionKey("finding.waive"),
    FindingEvent.REOPEN: ActionKey("finding.reopen"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """A finding as everybody who reconciles may see it: no value of the tenant. Units: minor units."""

    id: FindingId
    key: str
    kind: Kind | None
    tenant: DirectoryRow | None
    state: FindingState
    at_risk_minor: int
    currency: str | None
    direction: Direction
    age: timedelta
    first_seen_at: datetime
    owner: str | None
    is_mine: bool
    times_reopened: int
    waived_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsPage:
    """One keyset page of findings, those that stand longest first."""

    findings: Sequence[FindingLine]
    wanted: FindingFilter
    next: FindingId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """The one safe button: a governed action with what it is about filled in.

    Shape: `tenant` is None for an action on the control store; `finding` is handed on to preview_action and
    propose_action, which bind the request to what the finding says; `may_ask` tells whether this person could ask.
    """

    action: ActionKey
    title: str
    button: str
    icon: str
    tenant: TenantId | None
    params: Mapping[str, str]
    finding: FindingId
    may_ask: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPage:
    """One finding with both values. Shape: `steps` are the actions on it that its state permits."""

    finding: Finding
    line: FindingLine
    digest: Digest
    names: Mapping[StaffId, str]
    repair: Repair | None
    waiting: Request | None
    waiver: Request | None
    steps: Sequence[ActionKey]
    history: Sequence[StoredEntry]
    opened: Opened | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFindings:
    """The findings of an opened tenant, with values."""

    opened: Opened
    findings: Sequence[tuple[FindingLine, Finding]]
    next: FindingId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCounts:
    """For Home, each to 99: what somebody took, and what nobody took yet."""

    mine: int
    nobodys: int


def read_findings(house: House, actor: Actor, *, wanted: FindingFilter, after: FindingId | None) -> FindingsPage | Deny:
    """Return one page of the queue; of a tenant only its directory row."""
    decision = asked(house, actor, page="findings")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.findings.page(wanted, after=after, limit=_PAGE + 1)
        shown = found[:_PAGE]
        recorded(house, unit, actor, decision, page="findings", records=len(shown))
        return FindingsPage(
            findings=_lines(house, unit, actor, shown),
            wanted=wanted,
            next=shown[-1].id if len(found) > _PAGE else None,
        )


def read_tenant_findings(
    house: House, actor: Actor, *, tenant: TenantId, state: FindingState | None, after: FindingId | None
) -> TenantFindings | Deny:
    """Return the findings of an opened tenant with both values. Raises: NotFoundError."""

    def read(unit: ControlUnit, opened: Opened, _plane: TenantPlane) -> TenantFindings:
        found = unit.findings.page(FindingFilter(tenant=tenant, state=state), after=after, limit=_PAGE + 1)
        shown = found[:_PAGE]
        lines = _lines(house, unit, actor, shown)
        return TenantFindings(
            opened=opened,
            findings=list(zip(lines, shown, strict=True)),
            next=shown[-1].id if len(found) > _PAGE else None,
        )

    return read_opened(house, actor, tenant, page="findings", read=read, records=lambda page: len(page.findings))


def read_tenant_finding(house: House, actor: Actor, *, tenant: TenantId, finding: FindingId) -> FindingPage | Deny:
    """Return one finding of an opened tenant. Raises: NotFoundError, also for a finding of another tenant."""

    def read(unit: ControlUnit, opened: Opened, _plane: TenantPlane) -> FindingPage:
        found = unit.findings.get(finding)
        if found is None or found.tenant != tenant:
            raise NotFoundError("There is no such finding on this tenant.")
        return _page(house, unit, actor, found, opened=opened)

    about = (TargetRef(type="finding", id=finding),)
    return read_opened(
        house, actor, tenant, page="finding", read=read, records=lambda page: 1 + len(page.history), about=about
    )


def read_account_finding(house: House, actor: Actor, *, finding: FindingId) -> FindingPage | Deny:
    """Return one finding that belongs to no tenant. Raises: NotFoundError, also for one that belongs to a tenant."""
    decision = asked(house, actor, page="finding")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.findings.get(finding)
        if found is None or found.tenant is not None:
            raise NotFoundError("There is no such finding of the account.")
        about = (TargetRef(type="finding", id=finding),)
        page = _page(house, unit, actor, found, opened=None)
        recorded(house, unit, actor, decision, page="finding", records=1 + len(page.history), about=about)
        return page


def tenant_of_finding(house: House, actor: Actor, *, finding: FindingId) -> DirectoryRow | None:
    """Return the tenant on whose page a finding stands, as the queue shows it; None where it stands on none."""
    if not sees(house, actor, page="findings"):
        return None
    with house.store.read() as unit:
        found = unit.findings.get(finding)
        return None if found is None or found.tenant is None else unit.directory.many([found.tenant]).get(found.tenant)


def count_findings(house: House, unit: ControlUnit, actor: Actor) -> FindingCounts | None:
    """Return the counts for Home in two statements, or None for somebody who does not reconcile."""
    if not sees(house, actor, page="findings"):
        return None
    taken = (FindingState.IN_PROGRESS, FindingState.EXPLAINED)
    return FindingCounts(
        mine=unit.findings.count(owner=actor.staff, states=taken, most=_COUNT_AT_MOST),
        nobodys=unit.findings.count(owner=None, states=(FindingState.OPEN,), most=_COUNT_AT_MOST),
    )


def _lines(house: House, unit: ControlUnit, actor: Actor, found: Sequence[Finding]) -> list[FindingLine]:
    rows = unit.directory.many(sorted({each.tenant for each in found if each.tenant is not None}))
    names = _names(unit, found)
    now = house.clock.now()
    return [
        FindingLine(
            id=each.id,
            key=each.kind,
            kind=KINDS.get(each.kind),
            tenant=None if each.tenant is None else rows.get(each.tenant),
            state=each.state,
            at_risk_minor=each.at_risk_minor,
            currency=each.currency,
            direction=each.direction,
            age=now - each.first_seen_at,
            first_seen_at=each.first_seen_at,
            owner=None if each.owner is None else names.get(each.owner),
            is_mine=each.owner == actor.staff,
            times_reopened=each.times_reopened,
            waived_until=each.waived_until,
        )
        for each in found
    ]


def _page(house: House, unit: ControlUnit, actor: Actor, found: Finding, *, opened: Opened | None) -> FindingPage:
    (line,) = _lines(house, unit, actor, [found])
    waiting = None if found.repair is None else unit.requests.get(found.repair)
    waiver = None if found.waived_by is None else unit.requests.by_execution(found.waived_by)
    return FindingPage(
        finding=found,
        line=line,
        digest=digest_of(found),
        names=_names(unit, [found]),
        repair=repair_of(house, actor, found),
        waiting=waiting,
        waiver=waiver,
        steps=[key for event, key in _BY_HAND.items() if following(found.state, event) is not None],
        history=_history(unit, found.id, *(each.id for each in (waiting, waiver) if each is not None)),
        opened=opened,
    )


def _history(unit: ControlUnit, *targets: str) -> list[StoredEntry]:
    """Return the newest entries about a finding and its requests, the newest first."""
    found = [
        entry
        for target in targets
        for entry in unit.reader.page(EntryFilter(target=target), before=None, limit=_HISTORY)
    ]
    return sorted(found, key=lambda entry: entry.id, reverse=True)[:_HISTORY]


def repair_of(house: House, actor: Actor, finding: Finding) -> Repair | None:
    """Return the safe action on what a finding is about, or None for a kind that somebody has to look into."""
    kind = KINDS.get(finding.kind)
    action = None if kind is None or kind.action is None else house.registry.get(kind.action)
    if action is None or finding.state is FindingState.RESOLVED:
        return None
    tenant = finding.tenant if action.reach is Reach.TENANT else None
    if action.reach is Reach.TENANT and tenant is None:
        return None
    known = {field.name for field in action.fields}
    return Repair(
        action=action.key,
        title=action.title,
        button=action.button,
        icon=action.icon,
        tenant=tenant,
        params={name: value for name, value in finding.params.items() if name in known},
        finding=finding.id,
        may_ask=not isinstance(reasons_offered(house, actor, action, tenant=tenant), Deny),
    )


def _names(unit: ControlUnit, found: Sequence[Finding]) -> dict[StaffId, str]:
    members = [unit.staff.get(staff) for staff in sorted({each.owner for each in found if each.owner is not None})]
    return {member.id: member.name for member in members if member is not None}
