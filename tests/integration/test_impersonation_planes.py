"""A tenant on a plane elsewhere is acted for like any other: the effect is one transaction of the control store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.errors import OutsideError
from console.domain.ids import ActionKey, ReasonCode, SessionKey
from console.domain.imports import MemberRecord, member_id_of
from console.domain.reasons import Reason
from console.domain.requests import State
from console.usecases.outcomes import BadFields, Ran
from console.usecases.propose_action import propose_action
from tests.conftest import NewDatabase
from tests.databases import NOON, HandClock
from tests.integration.stage import Stage, behind, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import LONG_AGO, PEOPLE

START = ActionKey("impersonation.start")
TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-4711")


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock()) as stage:
        settle_in(stage, ["near"], ["away"])
        with stage.storage.bulk.write() as bulk:
            bulk.put(
                [
                    MemberRecord(
                        tenant=slug, external_id="m1", name="Mia", email=f"mia@{slug}.example", phone=None,
                        role="owner", is_active=True, joined_at=LONG_AGO, last_seen_at=None,
                    )
                    for slug in ("near", "away")
                ]
            )  # fmt: skip
        yield stage


def ask(stage: Stage, slug: str, *, member: str | None = None, away: bool = False) -> object:
    house = behind(stage, planes=SilentPlanes(stage)) if away else stage.house
    return propose_action(
        house,
        replace(stage.actor("support_agent"), session=SessionKey("browser")),
        key=START,
        tenant=tenant(slug),
        raw={"member": member or member_id_of(slug, "m1"), "minutes": "30"},
        reason=TICKET,
        mark=None,
        form_id=stage.form(),
    )


class SilentPlanes:
    """Planes of which none elsewhere answers."""

    def __init__(self, stage: Stage) -> None:
        self._planes = stage.house.planes

    def shares_control(self, plane: object) -> bool:
        return self._planes.shares_control(plane)  # type: ignore[arg-type]  # handed on

    def read(self, scope: object) -> object:
        message = f"The plane of {scope} does not answer."
        raise OutsideError(message, permanent=False)

    write = read


@pytest.mark.parametrize("slug", ["near", "away"])
def test_it_begins_on_any_plane_in_one_step(stage: Stage, slug: str) -> None:
    stage.open("support_agent", slug, TICKET)
    answer = ask(stage, slug)
    assert isinstance(answer, Ran), answer
    assert answer.request.state is State.EXECUTED
    with stage.house.store.read() as unit:
        row = unit.impersonations.open_of(PEOPLE["support_agent"].id)
    assert row is not None
    assert (row.id, row.tenant, row.member) == (answer.applied.made, tenant(slug), member_id_of(slug, "m1"))
    assert (row.request, row.reason) == (answer.request.id, TICKET)
    assert row.not_after == NOON + timedelta(minutes=30)
    assert stage.entries("action.intent") == 0
    assert stage.entries("action.executed", answer.request.id) == 1


def test_a_member_of_another_tenant_is_none(stage: Stage) -> None:
    stage.open("support_agent", "away", TICKET)
    answer = ask(stage, "away", member=member_id_of("near", "m1"))
    assert isinstance(answer, BadFields)
    assert stage.entries("request.refused") == 1


def test_a_plane_that_is_away_lets_nothing_begin(stage: Stage) -> None:
    stage.open("support_agent", "away", TICKET)
    with pytest.raises(OutsideError):
        ask(stage, "away", away=True)
    assert stage.count("SELECT count(*) FROM impersonation") == 0
    assert stage.count("SELECT count(*) FROM request") == 0


def test_it_never_lasts_longer_than_its_lease(stage: Stage) -> None:
    lease = stage.open("support_agent", "near", TICKET)
    clock = stage.house.clock
    assert isinstance(clock, HandClock)
    clock.pass_by(minutes=12)
    assert isinstance(ask(stage, "near"), Ran)
    with stage.house.store.read() as unit:
        row = unit.impersonations.open_of(PEOPLE["support_agent"].id)
    assert row is not None
    assert row.not_after == lease.not_after
