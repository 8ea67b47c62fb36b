"""What decides entitlements, brought by an import and read under a scope, on every kind of plane."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.effective_set import effective, effective_of
from console.domain.entitlements import Access, Combining, ConditionKind, Entitlement, Grant, GrantSource, Op
from console.domain.entries import SYSTEM_ACTOR, EntryDraft
from console.domain.ids import TenantId
from console.domain.import_entitlements import (
    ConditionRecord,
    ContractRecord,
    FeatureRecord,
    OverrideRecord,
    PlanVersionEntitlementRecord,
    PlanVersionRecord,
    TrialRecord,
    UsageRecord,
)
from console.domain.imports import Record
from console.domain.tenancy import TenantStatus
from tests import postgres
from tests.databases import NOON
from tests.integration.plane_houses import KINDS, PlaneHouse, plane_house

DAY = timedelta(days=1)


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PlaneHouse]:
    names: list[str] = []

    def create(template: str) -> str:
        names.append(f"test_entitle_{os.getpid()}_{len(names)}")
        return postgres.create_database(names[-1], template)

    with plane_house(request.param, tmp_path, create) as opened:
        yield opened
    for name in names:
        postgres.drop_database(name)


def bring(house: PlaneHouse, *records: Record) -> None:
    with house.storage.bulk.write() as unit:
        unit.put(records)
        unit.trail.emit(EntryDraft(action="directory.imported", actor=SYSTEM_ACTOR), at=NOON)


def external(house: PlaneHouse) -> str:
    """Return Acme's own id in the product: views are joined by number."""
    return "1" if house.add_on_id == "1" else "acme"


def seats(house: PlaneHouse, tenant: TenantId, *, after: timedelta = timedelta()) -> Entitlement:
    with house.write(tenant) as plane:
        found = effective_of("seats", plane.inputs(), NOON + after)
    assert found is not None
    return found


def test_it_gives_the_version_of_the_plan_that_holds(house: PlaneHouse) -> None:
    bring(
        house,
        PlanVersionRecord(plan="pro", version=1, starts_at=NOON - DAY, until=None),
        PlanVersionRecord(plan="pro", version=2, starts_at=NOON + DAY, until=None),
        PlanVersionEntitlementRecord(plan="pro", version=1, feature="seats", value=7),
        PlanVersionEntitlementRecord(plan="pro", version=2, feature="seats", value=9),
    )
    now, later, before = (seats(house, house.acme, after=after) for after in (0 * DAY, DAY, -2 * DAY))
    assert (before.value, now.value, later.value) == (25, 27, 29)
    assert (now.winners[0].label, now.winners[0].version) == ("Pro, version 1", 1)
    assert now.valid_until == NOON + DAY


def test_it_gives_what_was_signed_tried_and_overridden_to_that_tenant_alone(house: PlaneHouse) -> None:
    mine = external(house)
    bring(
        house,
        PlanVersionRecord(plan="pro", version=3, starts_at=NOON - DAY, until=None),
        PlanVersionEntitlementRecord(plan="pro", version=3, feature="seats", value=8),
        ContractRecord(
            tenant=mine, external_id="c1", label="Contract C-1", plan="pro", version=0, starts_at=NOON - 2 * DAY,
            until=NOON + 5 * DAY,
        ),
        TrialRecord(
            tenant=mine, external_id="t1", feature="seats", value=100, label="Trial", starts_at=NOON, until=NOON + DAY
        ),
        OverrideRecord(
            tenant=mine, external_id="o1", feature="seats", value=1_000, label="Goodwill", reference="SUP-1",
            starts_at=NOON, until=NOON + DAY, ended_at=None, op="add", owner="kim",
        ),
        UsageRecord(tenant=mine, feature="seats", used=1_100, starts_at=NOON - DAY, until=None, as_of=NOON),
    )  # fmt: skip
    found = seats(house, house.acme)
    assert (found.value, found.access) == (5 + 20 + 100 + 1_000, Access.GRANTED)
    assert [(grant.source, grant.owner) for grant in found.winners][-1] == (GrantSource.OVERRIDE, "kim")
    assert {lost.why for lost in found.losers} == {"Contract C-1 decides instead of the plan"}
    assert seats(house, house.acme, after=DAY).access is Access.HARD_EXCEEDED
    other = seats(house, house.zeta)
    assert (other.value, other.usage) == (8 + 20, None)


def test_it_signs_a_version_that_no_longer_holds(house: PlaneHouse) -> None:
    bring(
        house,
        PlanVersionRecord(plan="pro", version=1, starts_at=NOON - 9 * DAY, until=NOON - 8 * DAY),
        PlanVersionEntitlementRecord(plan="pro", version=1, feature="seats", value=3),
        ContractRecord(
            tenant=external(house), external_id="c1", label="Contract C-1", plan="pro", version=1, starts_at=NOON,
            until=None,
        ),
    )  # fmt: skip
    assert seats(house, house.acme).value == 3 + 20


def test_it_freezes_and_blocks_for_a_cause_until_its_end(house: PlaneHouse) -> None:
    mine = external(house)
    bring(
        house,
        ConditionRecord(
            tenant=mine, external_id="x1", condition="blocked", cause="Fraud review", starts_at=NOON, until=NOON + DAY
        ),
        ConditionRecord(
            tenant=mine, external_id="x2", condition="read_only", cause="Move", starts_at=NOON, until=NOON + 2 * DAY
        ),
    )
    blocked, frozen, free = (seats(house, house.acme, after=after) for after in (0 * DAY, DAY, 2 * DAY))
    assert (blocked.value, blocked.blocked_by and blocked.blocked_by.cause) == (0, "Fraud review")
    assert (frozen.value, frozen.hard, frozen.frozen_by and frozen.frozen_by.kind) == (25, 0, ConditionKind.READ_ONLY)
    assert (free.value, free.access) == (25, Access.GRANTED)
    assert seats(house, house.zeta).blocked_by is None


def test_it_blocks_a_suspended_account(house: PlaneHouse) -> None:
    with house.write(house.acme) as plane:
        plane.set_status(TenantStatus.SUSPENDED, because="unpaid", version=1)
    found = seats(house, house.acme)
    assert (found.access, found.blocked_by and found.blocked_by.cause) == (Access.DENIED, "unpaid")


def test_it_keeps_kind_and_owner_of_an_override(house: PlaneHouse) -> None:
    grant = Grant(
        source=GrantSource.OVERRIDE, id="ovr_1", label="No seats", feature="seats", value=0, starts_at=NOON,
        until=NOON + DAY, reference="R-1", op=Op.DENY, owner="stf_kim",
    )  # fmt: skip
    with house.write(house.acme) as plane:
        plane.add_override(grant, by="stf_noor", at=NOON)
        assert plane.grants("seats")[-1] == grant
        assert effective(plane.inputs(), NOON)[0].access is Access.DENIED


def test_it_reads_the_rule_of_a_feature_beside_its_row(house: PlaneHouse) -> None:
    bring(
        house,
        FeatureRecord(
            key="seats", name="Seats", measure="limit", unit="seats", unit_price_minor=500, currency="EUR",
            combining="max", default_value=2, hard_percent=150, options=("a", "b"), owner="billing",
        ),
    )  # fmt: skip
    with house.write(house.acme) as plane:
        feature = plane.features()[0]
    assert (feature.combining, feature.default, feature.hard_percent) == (Combining.MAX, 2, 150)
    assert (feature.options, feature.owner) == (("a", "b"), "billing")
