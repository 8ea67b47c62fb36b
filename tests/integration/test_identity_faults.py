"""Who comes to the door: what an identity provider says of people we know, and sessions that are not there any more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ImpersonationId, MemberId, SessionKey
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.leases import Lease
from console.domain.staff import Actor, Origin, Role, SignInMethod, StaffKind, StaffMember
from console.ports.identity import Claims
from console.ports.store import ControlUnit
from console.storage.sessions import StoredSessions
from console.usecases.control_tools import UnitTools
from console.usecases.follow_identity import followed
from console.usecases.house import House
from console.usecases.keep_time import end_overdue
from console.usecases.open_lease import open_lease
from console.usecases.own_sessions import revoke_session
from console.usecases.read_freezes import FreezesPage, read_freezes
from console.usecases.refuse_at_the_door import refuse_at_the_door
from console.usecases.rotate_product_key import rotate_product_key
from console.usecases.set_credentials import lacks_password
from console.usecases.sign_in import SignedIn, sign_in_with_identity, sign_out
from console.usecases.start_house import _loaded
from console.usecases.step_up import step_up_with_code
from tests.databases import HandClock
from tests.integration.overtaking import overtake
from tests.integration.stage import CONTRACT, Stage, behind, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import PEOPLE

FROM = Origin(ip="192.0.2.9")
SUPPORT, FINANCE, NORTHWIND = "sallyport-support-agents", "sallyport-finance", "sallyport-vendor-northwind"
DANA = Claims(
    issuer="https://idp.example", subject="dana", name="Dana Klein", email="dana@brightline.example",
    groups=frozenset({SUPPORT}), acr="mfa", authenticated_at=HandClock().now(), sid="idp-1",
)  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    url, planes = new_urls("sqlite", tmp_path, str)
    with opened_stage(url, planes, clock=HandClock()) as made:
        settle_in(made, ["acme"])
        yield made


def comes(stage: Stage, **changed: Any) -> SignedIn:  # noqa: ANN401  fields of Claims
    answer = sign_in_with_identity(stage.house, claims=replace(DANA, **changed), origin=FROM)
    assert isinstance(answer, SignedIn), answer
    return answer


def seated(signed: SignedIn, at: datetime) -> Actor:
    """Return whoever has just signed in."""
    member = signed.member
    return Actor(
        staff=member.id, person=member.person, name=member.name, email=member.email, roles=member.roles,
        kind=StaffKind.PERSON, session=signed.session.key, signed_in_by=SignInMethod.OIDC, stepped_up_at=at,
    )  # fmt: skip


def test_nobody_comes_in_whose_groups_give_no_role(stage: Stage) -> None:
    answer = sign_in_with_identity(stage.house, claims=replace(DANA, groups=frozenset({"everybody"})), origin=FROM)
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.ROLE_MISSING
    assert (stage.entries("staff.created"), stage.entries("staff.sign_in_refused")) == (0, 1)


def test_nobody_comes_in_who_is_deactivated_in_the_same_moment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    known = comes(stage).member

    def overtaken(house: House, unit: ControlUnit, claims: Claims, **named: Any) -> StaffMember | None:  # noqa: ANN401
        found = followed(house, unit, claims, **named)
        unit.staff.set_active(known.id, is_active=False, at=house.clock.now())
        return found

    monkeypatch.setattr("console.usecases.sign_in.followed", overtaken)
    answer = sign_in_with_identity(stage.house, claims=DANA, origin=FROM)
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.SIGN_IN_REFUSED
    assert [stage.entries(f"staff.{what}") for what in ("sign_in", "sign_in_refused")] == [1, 1]
    assert stage.count("SELECT count(*) FROM staff_session WHERE staff = ?", known.id) == 1


def test_roles_vendor_and_name_follow_what_the_identity_provider_says_now(stage: Stage) -> None:
    first = comes(stage).member
    assert (first.roles, first.vendor) == (frozenset({Role.SUPPORT_AGENT}), None)
    again = comes(stage, groups=frozenset({FINANCE, NORTHWIND}), name="Dana Brandt", email="dana.b@brightline.example")
    found = again.member
    assert (found.id, found.roles, found.vendor) == (first.id, frozenset({Role.FINANCE}), "northwind")
    assert (found.name, found.email) == ("Dana Brandt", "dana.b@brightline.example")
    assert [stage.entries(f"staff.{what}") for what in ("created", "roles_changed", "vendor_changed")] == [1, 1, 1]
    comes(stage, groups=frozenset({FINANCE}))
    with stage.storage.store.read() as unit:
        member = unit.staff.get(first.id)
    assert member is not None
    assert (member.vendor, stage.entries("staff.vendor_changed")) == (None, 2)


def test_a_role_that_was_lost_at_the_identity_provider_ends_what_rested_on_it(stage: Stage) -> None:
    now, signed = stage.house.clock.now(), comes(stage)
    lease = open_lease(stage.house, seated(signed, now), tenant=tenant("acme"), reason=CONTRACT, minutes=None)
    assert isinstance(lease, Lease), lease
    acting = Impersonation(
        id=ImpersonationId("imp_1"), staff=lease.staff, session=signed.session.key, lease=lease.id,
        tenant=tenant("acme"), member=MemberId("mem_1"), mode=Mode.READ, reason=lease.reason, request=None,
        widened_by=None, started_at=now, last_used_at=now, not_after=now + timedelta(minutes=30), idle_minutes=10,
        ended_at=None, ended_by=None,
    )  # fmt: skip
    with stage.house.store.write() as unit:
        assert unit.impersonations.add(acting)
    comes(stage, groups=frozenset({FINANCE}))
    with stage.house.store.read() as unit:
        ended = unit.impersonations.get(acting.id)
    assert ended is not None
    assert ended.ended_by is ImpersonationEnd.ROLE_LOST


def test_who_has_no_one_time_code_does_not_step_up_by_one(stage: Stage) -> None:
    me = seated(comes(stage), stage.house.clock.now())
    answer = step_up_with_code(stage.house, me, code="123456")
    assert isinstance(answer, Deny)
    assert stage.entries("step_up.refused") == 1


def test_without_a_session_nobody_steps_up_or_signs_out(stage: Stage) -> None:
    at_the_shell = stage.actor("engineer")
    assert isinstance(step_up_with_code(stage.house, at_the_shell, code="123456"), Deny)
    sign_out(stage.house, at_the_shell)
    assert stage.entries("staff.sign_out") == 0


def test_whoever_was_signed_out_meanwhile_is_signed_out_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    me = seated(comes(stage), stage.house.clock.now())
    overtake(monkeypatch, StoredSessions, "revoke")
    sign_out(stage.house, me)
    assert stage.entries("staff.sign_out") == 0


def test_a_session_that_somebody_else_ended_is_ended_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = comes(stage)
    tools_of = stage.actor("administrator")
    overtake(monkeypatch, StoredSessions, "revoke")
    with stage.house.store.write() as unit:
        tools = UnitTools(house=stage.house, unit=unit, actor=tools_of, tenant=None)
        assert tools.end_sessions_of(signed.member.id, at=stage.house.clock.now()) == 0
    assert stage.entries("session.revoked") == 0


def test_a_session_that_somebody_ended_as_its_time_ran_out_has_not_expired(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes(stage)
    stage.house.clock.pass_by(days=2)  # type: ignore[attr-defined]  # the hand clock
    overtake(monkeypatch, StoredSessions, "revoke")
    end_overdue(stage.house)
    assert stage.entries("session.expired") == 0


def test_at_the_shell_nobody_ends_sessions_of_a_browser_and_the_try_is_recorded(stage: Stage) -> None:
    operator = replace(stage.actor("engineer"), kind=StaffKind.OPERATOR)
    assert isinstance(revoke_session(stage.house, operator, key=SessionKey("x")), Deny)
    assert stage.entries("route.refused") == 1


def test_where_nobody_signs_in_by_password_nobody_lacks_one(stage: Stage) -> None:
    asked = {"email": PEOPLE["engineer"].email, "person": ""}
    assert lacks_password(stage.house, email="new@brightline.example", person="")
    assert not lacks_password(behind(stage, local_passwords=False), **asked)
    assert not lacks_password(behind(stage, local_passwords=False), email="new@brightline.example", person="")


def test_the_kill_switch_is_no_page_for_everybody(stage: Stage) -> None:
    nobody = replace(stage.actor("finance"), roles=frozenset())
    assert isinstance(read_freezes(stage.house, nobody), Deny)
    assert (stage.entries("freeze.read"), stage.entries("freeze.read_refused")) == (0, 1)
    assert isinstance(read_freezes(stage.house, stage.actor("on_call")), FreezesPage)


def test_only_the_operator_at_the_shell_gives_tokens_a_new_key(stage: Stage) -> None:
    before = stage.house.product.keys.published()  # type: ignore[union-attr]
    for who in ("administrator", "engineer", "on_call"):
        assert isinstance(rotate_product_key(stage.house, stage.actor(who)), Deny)
    assert (stage.entries("product.rotate_refused"), stage.entries("product.key_rotated")) == (3, 0)
    assert stage.house.product.keys.published() == before  # type: ignore[union-attr]


def test_the_gate_records_only_what_is_a_refusal_of_the_gate(stage: Stage) -> None:
    with pytest.raises(ValueError, match=r"^lease\.open$"):
        refuse_at_the_door(stage.house, None, action="lease.open", code=None, origin=FROM)
    assert stage.entries("lease.open") == 0


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"facts":null}', b'{"facts":[]}'])
def test_an_entry_that_says_no_version_keeps_no_house_from_opening(body: bytes) -> None:
    assert _loaded(body) is None
    assert _loaded(b'{"facts":{"rules":7,"version":"v1"}}') == ("v1", 7)


def test_without_a_tenant_no_row_of_the_directory_moves(stage: Stage) -> None:
    with stage.house.store.write() as unit:
        tools = UnitTools(house=stage.house, unit=unit, actor=stage.actor("support_lead"), tenant=None)
        tools.set_directory_status("suspended")
    assert stage.count("SELECT count(*) FROM directory_tenant WHERE status = 'suspended'") == 0
