"""The books of the control store about staff and what they open, the same on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.errors import BadValueError, ConflictError, NotFoundError
from console.domain.ids import Digest, PersonKey, SessionKey, StaffId
from console.domain.leases import LeaseEnd
from console.domain.staff import Role, SignInMethod, StaffKind, StaffSession, StepUpMethod
from console.domain.tenancy import TenantStatus
from console.ports.leases import TenantBudget
from console.ports.staff import Credentials
from console.storage.house import Storage
from tests.conftest import NewDatabase
from tests.databases import ENGINES, NOON
from tests.integration.cast import ACME, ANNA, BERT, ZETA, hire, house, lease, member_of_staff, move_in, request


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Storage]:
    with house(request.param, tmp_path, pg_database) as opened:
        hire(opened)
        yield opened


def test_it_finds_staff_by_id_person_and_folded_address(storage: Storage) -> None:
    with storage.store.read() as unit:
        anna = unit.staff.get(ANNA)
        assert anna is not None
        assert anna == member_of_staff(ANNA, Role.SUPPORT_AGENT)
        assert unit.staff.by_person(anna.person) == anna
        assert unit.staff.by_email(" STF_ANNA@example.COM ") == anna
        assert unit.staff.get(StaffId("stf_nobody")) is None
        assert [member.id for member in unit.staff.page(after=None, limit=9)] == [ANNA, BERT]
        assert [member.id for member in unit.staff.page(after=ANNA, limit=9)] == [BERT]


def test_one_person_and_one_address_have_one_account(storage: Storage) -> None:
    twin = replace(member_of_staff(StaffId("stf_twin")), email="STF_ANNA@EXAMPLE.com")
    with storage.store.write() as unit:
        with pytest.raises(ConflictError):
            unit.staff.add(twin)
        with pytest.raises(ConflictError):
            unit.staff.add(replace(member_of_staff(StaffId("stf_2")), person=PersonKey(f"https://idp|{ANNA}")))
        with pytest.raises(ConflictError):
            unit.staff.set_profile(BERT, name="Bert", email="stf_anna@example.com")
        unit.staff.set_profile(BERT, name="Bertram", email="Bert@example.com")
    with storage.store.read() as unit:
        bert = unit.staff.by_email("bert@EXAMPLE.com")
        assert bert is not None
        assert bert.name == "Bertram"


def test_a_kept_role_keeps_its_date(storage: Storage) -> None:
    later = NOON + timedelta(days=1)
    with storage.store.write() as unit:
        unit.staff.set_roles(BERT, frozenset({Role.FINANCE, Role.ENGINEER}), at=later)
    with storage.store.read() as unit:
        assert unit.staff.granted_since(BERT, [Role.FINANCE]) == NOON
        assert unit.staff.granted_since(BERT, [Role.ENGINEER]) == later
        assert unit.staff.granted_since(BERT, [Role.FINANCE_LEAD]) is None
        bert = unit.staff.get(BERT)
        assert bert is not None
        assert bert.roles == {Role.FINANCE, Role.ENGINEER}


def test_only_active_persons_are_eligible(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.staff.add(member_of_staff(StaffId("stf_robot"), Role.FINANCE, kind=StaffKind.SERVICE))
        assert [member.id for member in unit.staff.eligible([Role.FINANCE, Role.ENGINEER])] == [BERT]
        unit.staff.set_active(BERT, is_active=False, at=NOON)
        assert not unit.staff.eligible([Role.FINANCE])
        with pytest.raises(NotFoundError):
            unit.staff.set_active(StaffId("stf_nobody"), is_active=True, at=NOON)


def test_a_time_step_is_accepted_once(storage: Storage) -> None:
    with storage.store.write() as unit:
        assert unit.staff.credentials(ANNA) is None
        unit.staff.set_credentials(ANNA, Credentials(password_hash="h", totp_sealed="s", totp_last_step=0))
        unit.staff.seen(ANNA, NOON)
        assert [unit.staff.accept_totp_step(ANNA, step) for step in (7, 7, 6, 8)] == [True, False, False, True]
        assert unit.staff.credentials(ANNA) == Credentials(password_hash="h", totp_sealed="s", totp_last_step=8)


def session_of(key: str) -> StaffSession:
    return StaffSession(
        key=SessionKey(key),
        staff=ANNA,
        signed_in_by=SignInMethod.PASSWORD,
        created_at=NOON,
        last_seen_at=NOON,
        not_after=NOON + timedelta(hours=8),
        stepped_up_at=None,
        stepped_up_by=None,
        revoked_at=None,
        ip="::1",
        agent="\U0001f98a",
        values={"csrf": "x", "flashes": [["info", "\u05d0"]]},
        idp_sid="sid",
    )


def test_sessions_rotate_with_their_leases_and_end(storage: Storage) -> None:
    old, new = SessionKey("a" * 64), SessionKey("b" * 64)
    with storage.store.write() as unit:
        unit.sessions.add(session_of(old))
        unit.leases.add(replace(lease(1), session=old))
        unit.sessions.touch(old, NOON + timedelta(minutes=2))
        unit.sessions.touch(old, NOON + timedelta(minutes=1))
        unit.sessions.step_up(old, by=StepUpMethod.TOTP, at=NOON)
        unit.sessions.save_values(old, {"csrf": "y"})
        unit.sessions.rotate(old, new)
    with storage.store.write() as unit:
        assert unit.sessions.get(old) is None
        assert unit.sessions.get(new) == replace(
            session_of(new),
            last_seen_at=NOON + timedelta(minutes=2),
            stepped_up_at=NOON,
            stepped_up_by=StepUpMethod.TOTP,
            values={"csrf": "y"},
        )
        assert [each.id for each in unit.leases.of_session(new)] == ["lea_1"]
        assert len(unit.sessions.live_of(ANNA, NOON)) == 1
        assert not unit.sessions.live_of(ANNA, NOON + timedelta(hours=8))
        assert [unit.sessions.revoke(new, NOON) for _ in range(2)] == [True, False]
        assert not unit.sessions.live_of(ANNA, NOON)
        with pytest.raises(NotFoundError):
            unit.sessions.rotate(old, new)


def test_leases_open_and_end_once(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.leases.add(lease(1))
        unit.leases.add(lease(2, at=NOON + timedelta(minutes=1)))
        unit.leases.add(lease(3, tenant=ZETA))
        unit.leases.touch(lease(1).id, NOON + timedelta(minutes=3))
        assert [each.id for each in unit.leases.open_of(ANNA)] == ["lea_2", "lea_3", "lea_1"]
        newest = unit.leases.open_on(ANNA, ACME)
        assert newest is not None
        assert newest.id == "lea_2"
        ended = [unit.leases.end(newest.id, by=by, at=NOON) for by in (LeaseEnd.HAND, LeaseEnd.TIME)]
        assert ended == [True, False]
        stored = unit.leases.get(newest.id)
        assert stored is not None
        assert stored.ended_by is LeaseEnd.HAND
        assert unit.leases.get(lease(1).id) == replace(lease(1), last_used_at=NOON + timedelta(minutes=3))


def test_overdue_leases_are_those_past_either_clock(storage: Storage) -> None:
    with storage.store.write() as unit:
        unit.leases.add(lease(1))
        unit.leases.add(lease(2))
        unit.leases.touch(lease(2).id, NOON + timedelta(minutes=10))

        def late(minutes: float) -> list[str]:
            return [each.id for each in unit.leases.overdue(NOON + timedelta(minutes=minutes), limit=9)]

        assert late(14.9) == []
        assert late(15) == ["lea_1"]
        assert late(60) == ["lea_1", "lea_2"]


def test_overdue_sessions_are_those_past_either_clock(storage: Storage) -> None:
    with storage.store.write() as unit:
        for key in ("quiet", "busy", "ended"):
            unit.sessions.add(session_of(key))
        unit.sessions.touch(SessionKey("busy"), NOON + timedelta(minutes=10))
        unit.sessions.revoke(SessionKey("ended"), NOON)

        def late(minutes: float) -> list[str]:
            now = NOON + timedelta(minutes=minutes)
            return [each.key for each in unit.sessions.overdue(now, idle_minutes=15, limit=9)]

        assert late(14.9) == []
        assert late(15) == ["quiet"]
        assert late(8 * 60) == ["busy", "quiet"]


def test_the_budget_counts_distinct_tenants(storage: Storage) -> None:
    now = NOON + timedelta(hours=3)
    with storage.store.write() as unit:
        unit.leases.lock_budget(ANNA)
        for number, (tenant, hours) in enumerate([(ACME, 0.0), (ACME, 2.5), (ZETA, 2.9)]):
            unit.leases.add(lease(number, tenant=tenant, at=NOON + timedelta(hours=hours)))
        unit.leases.top_up(ANNA, extra=3, until=now + timedelta(minutes=1), by=BERT, at=now)
        unit.leases.top_up(ANNA, extra=5, until=now, by=BERT, at=NOON)
        assert unit.leases.budget(ANNA, now) == TenantBudget(last_hour=2, last_day=2, extra=3)
        assert unit.leases.budget(ANNA, now + timedelta(hours=23)) == TenantBudget(last_hour=0, last_day=2, extra=0)
        assert unit.leases.budget(BERT, now) == TenantBudget(last_hour=0, last_day=0, extra=0)
        assert unit.leases.has_opened(ANNA, ZETA, NOON)
        assert not unit.leases.has_opened(ANNA, ZETA, now)


def test_throttles_hand_over_what_is_past(storage: Storage) -> None:
    with storage.store.write() as unit:
        for key, minutes in (("a", 0), ("a", 1), ("b", 1), ("a", 5)):
            unit.throttles.hit("flood", key, at=NOON + timedelta(minutes=minutes))
        unit.throttles.hit("other", "a", at=NOON)
    with storage.store.write() as unit:
        assert unit.throttles.take("flood", before=NOON + timedelta(minutes=5)) == {"a": 2, "b": 1}
        assert unit.throttles.take("flood", before=NOON + timedelta(minutes=5)) == {}
        assert unit.throttles.count("flood", "a", since=NOON) == 1
        assert unit.throttles.count("other", "a", since=NOON) == 1


def test_throttles_forget_keys_that_are_never_used_again(storage: Storage) -> None:
    late = NOON + timedelta(days=2, minutes=1)
    with storage.store.write() as unit:
        for number in range(5):
            unit.throttles.hit("sign_in", f"stranger {number}", at=NOON + timedelta(seconds=number))
        unit.throttles.hit("sign_in", "anna", at=NOON + timedelta(minutes=2))
    with storage.store.write() as unit:
        assert [unit.throttles.sweep(now=late, limit=3) for _ in range(3)] == [3, 2, 0]
        assert unit.throttles.count("sign_in", "anna", since=NOON) == 1
        assert unit.throttles.count("sign_in", "stranger 4", since=NOON) == 0


def test_throttles_count_and_forget(storage: Storage) -> None:
    with storage.store.write() as unit:
        for minutes in (0, 0, 5, 60 * 49):
            unit.throttles.hit("sign_in", "anna", at=NOON + timedelta(minutes=minutes))
        assert unit.throttles.count("sign_in", "anna", since=NOON) == 1
        for minutes, left in ((1, 1), (60 * 49, 0), (60 * 49, 0)):
            unit.throttles.take_back("sign_in", "anna", at=NOON + timedelta(minutes=minutes))
            assert unit.throttles.count("sign_in", "anna", since=NOON) == left
        unit.throttles.hit("sign_in", "anna", at=NOON)
        unit.throttles.clear("sign_in", "anna")
        assert unit.throttles.count("sign_in", "anna", since=NOON) == 0


def test_the_directory_follows_a_status(storage: Storage) -> None:
    move_in(storage)
    with storage.store.write() as unit:
        unit.directory.set_status(ACME, TenantStatus.SUSPENDED)
        rows = unit.directory.many([ACME, ZETA, ACME])
        assert {row.slug: row.status.value for row in rows.values()} == {"acme": "suspended", "zeta": "active"}
        assert unit.directory.by_slug("acme") == unit.directory.get(ACME) == rows[ACME]
        assert unit.directory.many([]) == {}
        with pytest.raises(NotFoundError):
            unit.directory.set_status(ZETA.replace("ten_", "ten_x"), TenantStatus.CLOSED)  # type: ignore[arg-type]


def test_text_that_a_database_cannot_hold_is_a_bad_value(storage: Storage) -> None:
    for wrong in ("a\x00b", "\ud800"):
        with storage.store.write() as unit:
            with pytest.raises(BadValueError):
                unit.staff.by_email(wrong)
            with pytest.raises(BadValueError):
                unit.directory.by_slug(wrong)
            with pytest.raises(BadValueError):
                unit.throttles.hit("x", wrong, at=NOON)
            unit.throttles.hit("x", "fine", at=NOON)
    with storage.store.read() as unit:
        assert unit.throttles.count("x", "fine", since=NOON) == 2


def test_a_moment_needs_a_time_zone(storage: Storage) -> None:
    with storage.store.write() as unit, pytest.raises(Exception, match="time zone"):
        unit.throttles.hit("x", "y", at=NOON.replace(tzinfo=None))


def test_params_that_hold_nul_are_kept_as_they_are(storage: Storage) -> None:
    odd = replace(request(1), params={"text": "a\x00b"}, digest=Digest("x"))
    with storage.store.write() as unit:
        unit.requests.add(odd)
        stored = unit.requests.get(odd.id)
        assert stored is not None
        assert stored.params == odd.params
