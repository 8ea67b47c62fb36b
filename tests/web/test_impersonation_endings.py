"""Each cause that ends an impersonation is effective at the very next call of the product, and told by an entry."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId, ReasonCode, TenantId
from console.domain.impersonations import ImpersonationEnd
from console.domain.imports import tenant_id_of
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.staff import Role
from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule
from tests.conftest import NewDatabase
from tests.web.cast import PEOPLE, Browser, Cast, on_stage, peopled_url
from tests.web.product_stage import Entered, Kit, entered, rehoused
from tests.web.world import NORDWIND

AGENT = PEOPLE["support_agent"].id


class Answering:
    """A ticket system that says one thing of everything."""

    def __init__(self, verdict: ReferenceVerdict) -> None:
        self._verdict = verdict

    def verdict(self, *, kind: str, reference: str, tenant: TenantId) -> ReferenceVerdict:
        assert (kind, reference) == ("ticket", "ZD-48213")
        assert tenant
        return self._verdict


def by_hand(cast: Cast, agent: Browser, inside: Entered) -> None:
    assert agent.post(f"/impersonations/{inside.sid}/end").status_code == 303


def by_time(cast: Cast, agent: Browser, inside: Entered) -> None:
    cast.clock.pass_by(minutes=8)


def by_idling(cast: Cast, agent: Browser, inside: Entered) -> None:
    cast.clock.pass_by(minutes=10)


def by_lease(cast: Cast, agent: Browser, inside: Entered) -> None:
    with cast.house.store.read() as unit:
        (lease,) = unit.leases.open_of(AGENT)
    assert agent.post(f"/leases/{lease.id}/end").status_code == 303


def by_role(cast: Cast, agent: Browser, inside: Entered) -> None:
    with cast.house.store.write() as unit:
        unit.staff.set_roles(AGENT, frozenset({Role.FINANCE}), at=cast.clock.now())


def by_one_role_too_many(cast: Cast, agent: Browser, inside: Entered) -> None:
    roles = frozenset({Role.SUPPORT_AGENT, Role.SECURITY_AUDITOR})
    with cast.house.store.write() as unit:
        unit.staff.set_roles(AGENT, roles, at=cast.clock.now())


def by_deactivation(cast: Cast, agent: Browser, inside: Entered) -> None:
    with cast.house.store.write() as unit:
        unit.staff.set_active(AGENT, is_active=False, at=cast.clock.now())


def by_sign_out(cast: Cast, agent: Browser, inside: Entered) -> None:
    assert agent.post("/sign-out").status_code == 303


def by_ticket(cast: Cast, agent: Browser, inside: Entered) -> None:
    rehoused(cast, tickets=Answering(ReferenceVerdict.CLOSED))


def by_a_ticket_that_is_gone(cast: Cast, agent: Browser, inside: Entered) -> None:
    rehoused(cast, tickets=Answering(ReferenceVerdict.UNKNOWN))


def by_tenant(cast: Cast, agent: Browser, inside: Entered) -> None:
    refuses = AccessPolicy(impersonation=ImpersonationRule.REFUSED)
    with cast.house.store.write() as unit:
        assert unit.access_policies.put(tenant_id_of(NORDWIND), refuses, by="m", at=cast.clock.now())


def by_member(cast: Cast, agent: Browser, inside: Entered) -> None:
    event = {"id": "evt-1", "kind": "member.deleted", "tenant": NORDWIND, "member": "nordwind-m2",
             "at": "2026-11-21T12:00:00Z"}  # fmt: skip
    assert Kit(cast).call("/product/events", document=event).status_code == 200


def by_freeze(cast: Cast, agent: Browser, inside: Entered) -> None:
    freeze = Freeze(
        id=FreezeId("frz_1"), scope=FreezeScope.ALL, subject="", name="everything", is_drill=False,
        reason=Reason(code=ReasonCode("CONTAINMENT"), reference="INC-2301"), set_by=PEOPLE["on_call"].id,
        set_at=cast.clock.now(),
    )  # fmt: skip
    with cast.house.store.write() as unit:
        unit.freezes.add(freeze)


Cause = Callable[[Cast, Browser, Entered], None]
CAUSES: Mapping[Cause, ImpersonationEnd] = {
    by_hand: ImpersonationEnd.HAND,
    by_time: ImpersonationEnd.TIME,
    by_idling: ImpersonationEnd.IDLE,
    by_lease: ImpersonationEnd.LEASE_END,
    by_role: ImpersonationEnd.ROLE_LOST,
    by_one_role_too_many: ImpersonationEnd.ROLE_LOST,
    by_deactivation: ImpersonationEnd.DEACTIVATED,
    by_sign_out: ImpersonationEnd.SIGN_OUT,
    by_ticket: ImpersonationEnd.TICKET_CLOSED,
    by_a_ticket_that_is_gone: ImpersonationEnd.TICKET_CLOSED,
    by_tenant: ImpersonationEnd.OPTED_OUT,
    by_member: ImpersonationEnd.MEMBER_RESET,
    by_freeze: ImpersonationEnd.FROZEN,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def cast(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Cast]:
    with on_stage(peopled_url(request.param, tmp_path / "cast.db", pg_database)) as cast:
        yield cast


def test_every_ending_has_its_cause() -> None:
    assert set(CAUSES.values()) == set(ImpersonationEnd)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_the_next_introspection_is_refused(cast: Cast, cause: Cause) -> None:
    agent = cast.sign_in("support_agent")
    kit, inside = Kit(cast), entered(cast, agent, minutes=8 if cause is by_time else 30)
    assert kit.introspect(inside.token)["active"]
    agent.get("/account")
    cause(cast, agent, inside)
    word = CAUSES[cause]
    found = kit.introspect(inside.token)
    assert (found["active"], found["ended_by"], found["sentence"]) == (False, word.value, word.sentence)
    told = cast.entries("impersonation.ended" if word is ImpersonationEnd.HAND else "impersonation.expired")
    assert [(entry["facts"]["because"], entry["correlation"]) for entry in told] == [(word.value, inside.sid)]
    refused = cast.entries("impersonation.refused")
    assert [(entry["error"], entry["outcome"], entry["actor"]["kind"]) for entry in refused] == [
        (word.value, "denied", "service")
    ]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_no_token_is_given_for_the_one_before(cast: Cast, cause: Cause) -> None:
    agent = cast.sign_in("support_agent")
    kit, inside = Kit(cast), entered(cast, agent, minutes=8 if cause is by_time else 30)
    agent.get("/account")
    cause(cast, agent, inside)
    answer = kit.renew(inside.token)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert cast.count("impersonation.refused") == 1
    assert cast.count("impersonation.renewed") == 0


@pytest.mark.parametrize(("seconds", "active"), [(599, True), (600, False), (601, False)])
def test_it_idles_out_to_the_second(cast: Cast, seconds: int, active: bool) -> None:
    kit, inside = Kit(cast), entered(cast, cast.sign_in("support_agent"))
    cast.clock.pass_by(seconds=240)
    token = kit.renew(inside.token).get_json()["access_token"]
    cast.clock.pass_by(seconds=240)
    token = kit.renew(token).get_json()["access_token"]  # a token that is fetched by itself is no activity
    cast.clock.pass_by(seconds=seconds - 480)
    assert kit.introspect(token)["active"] is active


@pytest.mark.parametrize(("seconds", "active"), [(479, True), (480, False), (481, False)])
def test_it_ends_at_its_time_to_the_second_however_busy(cast: Cast, seconds: int, active: bool) -> None:
    kit, inside = Kit(cast), entered(cast, cast.sign_in("support_agent"), minutes=8)
    cast.clock.pass_by(seconds=200)
    assert kit.introspect(inside.token, activity=True)["active"]
    token = kit.renew(inside.token).get_json()["access_token"]
    cast.clock.pass_by(seconds=seconds - 200)
    assert kit.introspect(token, activity=True)["active"] is active


def test_work_in_the_product_keeps_lease_and_session_from_idling(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    kit, inside = Kit(cast), entered(cast, agent)
    token = inside.token
    for _ in range(7):
        cast.clock.pass_by(minutes=4)
        token = kit.renew(token).get_json()["access_token"]
        assert kit.introspect(token, activity=True)["active"]
    assert agent.get("/account").status_code == 200
    cast.clock.pass_by(minutes=2)
    assert kit.introspect(token)["ended_by"] == "time"


def test_an_end_is_written_once_whoever_asks_first(cast: Cast) -> None:
    kit, inside = Kit(cast), entered(cast, cast.sign_in("support_agent"))
    cast.clock.pass_by(minutes=10)
    assert [kit.introspect(inside.token)["ended_by"] for _ in range(3)] == ["idle"] * 3
    assert cast.count("impersonation.expired") == 1
    assert cast.count("impersonation.refused") == 3


def test_a_clock_that_went_back_ends_it(cast: Cast) -> None:
    kit, inside = Kit(cast), entered(cast, cast.sign_in("support_agent"))
    cast.clock.pass_by(seconds=-3)
    assert kit.introspect(inside.token)["ended_by"] == "time"
