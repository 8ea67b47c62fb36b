"""The register of overrides where planes, tenants and owners are out of reach: what was read last stays, as of then."""

import pytest

from console.domain.ids import TenantId
from console.domain.tenancy import TenantScope
from console.ports.override_register import AccessFleet, Overridden
from console.usecases import keep_register
from console.usecases.keep_register import REGISTER_JOB
from tests.integration.access_desk import DAY, Desk
from tests.integration.stage import SEATS, behind, rows, tenant
from tests.integration.test_access_job_faults import desk, silence
from tests.web.cast import PEOPLE

__all__ = ["desk"]


class DeafFleet:
    """A fleet that the planes elsewhere do not answer."""

    def __init__(self, desk: Desk) -> None:
        self._fleet: AccessFleet = desk.stage.house.access_fleet
        self._silent = frozenset({desk.plane("away")})

    def with_overrides(self, *, after: TenantId | None, limit: int) -> Overridden:
        told = self._fleet.with_overrides(after=after, limit=limit)
        heard = [each for each in told.tenants if each != tenant("away")]
        return Overridden(tenants=heard, silent=self._silent)


def looked(desk: Desk) -> dict[str, bool]:
    """Let a round look at the tenants; return what is registered, and whether it was read in this round."""
    desk.clock.pass_by(hours=6)
    began = desk.clock.now()
    desk.job(REGISTER_JOB)
    for _ in range(6):
        desk.work()
    return {each.override: each.checked_at >= began for each in desk.registered()}


def test_the_register_is_kept_slice_by_slice_and_leaves_who_is_out_of_reach_as_they_were(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug in ("shop1", "shop2", "away"):
        desk.override(slug, SEATS + 50, until=30 * DAY)
    desk.job(REGISTER_JOB)
    before = {each.override: each.checked_at for each in desk.registered()}
    desk.clock.pass_by(hours=6)
    silence(desk)
    monkeypatch.setattr(keep_register, "_TENANTS", 1)
    desk.job(REGISTER_JOB)
    for _ in range(6):
        desk.work()
    after = {each.override: each.checked_at for each in desk.registered()}
    assert set(after) == set(before)
    assert [after[each] > before[each] for each in ("ovr_shop1_1", "ovr_shop2_1", "ovr_away_1")] == [True, True, False]


@pytest.mark.parametrize("who", ["planes", "fleet"])
def test_a_plane_that_is_silent_for_days_keeps_its_rows_as_of_when_they_were_read(desk: Desk, who: str) -> None:
    for slug in ("shop1", "away"):
        desk.override(slug, SEATS + 50, until=30 * DAY)
    looked(desk)
    usual = desk.house
    if who == "planes":
        silence(desk)
    else:
        desk.house = behind(desk.stage, access_fleet=DeafFleet(desk))
    for _ in range(3):
        desk.clock.pass_by(days=1)
        assert looked(desk) == {"ovr_shop1_1": True, "ovr_away_1": False}
    desk.house = usual
    assert looked(desk) == {"ovr_shop1_1": True, "ovr_away_1": True}


def test_a_silent_plane_is_asked_once_in_a_slice_and_not_for_each_of_its_tenants(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug in ("shop1", "away"):
        desk.override(slug, SEATS + 50, until=30 * DAY)
    rows(desk.stage.url, "UPDATE directory_tenant SET plane = ? WHERE id = ?", desk.plane("away"), tenant("shop1"))
    silence(desk)
    asked, read = list[object](), desk.house.planes.read

    def counted(scope: TenantScope) -> object:
        asked.append(scope)
        return read(scope)

    monkeypatch.setattr(desk.house.planes, "read", counted)
    assert (looked(desk), len(asked)) == ({}, 1)


def test_what_ended_or_is_of_no_tenant_any_more_leaves_the_register_in_the_next_round(desk: Desk) -> None:
    for slug in ("shop1", "shop2", "shop3", "shop4"):
        desk.override(slug, SEATS + 50, until=30 * DAY)
    looked(desk)
    rows(desk.stage.url, "DELETE FROM plane_account WHERE tenant_id = ?", tenant("shop4"))
    ended = "UPDATE plane_entitlement_override SET ended_at = starts_at WHERE tenant_id = ?"
    rows(desk.stage.url, ended, tenant("shop1"))
    rows(desk.stage.url, "DELETE FROM directory_key WHERE tenant_id = ?", tenant("shop2"))
    rows(desk.stage.url, "DELETE FROM directory_tenant WHERE id = ?", tenant("shop2"))
    assert looked(desk) == {"ovr_shop3_1": True}


def test_what_lies_on_a_plane_that_nobody_here_knows_stays_as_it_was_read(desk: Desk) -> None:
    desk.override("shop1", SEATS + 50, until=30 * DAY)
    looked(desk)
    rows(desk.stage.url, "UPDATE directory_tenant SET plane = 'nowhere' WHERE id = ?", tenant("shop1"))
    assert looked(desk) == {"ovr_shop1_1": False}


def test_nobody_is_reminded_of_what_they_owned_before_they_left(desk: Desk) -> None:
    desk.override("shop1", SEATS + 50, until=6 * DAY)
    with desk.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["support_agent"].id, is_active=False, at=desk.clock.now())
    desk.job(REGISTER_JOB)
    (row,) = desk.registered()
    with desk.stage.storage.store.read() as unit:
        assert unit.outbox.unread(PEOPLE["support_agent"].id, limit=10) == []
    assert row.reminded_at is None, "whoever takes it over is still to be told"
