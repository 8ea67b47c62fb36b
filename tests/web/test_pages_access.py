"""The access desk: the register of overrides, recalculations of many tenants, and what the product is told."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.entries import SYSTEM_ACTOR, EntryDraft
from console.domain.import_entitlements import OverrideRecord
from console.domain.jobs import JobDraft
from console.domain.override_register import Registered
from console.domain.recalculations import SweepState
from console.usecases.keep_register import REGISTER_JOB
from console.usecases.run_jobs import run_due_jobs
from tests.databases import NOON
from tests.web.access_stage import planned_sweep
from tests.web.cast import PEOPLE, Cast
from tests.web.walks import FRAGMENT, opened
from tests.web.world import KESTREL, NORDWIND

DAY = timedelta(days=1)


def override(tenant: str, number: int, value: int, *, days: int, owner: str = "") -> OverrideRecord:
    return OverrideRecord(
        tenant=tenant, external_id=f"o{number}", feature="seats", value=value, label="Goodwill", reference="SUP-1",
        starts_at=NOON - DAY, until=NOON + days * DAY, ended_at=None, owner=owner,
    )  # fmt: skip


def registered(cast: Cast) -> None:
    """Bring three overrides, and let the register look at them."""
    with cast.storage.bulk.write() as unit:
        unit.put([
            override(NORDWIND, 1, 260, days=5, owner=PEOPLE["support_agent"].id),
            override(KESTREL, 2, 70, days=1),
            override(KESTREL, 3, 60, days=90, owner="stf_gone"),
        ])  # fmt: skip
        unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)
    with cast.house.store.write() as store:
        store.jobs.add(JobDraft(kind=REGISTER_JOB, key="test"), at=cast.clock.now())
    run_due_jobs(cast.house, worker="w1")


def test_it_shows_dates_owners_and_money_and_never_what_is_given(cast: Cast) -> None:
    registered(cast)
    lead = cast.sign_in("finance_lead")
    text = lead.get("/access?which=all").text
    assert text.count("Kestrel Labs") == 2
    assert "Nordwind Logistik GmbH" in text
    assert PEOPLE["support_agent"].name in text
    assert text.count("Not among active staff") == 1
    assert text.count("Nobody") == 1
    assert "money" in text
    for secret in ("260", "Goodwill", "SUP-1", "seats"):
        assert secret not in text.partition("<table")[2].partition("</table>")[0]
    assert 'href="/t/nordwind/entitlements"' in text
    assert cast.entries("access.read")


def test_it_says_of_what_a_silent_plane_keeps_when_it_was_read(cast: Cast) -> None:
    registered(cast)
    cast.clock.pass_by(hours=8)
    lead = cast.sign_in("finance_lead")
    stopped = lead.get("/access?which=all").text
    assert "No override was looked at for more than six hours" in stopped
    assert stopped.count("as of ") == 3
    with cast.house.store.write() as unit:
        row = unit.directory.by_slug("kestrel")
        assert row is not None
        unit.register.replace(row.id, [replace(each, checked_at=cast.clock.now()) for each in unit.register.of(row.id)])
    text = lead.get("/access?which=all").text
    assert "No answer from plane shared" in text
    assert "as they were read last" in text
    assert text.count("as of ") == 1
    assert "as of " in text.partition("Nordwind Logistik GmbH")[2].partition("</tr>")[0]
    cast.clock.pass_by(hours=17)
    lead = cast.sign_in("finance_lead")
    assert ">ended<" in lead.get("/access?which=all").text, "what is over by the clock is over, whoever is silent"


def test_a_long_register_is_turned_page_by_page(cast: Cast) -> None:
    now = cast.clock.now()
    with cast.house.store.read() as unit:
        row = unit.directory.by_slug("nordwind")
    assert row is not None
    many = [
        Registered(
            tenant=row.id, override=f"ovr_{at:03d}", starts_at=now, until=now + at * DAY, owner="", monthly_minor=0,
            currency="EUR", is_redundant=False, is_orphaned=False, checked_at=now - DAY,
        )
        for at in range(1, 121)
    ]  # fmt: skip
    with cast.house.store.write() as unit:
        unit.register.replace(row.id, many)
    lead, address, seen = cast.sign_in("finance_lead"), "/access?which=all", list[int]()
    while address:
        text = lead.get(address).text
        seen.append(text.partition("<tbody")[2].count("Nordwind Logistik GmbH"))
        assert ("From the first" in text) is (len(seen) > 1)
        assert len(text.encode()) < 60_000
        onward = re.search(r'rel="next" href="([^"]+)"', text)
        address = html.unescape(onward[1]) if onward else ""
    assert seen == [50, 50, 20]
    assert lead.get("/access?which=all&after=no-place").status_code == 200


@pytest.mark.parametrize(
    ("which", "names", "missing"),
    [
        ("ends_soon", ["Nordwind", "Kestrel"], []),
        ("no_owner", ["Kestrel"], ["Nordwind"]),
        ("orphaned", ["None outlived its subscription"], ["Nordwind", "Kestrel"]),
        ("something else", ["Nordwind", "Kestrel"], []),
    ],
)
def test_it_shows_what_needs_somebody(cast: Cast, which: str, names: list[str], missing: list[str]) -> None:
    registered(cast)
    text = cast.sign_in("support_lead").get(f"/access?which={which}").text.partition("<h1")[2]
    assert all(name in text for name in names)
    assert not [name for name in missing if name in text]


def test_it_lists_recalculations_and_what_may_be_done_about_each(cast: Cast) -> None:
    run = planned_sweep(cast)
    lead = cast.sign_in("support_lead")
    listed = lead.get("/access/recalculations").text
    assert run in listed
    assert "/actions/entitlement.plan_recalculation" in listed
    text = lead.get(f"/access/recalculations/{run}").text
    assert "Who loses something" in text
    assert f"/actions/entitlement.run_recalculation?run={run}" in text
    assert "entitlement.pause_recalculation" not in text
    paused = planned_sweep(cast, state=SweepState.PAUSED)
    text = lead.get(f"/access/recalculations/{paused}", headers=FRAGMENT).text
    assert f"/actions/entitlement.resume_recalculation?run={paused}" in text
    assert "entitlement.run_recalculation" not in text
    assert lead.get("/access/recalculations/acc_none").status_code == 404


def test_finance_looks_and_does_not_run(cast: Cast) -> None:
    run = planned_sweep(cast)
    text = cast.sign_in("finance").get(f"/access/recalculations/{run}").text
    assert "Who loses something" in text
    assert "entitlement.run_recalculation" not in text


def test_it_is_no_page_for_others_and_says_so_in_the_trail(cast: Cast) -> None:
    assert cast.sign_in("engineer").get("/access").status_code == 403
    assert cast.entries("access.read_refused")


def test_it_shows_what_the_product_is_told_beside_what_ought_to_be(cast: Cast) -> None:
    agent = opened(cast)
    text = agent.get("/t/nordwind/entitlements").text
    assert "What the product is told" in text
    assert "Nothing stored yet" in text
    assert "/t/nordwind/actions/entitlement.recalculate" in text
    assert "What the product is told" not in agent.get("/t/nordwind/entitlements?days=3").text
