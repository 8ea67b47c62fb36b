"""The register of overrides over all planes: what each costs, who is reminded, page by page."""

from datetime import datetime

from console.domain.ids import TenantId
from console.domain.override_register import Registered
from console.ports.override_register import Which
from console.usecases.keep_register import REGISTER_JOB
from tests.integration.access_desk import DAY, Desk, desk
from tests.integration.stage import SEATS, tenant
from tests.web.cast import PEOPLE

__all__ = ["desk"]


def test_it_registers_every_override_with_its_cost_and_reminds_its_owner_once(desk: Desk) -> None:
    desk.override("shop1", SEATS + 50, until=6 * DAY)
    desk.override("shop2", SEATS, until=30 * DAY)
    desk.override("away", SEATS + 10)
    desk.job(REGISTER_JOB)
    found = {each.override: each for each in desk.registered()}
    assert list(found) == ["ovr_shop1_1", "ovr_shop2_1", "ovr_away_1"]
    assert [(each.monthly_minor, each.is_redundant) for each in found.values()] == [
        (50 * 900, False), (0, True), (10 * 900, False),
    ]  # fmt: skip
    assert [each.override for each in desk.registered(Which.ENDS_SOON)] == ["ovr_shop1_1"]
    assert [each.override for each in desk.registered(Which.REDUNDANT)] == ["ovr_shop2_1"]
    assert desk.registered(Which.NO_OWNER) == desk.registered(Which.ORPHANED) == []
    with desk.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["support_agent"].id, is_active=False, at=desk.clock.now())
    assert len(desk.registered(Which.NO_OWNER)) == 3
    with desk.stage.storage.store.write() as unit:
        unit.staff.set_active(PEOPLE["support_agent"].id, is_active=True, at=desk.clock.now())
    desk.job(REGISTER_JOB)
    with desk.stage.storage.store.read() as unit:
        told = unit.outbox.unread(PEOPLE["support_agent"].id, limit=10)
        assert unit.register.totals() == [("EUR", 2, 60 * 900)]
    assert [notice.kind for notice in told] == ["override_ends"]
    assert "Shop1 GmbH" in told[0].sentence
    desk.clock.pass_by(days=7)
    desk.job(REGISTER_JOB)
    assert [each.override for each in desk.registered()] == ["ovr_shop2_1", "ovr_away_1"]


def test_the_register_is_turned_page_by_page_and_misses_nothing(desk: Desk) -> None:
    now, acme, globex = desk.clock.now(), tenant("acme"), tenant("globex")
    ends = [None, now + DAY, now + DAY, None, now + 2 * DAY, now + 9 * DAY, None]
    rows = {
        who: [registered_row(who, f"ovr_{at}", until=until, now=now) for at, until in enumerate(ends)]
        for who in (acme, globex)
    }
    with desk.stage.storage.store.write() as unit:
        for who, registered in rows.items():
            unit.register.replace(who, registered)
    with desk.stage.storage.store.read() as unit:
        for which in (Which.ALL, Which.ENDS_SOON, Which.REDUNDANT):
            whole = unit.register.page(which, ends_before=now + 7 * DAY, after=None, limit=50)
            turned: list[Registered] = []
            while page := unit.register.page(which, ends_before=now + 7 * DAY, after=place(turned), limit=3):
                turned += page
            assert turned == list(whole)
            expected = [each for each in (*rows[acme], *rows[globex]) if is_part(each, which, now)]
            assert sorted(map(key, turned)) == sorted(map(key, expected))
            assert [each.until is None for each in turned] == sorted(each.until is None for each in turned)
        gone = unit.register.page(Which.ALL, ends_before=now, after=(acme, "ovr_gone"), limit=50)
        assert gone == unit.register.page(Which.ALL, ends_before=now, after=None, limit=50)


def registered_row(who: TenantId, override: str, *, until: datetime | None, now: datetime) -> Registered:
    return Registered(
        tenant=who, override=override, starts_at=now - DAY, until=until, owner="", monthly_minor=0, currency="EUR",
        is_redundant=override in {"ovr_0", "ovr_1", "ovr_5"}, is_orphaned=False, checked_at=now,
    )  # fmt: skip


def place(turned: list[Registered]) -> tuple[TenantId, str] | None:
    return key(turned[-1]) if turned else None


def key(each: Registered) -> tuple[TenantId, str]:
    return each.tenant, each.override


def is_part(each: Registered, which: Which, now: datetime) -> bool:
    if which is Which.REDUNDANT:
        return each.is_redundant
    return which is Which.ALL or (each.until is not None and each.until <= now + 7 * DAY)
