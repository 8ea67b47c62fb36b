"""Small in-memory stand-ins for the ports that a governed action sees, and a fixed cast for them."""

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from console.adapters.billing import NoProvider
from console.domain.billing.objects import Subscription as TalkedOf
from console.domain.bought import AS_IT_IS, Supposed
from console.domain.changes import Preview
from console.domain.effective_store import Recalculation, StoredSet, recalculation
from console.domain.entitlements import (
    Condition,
    ConditionKind,
    Feature,
    FeatureKind,
    Grant,
    GrantSource,
    Inputs,
    Usage,
)
from console.domain.errors import ConflictError
from console.domain.ids import SHARED_PLANE, MemberId, PersonKey, ReasonCode, SessionKey, StaffId, TenantId
from console.domain.reasons import Reason
from console.domain.staff import Role, SignInMethod, StaffKind, StaffMember, StaffSession
from console.domain.tenancy import DirectoryRow, IsolationTier, TenantStatus
from console.domain.workspace import Account, Invoice, Member, Note, Subscription
from console.ports.action_tools import ControlTools, Tools
from console.ports.actions import Fault
from console.ports.billing import BillingProvider
from console.ports.leases import TenantBudget
from console.ports.planes import TenantPlane
from console.ports.sending import Outbound, WebhookKeys
from tests.billing import PaperMirror

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TENANT = TenantId("ten_acme")
WHY = Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CT-2026-0042")

SEATS = Feature(key="seats", name="Seats", kind=FeatureKind.LIMIT, unit="seats", unit_price_minor=900, currency="EUR")
STORAGE = Feature(key="storage", name="Storage", kind=FeatureKind.LIMIT, unit="GB", unit_price_minor=0, currency="EUR")
SSO = Feature(key="sso", name="Single sign-on", kind=FeatureKind.SWITCH, unit="", unit_price_minor=0, currency="EUR")


def grant(source: GrantSource, feature: str, value: int, **other: object) -> Grant:
    """Return a grant that began ten days ago and has no end, unless told otherwise."""
    base = Grant(
        source=source,
        id=f"{source.value}-{feature}",
        label=source.value.replace("_", "-").capitalize(),
        feature=feature,
        value=value,
        starts_at=NOON - timedelta(days=10),
        until=None,
    )
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def person(name: str, *roles: Role, local: bool = True, **other: object) -> StaffMember:
    """Return an active staff member named after their id."""
    issuer = "local" if local else "https://idp.example"
    base = StaffMember(
        id=StaffId(f"stf_{name}"),
        person=PersonKey(f"{issuer}|stf_{name}"),
        name=name.capitalize(),
        email=f"{name}@company.example",
        roles=frozenset(roles or {Role.SUPPORT_AGENT}),
        kind=StaffKind.PERSON,
        is_active=True,
        created_at=NOON - timedelta(days=90),
    )
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def session(staff: StaffId, number: int = 1) -> StaffSession:
    """Return a live session."""
    return StaffSession(
        key=SessionKey(f"{staff}-{number}"),
        staff=staff,
        signed_in_by=SignInMethod.PASSWORD,
        created_at=NOON - timedelta(minutes=5),
        last_seen_at=NOON,
        not_after=NOON + timedelta(hours=8),
        stepped_up_at=None,
        stepped_up_by=None,
        revoked_at=None,
        ip="127.0.0.1",
        agent="test",
        values={},
    )


@dataclass
class FakePlane:
    """One tenant's data in lists; every method does what the port's sentence says and nothing else."""

    status: TenantStatus = TenantStatus.ACTIVE
    account_version: int = 7
    entitlement_version: int = 3
    suspended_because: str | None = None
    catalogue: list[Feature] = field(default_factory=lambda: [SEATS, STORAGE, SSO])
    all_grants: list[Grant] = field(default_factory=lambda: [grant(GrantSource.PLAN, "seats", 10)])
    people: list[Member] = field(default_factory=list)
    bills: list[Invoice] = field(default_factory=list)
    contract: Subscription | None = None
    conditions: list[Condition] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)
    kept_notes: list[Note] = field(default_factory=list)
    is_raced: bool = False
    webhooks: object = None
    mirror: PaperMirror = field(default_factory=PaperMirror)
    stored: StoredSet | None = None
    causes: list[str] = field(default_factory=list)

    def account(self) -> Account:
        return Account(
            tenant=TENANT,
            name="Acme",
            status=self.status,
            suspended_because=self.suspended_because,
            country="DE",
            created_at=NOON - timedelta(days=400),
            version=self.account_version,
            entitlement_version=self.entitlement_version,
        )

    def subscription(self) -> Subscription | None:
        return self.contract

    def member(self, member: MemberId) -> Member | None:
        return next((known for known in self.people if known.id == member), None)

    def invoices(self, *, limit: int) -> Sequence[Invoice]:
        return self.bills[:limit]

    def invoice(self, number: str) -> Invoice | None:
        return next((bill for bill in self.bills if bill.number == number), None)

    def features(self) -> Sequence[Feature]:
        return self.catalogue

    def grants(self, feature: str | None = None) -> Sequence[Grant]:
        return [known for known in self.all_grants if feature in {None, known.feature}]

    def inputs(self, supposing: Supposed = AS_IT_IS) -> Inputs:
        blocked = Condition(
            id="account status", kind=ConditionKind.BLOCKED, cause=self.suspended_because or "suspended",
            starts_at=NOON - timedelta(days=400), until=None,
        )  # fmt: skip
        return Inputs(
            features=tuple(self.catalogue),
            grants=tuple(self.all_grants),
            conditions=(*([blocked] if self.status is TenantStatus.SUSPENDED else []), *self.conditions),
            usage=tuple(self.usage),
            subscription=self._status(supposing),
        )

    def _status(self, supposing: Supposed) -> str | None:
        """Return the status that decides; what is supposed of a subscription stands over the contract."""
        own = None if self.contract is None else self.contract.status
        return next((each.thing.status for each in supposing.told if isinstance(each.thing, TalkedOf)), own)

    def effective_set(self) -> StoredSet | None:
        return self.stored

    def take_turn(self) -> None:
        """Nobody else is there."""

    def recalculate(self, *, cause: str, at: datetime) -> Recalculation:
        done = recalculation(self.stored, self.inputs(), source_version=self.entitlement_version, now=at)
        if done.is_written:
            self.stored = done.after
            self.causes.append(cause)
        return done

    def add_override(self, added: Grant, *, by: str, at: datetime) -> None:
        self.all_grants.append(added)
        self.entitlement_version += 1

    def assign_override(self, override: str, *, owner: str, at: datetime) -> bool:
        if self.is_raced:
            return False
        index = next(i for i, known in enumerate(self.all_grants) if known.id == override)
        self.all_grants[index] = replace(self.all_grants[index], owner=owner)
        return True

    def add_condition(self, condition: Condition, *, reference: str, by: str, at: datetime) -> None:
        if self.is_raced:
            message = "This plane has that row already."
            raise ConflictError(message)
        self.conditions.append(condition)
        self.entitlement_version += 1

    def end_override(self, override: str, *, at: datetime) -> bool:
        if self.is_raced:
            return False
        index = next(i for i, known in enumerate(self.all_grants) if known.id == override)
        self.all_grants[index] = replace(self.all_grants[index], ended_at=at)
        self.entitlement_version += 1
        return True

    def add_note(self, note: Note) -> None:
        self.kept_notes.append(note)

    def set_status(self, status: TenantStatus, *, because: str | None, version: int) -> bool:
        if self.is_raced or version != self.account_version:
            return False
        self.status, self.suspended_because = status, because
        self.account_version += 1
        return True


@dataclass
class FakeStaffBook:
    """The staff as a list."""

    members: list[StaffMember]

    def get(self, staff: StaffId) -> StaffMember | None:
        return next((member for member in self.members if member.id == staff), None)

    def by_person(self, person: PersonKey) -> StaffMember | None:
        return next((member for member in self.members if member.person == person), None)

    def by_email(self, email: str) -> StaffMember | None:
        return next((member for member in self.members if member.email == email), None)

    def page(self, *, after: StaffId | None, limit: int) -> Sequence[StaffMember]:
        return self.members[:limit]

    def add(self, member: StaffMember) -> None:
        self.members.append(member)

    def set_roles(self, staff: StaffId, roles: frozenset[Role], *, at: datetime) -> None:
        self._change(staff, roles=roles)

    def set_active(self, staff: StaffId, *, is_active: bool, at: datetime) -> None:
        self._change(staff, is_active=is_active)

    def _change(self, staff: StaffId, **fields: object) -> None:
        index = next(i for i, member in enumerate(self.members) if member.id == staff)
        self.members[index] = replace(self.members[index], **fields)  # type: ignore[arg-type]  # as above


@dataclass
class FakeLeases:
    """Budgets and a count of open leases."""

    extra: int = 0
    open_count: int = 0
    top_ups: list[tuple[StaffId, int, datetime, StaffId]] = field(default_factory=list)

    def budget(self, staff: StaffId, now: datetime) -> TenantBudget:
        return TenantBudget(last_hour=12, last_day=12, extra=self.extra)

    def lock_budget(self, staff: StaffId) -> None:
        """Lock nothing: nobody else is here."""

    def open_of(self, staff: StaffId) -> Sequence[int]:
        return range(self.open_count)

    def top_up(self, staff: StaffId, *, extra: int, until: datetime, by: StaffId, at: datetime) -> None:
        self.top_ups.append((staff, extra, until, by))


@dataclass
class FakeSessions:
    """Live sessions."""

    live: list[StaffSession] = field(default_factory=list)

    def live_of(self, staff: StaffId, now: datetime) -> Sequence[StaffSession]:
        return [known for known in self.live if known.staff == staff]


@dataclass
class FakeControl:
    """The control books, and what was asked of them."""

    staff: FakeStaffBook
    leases: FakeLeases = field(default_factory=FakeLeases)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    jobs: object = None
    inbox: object = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def end_everything_of(self, staff: StaffId, *, at: datetime) -> int:
        self.asked.append(("end_everything", staff))
        return 4

    def end_without_role(self, staff: StaffId, *, at: datetime) -> int:
        return 0

    def end_sessions_of(self, staff: StaffId, *, at: datetime) -> int:
        self.asked.append(("end_sessions", staff))
        return len(self.sessions.live)

    def set_directory_status(self, status: str) -> None:
        self.asked.append(("directory", status))


@dataclass
class FakeClaims:
    """Who links which customer, on every plane."""

    held: dict[str, tuple[TenantId, ...]] = field(default_factory=dict)

    def of(self, customers: Sequence[str]) -> dict[str, tuple[TenantId, ...]]:
        return {each: self.held[each] for each in customers if each in self.held}


@dataclass
class FakeIds:
    """Ids that count."""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers)}"

    def token(self) -> str:
        return f"token-{next(self.numbers)}"


def directory_row(**other: object) -> DirectoryRow:
    """Return the directory's row of the tenant."""
    base = DirectoryRow(
        id=TENANT,
        slug="acme",
        name="Acme",
        region="eu",
        plan="team",
        status=TenantStatus.ACTIVE,
        tier=IsolationTier.SHARED,
        plane=SHARED_PLANE,
    )
    return replace(base, **other)  # type: ignore[arg-type]  # names and types are the dataclass's own


def tools(
    plane: FakePlane | None = None,
    control: FakeControl | None = None,
    *,
    provider: BillingProvider | None = None,
    reason: Reason = WHY,
    now: datetime = NOON,
    outbound: object = None,
    keys: object = None,
    claims: "FakeClaims | None" = None,
) -> Tools:
    """Return the tools of an action asked for by Robin."""
    return Tools(
        now=now,
        ids=FakeIds(),
        requester=StaffId("stf_robin"),
        requester_name="Robin",
        reason=reason,
        tenant=None if plane is None else cast("TenantPlane", plane),
        directory_row=None if plane is None else directory_row(),
        control=None if control is None else cast("ControlTools", control),
        provider=provider or NoProvider(),
        customer_claims=claims or FakeClaims(),
        outbound=cast("Outbound", outbound),
        webhook_keys=cast("WebhookKeys", keys),
        shown_seconds=60,
        top_up_minutes=60,
        top_up_most_tenants=20,
    )


def shown(preview: Preview) -> dict[str, tuple[str | None, str | None]]:
    """Return the changes by field, before and after; those of access bear its name."""
    return {change.field: (change.before, change.after) for change in preview.every_change}


def fault_of(call: object, *arguments: object) -> tuple[str, str]:
    """Return field and remedy of the Fault that a call raises."""
    try:
        call(*arguments)  # type: ignore[operator]  # any function of an action
    except Fault as fault:
        return fault.field, fault.remedy
    message = "no fault was raised"
    raise AssertionError(message)


class Unchanged:
    """Holds that what was given is the same at the end of the block as at its beginning."""

    def __init__(self, *things: object) -> None:
        """Remember the things."""
        self._things = things
        self._before: tuple[object, ...] = ()

    def __enter__(self) -> None:
        """Copy them."""
        self._before = copy.deepcopy(self._things)

    def __exit__(self, *_error: object) -> None:
        """Compare."""
        assert self._things == self._before
