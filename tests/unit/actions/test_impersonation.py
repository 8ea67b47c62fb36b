"""`impersonation.start` and `impersonation.widen`: what they show, refuse and write."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from console.actions.impersonation import start, widen
from console.domain.ids import ImpersonationId, LeaseId, MemberId, PersonKey, RequestId, SessionKey, StaffId, TenantId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.staff import StaffKind, StaffMember
from console.domain.trust.consents import Consent, ConsentState
from console.domain.workspace import Member
from console.ports.action_tools import ControlTools, Tools
from console.ports.actions import Landing
from console.ports.impersonations import Grounds
from tests.unit.actions.test_member_reveal import ADA
from tests.unit.fakes import NOON, TENANT, WHY, FakePlane, FakeStaffBook, fault_of, shown, tools
from tests.unit.test_impersonations import ROW

ROBIN = StaffId("stf_robin")
LEASE = Lease(
    id=LeaseId("lea_1"), staff=ROBIN, session=SessionKey("key"), tenant=TENANT, reason=WHY, opened_at=NOON,
    last_used_at=NOON, not_after=NOON + timedelta(minutes=30), idle_minutes=20,
)  # fmt: skip
GROUNDS = Grounds(
    is_connected=True, session=SessionKey("key"), lease=LEASE, running=None, tenant_allows=True, consent=None,
    longest_minutes=30, idle_minutes=10,
)  # fmt: skip
RUNNING = replace(
    ROW, staff=ROBIN, tenant=TENANT, started_at=NOON, last_used_at=NOON, not_after=NOON + timedelta(minutes=30)
)


@dataclass
class FakeBook:
    """Impersonations in a list."""

    rows: list[Impersonation] = field(default_factory=list)
    widened: list[tuple[str, str]] = field(default_factory=list)
    is_raced: bool = False

    def get(self, impersonation: ImpersonationId) -> Impersonation | None:
        return next((row for row in self.rows if row.id == impersonation), None)

    def widen(self, impersonation: ImpersonationId, *, by: RequestId) -> bool:
        self.widened.append((impersonation, by))
        return not self.is_raced


@dataclass
class FakeControl:
    """What the two actions ask of the control store."""

    grounds: Grounds = GROUNDS
    staff: FakeStaffBook = field(default_factory=lambda: FakeStaffBook([]))
    impersonations: FakeBook = field(default_factory=FakeBook)
    over: ImpersonationEnd | None = None
    is_taken: bool = False
    is_spent: bool = False
    is_agreed: bool = True

    def impersonation_grounds(self, member: MemberId, *, at: datetime) -> Grounds:
        return self.grounds

    def begin_impersonation(self, row: Impersonation) -> bool:
        self.impersonations.rows.append(row)
        return not self.is_taken

    def why_over(self, row: Impersonation, *, at: datetime) -> ImpersonationEnd | None:
        return self.over or row.clock_end(at)

    def may_widen(self, row: Impersonation, *, at: datetime) -> bool:
        return self.is_agreed

    def spend_consent(self, row: Impersonation, mode: Mode, *, at: datetime) -> bool:
        return not self.is_spent


def hands(control: FakeControl, *, member: Member = ADA, reason: Reason = WHY, now: datetime = NOON) -> Tools:
    made = tools(FakePlane(people=[member]), reason=reason, now=now)
    return replace(made, control=cast("ControlTools", control), request=RequestId("req_1"))


def params(minutes: int = 30, member: str = "mem_ada") -> start.Params:
    return start.build({"member": member, "minutes": minutes})


def test_it_shows_whom_how_and_how_long_and_changes_nothing() -> None:
    control = FakeControl()
    seen = start.preview(params(), hands(control))
    assert shown(seen) == {
        "Acts for": (None, "member mem_ada"),
        "Mode": (None, "reads only"),
        "For at most": (None, "30 minutes"),
    }
    assert seen.facts == {
        "minutes": 30,
        "member_is_staff": False,
        "is_impersonating": False,
        "tenant_refuses": False,
        "is_other_reason": False,
    }
    assert (seen.target_type, seen.target_id) == ("member", "mem_ada")
    assert control.impersonations.rows == []


@pytest.mark.parametrize(
    ("grounds", "fact"),
    [
        (replace(GROUNDS, running=RUNNING), "is_impersonating"),
        (replace(GROUNDS, tenant_allows=False), "tenant_refuses"),
        (replace(GROUNDS, lease=None), "is_other_reason"),
        (replace(GROUNDS, lease=replace(LEASE, reason=replace(WHY, reference="OTHER-1"))), "is_other_reason"),
    ],
)
def test_it_tells_policy_what_stands_in_the_way(grounds: Grounds, fact: str) -> None:
    assert start.preview(params(), hands(FakeControl(grounds=grounds))).facts[fact] is True


@pytest.mark.parametrize("tag", ["", "+acme"])
def test_a_colleagues_address_is_told_with_or_without_a_tag(tag: str) -> None:
    colleague = StaffMember(
        id=StaffId("stf_2"), person=PersonKey("p"), name="Ada", email=ADA.email, roles=frozenset(),
        kind=StaffKind.PERSON, is_active=False, created_at=NOON,
    )  # fmt: skip
    control = FakeControl(staff=FakeStaffBook([colleague]))
    tagged = replace(ADA, email=f"ada{tag}@acme.example")
    assert start.preview(params(), hands(control, member=tagged)).facts["member_is_staff"] is True


def test_nobody_acts_for_somebody_who_is_not_there_or_switched_off() -> None:
    assert fault_of(start.preview, params(member="mem_9"), hands(FakeControl()))[0] == "member"
    away = hands(FakeControl(), member=replace(ADA, is_active=False))
    assert "deactivated" in fault_of(start.preview, params(), away)[1]


def test_it_needs_a_product_a_browser_and_a_lease() -> None:
    unconnected = hands(FakeControl(grounds=replace(GROUNDS, is_connected=False)))
    assert "No product" in fault_of(start.preview, params(), unconnected)[1]
    for missing in ("session", "lease"):
        made = hands(FakeControl(grounds=replace(GROUNDS, **{missing: None})))  # type: ignore[arg-type]
        assert "browser" in fault_of(start.apply, params(), made)[1]


def test_it_begins_what_it_showed_under_the_reason_of_the_lease() -> None:
    control = FakeControl()
    done = start.apply(params(minutes=20), hands(control))
    (row,) = control.impersonations.rows
    assert done.made == row.id
    assert (row.mode, row.reason, row.request, row.session) == (Mode.READ, WHY, "req_1", "key")
    assert (row.started_at, row.not_after, row.idle_minutes) == (NOON, NOON + timedelta(minutes=20), 10)


def test_it_says_that_it_uses_the_consent_up_and_lasts_no_longer() -> None:
    consent = Consent(
        id="cns_1", tenant=TENANT, staff=ROBIN, what="w", member=None, mode="read", reason_code=WHY.code,
        reference=WHY.reference, minutes=7, asked_at=NOON, decide_by=NOON, use_by=NOON + timedelta(hours=1),
        state=ConsentState.APPROVED,
    )  # fmt: skip
    control = FakeControl(grounds=replace(GROUNDS, consent=consent))
    seen = start.preview(params(), hands(control))
    assert shown(seen)["Consent"] == ("approved", "used up")
    start.apply(params(), hands(control))
    assert control.impersonations.rows[0].not_after == NOON + timedelta(minutes=7)


def test_it_begins_and_widens_nothing_when_the_consent_is_gone() -> None:
    control = FakeControl(is_spent=True)
    assert "consent was used" in fault_of(lambda: start.apply(params(), hands(control)))[1]
    control.impersonations.rows = [RUNNING]
    assert fault_of(lambda: widen.apply(widen.Params(impersonation=RUNNING.id), hands(control)))


def test_it_says_that_writing_takes_a_consent_of_its_own() -> None:
    control = FakeControl(impersonations=FakeBook([RUNNING]), is_agreed=False)
    for step in (widen.preview, widen.apply):
        assert "agree to writing" in fault_of(step, widen.Params(impersonation=RUNNING.id), hands(control))[1]


def test_it_ends_with_the_lease_at_the_latest() -> None:
    control = FakeControl()
    start.apply(params(), hands(control, now=NOON + timedelta(minutes=10)))
    assert control.impersonations.rows[0].not_after == LEASE.not_after


def test_a_second_one_that_was_faster_is_told_of() -> None:
    assert "already" in fault_of(start.apply, params(), hands(FakeControl(is_taken=True)))[1]


def wide(control: FakeControl) -> tuple[widen.Params, Tools]:
    return widen.build({"impersonation": RUNNING.id}), hands(control)


def test_it_shows_that_writing_becomes_possible_and_when_it_ends() -> None:
    control = FakeControl(impersonations=FakeBook([RUNNING]))
    seen = widen.preview(*wide(control))
    assert shown(seen) == {"Mode": ("reads only", "reads and writes")}
    assert "12:30 UTC" in seen.sentence
    assert control.impersonations.widened == []
    done = widen.apply(*wide(control))
    assert (done.made, control.impersonations.widened) == (RUNNING.id, [(RUNNING.id, "req_1")])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (None, "no such"),
        (replace(RUNNING, staff=StaffId("stf_2")), "no such"),
        (replace(RUNNING, tenant=TenantId("ten_other")), "no such"),
        (replace(RUNNING, ended_by=ImpersonationEnd.HAND), "it was ended by hand"),
        (replace(RUNNING, last_used_at=NOON - timedelta(minutes=10), started_at=NOON - timedelta(minutes=10)), "over"),
        (replace(RUNNING, mode=Mode.WRITE), "writes already"),
    ],
)
def test_it_widens_only_ones_own_running_one(row: Impersonation | None, said: str) -> None:
    control = FakeControl(impersonations=FakeBook([] if row is None else [row]))
    for step in (widen.preview, widen.apply):
        assert said in fault_of(step, *wide(control))[1]
    assert control.impersonations.widened == []


def test_what_is_over_by_what_it_rests_on_or_was_faster_is_not_widened() -> None:
    gone = FakeControl(impersonations=FakeBook([RUNNING]), over=ImpersonationEnd.ROLE_LOST)
    assert "role" in fault_of(widen.apply, *wide(gone))[1]
    raced = FakeControl(impersonations=FakeBook([RUNNING], is_raced=True))
    assert "meanwhile" in fault_of(widen.apply, *wide(raced))[1]


def test_both_only_read_the_tenant_and_say_so() -> None:
    assert (start.ACTION.lands, widen.ACTION.lands) == (Landing.BOOKS, Landing.BOOKS)
