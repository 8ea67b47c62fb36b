"""The demo as it stands before anybody has signed in: owners, findings, and the first journey still to be made."""

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest

from console.adapters.demo.generator import PLANES
from console.adapters.demo.staff import demo_environ, demo_staff
from console.adapters.demo.watched import CANARIES, PROTECTED, VENDOR
from console.app.building import Building, opened_building
from console.app.demo import fill
from console.domain.ids import ReasonCode
from console.domain.imports import tenant_id_of
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.staff import Actor, Role
from console.settings import load_settings
from console.usecases.keep_reconciling import start_nightly
from console.usecases.open_lease import open_lease
from console.usecases.reconciliation_work import RECONCILE_JOB
from console.usecases.watch_trail import watch_trail
from tests.databases import HandClock
from tests.integration.stage import book, rows
from tests.web.cast import PASSWORDS

TENANTS = 40
ACME = tenant_id_of("crm-000001")


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    settings = load_settings(demo_environ(tmp_path_factory.mktemp("demo"), planes=PLANES))
    with patch("console.app.building.Argon2Passwords", lambda: PASSWORDS):  # what hashing costs is no subject here
        fill(settings, demo_staff(), tenants=TENANTS)
        with opened_building(settings) as opened:
            yield opened


def told(building: Building, sql: str, *values: object) -> list[tuple[object, ...]]:
    """Return what the control store holds."""
    return rows(building.settings.database_url, sql, *values)


def test_it_has_something_true_for_finance_to_look_at(building: Building) -> None:
    states = [state for (state,) in told(building, "SELECT state FROM reconciliation")]
    assert len(states) > 5
    assert set(states) == {"done"}
    findings = told(building, "SELECT tenant, state FROM finding")
    assert {state for _tenant, state in findings} == {"open", "resolved"}
    assert len({tenant for tenant, _state in findings}) > 5


def test_the_customer_who_paid_is_still_locked_out(building: Building) -> None:
    assert told(building, "SELECT count(*) FROM finding WHERE tenant = ?", ACME) == [(0,)]
    mirrored = "SELECT status FROM plane_billing_object WHERE kind = 'subscription' AND tenant_id = ?"
    assert told(building, mirrored, ACME) == [("past_due",)]


def test_no_night_mends_it(building: Building) -> None:
    before = told(building, "SELECT count(*) FROM reconciliation")
    with building.house.store.read() as unit:
        job = unit.jobs.page(state=None, kind=RECONCILE_JOB, fingerprint=None, tenant=None, before=None, limit=1)[0]
    tonight = building.house.clock.now().replace(hour=building.house.book.reconciliation.nightly_hour_utc)
    start_nightly(replace(building.house, clock=HandClock(tonight)), job)
    assert told(building, "SELECT count(*) FROM reconciliation") == before


def test_a_vendors_agent_has_opened_the_protected_bank_and_it_waits_for_an_answer(building: Building) -> None:
    (found,) = told(building, "SELECT rule, subject, staff, state FROM signal")
    person = told(building, "SELECT name, vendor FROM staff WHERE id = ?", found[2])
    assert (found[0], found[3]) == ("vip_tenant", "open")
    assert person == [("Jonas Weber", VENDOR)]
    with building.house.store.read() as unit:
        assert unit.staff.vendors() == [(VENDOR, 1)]
        assert {row.slug for slug in (*PROTECTED, *CANARIES) if (row := unit.directory.by_slug(slug))} == (
            PROTECTED | CANARIES
        )


def test_whoever_opens_the_canary_is_frozen_at_once(building: Building) -> None:
    house = building.house
    with house.store.read() as unit:
        (canary,) = [row for slug in CANARIES if (row := unit.directory.by_slug(slug)) is not None]
        agent = next(each for each in unit.staff.eligible((Role.SUPPORT_AGENT,)) if each.vendor is None)
    actor = Actor(
        staff=agent.id, person=agent.person, name=agent.name, email=agent.email, roles=agent.roles, kind=agent.kind
    )
    reason = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48232")
    assert isinstance(open_lease(house, actor, tenant=canary.id, reason=reason, minutes=None), Lease)
    while building.sequencer.run_once() or watch_trail(house):
        pass
    with house.store.read() as unit:
        (freeze,) = unit.freezes.standing()
        assert unit.leases.open_on(agent.id, canary.id) is None
    assert (freeze.subject, freeze.set_by) == (agent.id, None)


def test_no_tenant_is_watched_by_name_outside_the_demo() -> None:
    assert {rule.tenants for rule in book().signals.values()} == {frozenset()}
