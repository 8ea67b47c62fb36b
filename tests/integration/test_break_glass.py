"""Break-glass through real storage: who may, what it tells, what it refuses, and what it owes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from console.domain.decisions import Allow, DenyCode, NeedsStepUp
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import ActionKey, FreezeId, ReasonCode
from console.domain.reasons import Reason, ReferenceVerdict
from console.domain.requests import State
from console.domain.reviews import ReviewKind
from console.domain.staff import Role
from console.usecases import propose_action as propose
from console.usecases.break_glass import Glass
from console.usecases.outcomes import CountingDown, Ran
from console.usecases.prepare_action import Place
from console.usecases.propose_action import propose_action
from tests.integration.emergency import FIRE, Emergency, code, fire
from tests.integration.stage import behind, rows, tenant
from tests.integration.test_glass_that_fires import SMALL
from tests.web.cast import PEOPLE

__all__ = ["fire"]


def test_no_glass_is_broken_where_there_is_no_tenant_whatever_the_book_says(fire: Emergency) -> None:
    lift, book = ActionKey("freeze.lift"), fire.stage.house.book
    listed = replace(book.actions[lift], break_glass_allowed=True)  # the loader refuses such a list, too
    house = replace(fire.stage.house, book=replace(book, actions={**book.actions, lift: listed}))
    with house.store.write() as unit:
        unit.freezes.add(
            Freeze(
                id=FreezeId("frz_1"), scope=FreezeScope.TENANT, subject=tenant("acme"), name="Acme", is_drill=False,
                set_by=PEOPLE["administrator"].id, set_at=house.clock.now(), reason=FIRE,
            )
        )  # fmt: skip
    answer = propose_action(
        house,
        replace(fire.stage.actor("on_call"), stepped_up_at=fire.clock.now()),
        key=lift,
        tenant=None,
        raw={"freeze": "frz_1"},
        reason=FIRE,
        mark=None,
        form_id=fire.stage.form(),
    )
    assert code(answer) is DenyCode.REASON_NOT_ACCEPTED  # what policy was asked when it was loaded still holds


@pytest.mark.parametrize("slug", ["acme", "faraway"])
def test_it_counts_down_fires_once_and_owes_a_review(fire: Emergency, slug: str) -> None:
    fire.open(slug=slug)
    request = fire.begun(slug=slug)
    assert request.state is State.COUNTING_DOWN
    assert request.approve_by - request.filed_at == timedelta(seconds=60)
    fire.after(59)
    assert fire.stage.now(request.id).state is State.COUNTING_DOWN
    fire.after(1)
    assert fire.stage.now(request.id).state is State.EXECUTED
    fire.after(60)
    assert fire.stage.entries("action.executed", request.id) == 1
    assert fire.stage.entries("break_glass.begun", request.id) == 1
    with fire.stage.storage.store.read() as unit:
        review = unit.reviews.of(ReviewKind.BREAK_GLASS, request.id)
        row = unit.directory.get(tenant(slug))
    assert review is not None
    assert review.due_at == request.filed_at + timedelta(hours=24)
    assert row is not None
    assert row.status.value == "suspended"


@pytest.mark.checklist("EAM-90")
def test_everybody_who_was_skipped_and_security_is_told_at_once(fire: Emergency) -> None:
    fire.open()
    answer = fire.smash()
    assert isinstance(answer, CountingDown)
    skipped = [who for who in PEOPLE if "break_glass" in fire.told(who)]
    assert set(skipped) == {
        "support_lead", "support_lead_2", "finance_lead", "finance_lead_2", "security_auditor",
    }  # fmt: skip
    assert answer.told == len(skipped)
    assert "break_glass" not in fire.told("on_call")


def test_nobody_to_tell_means_no_start(fire: Emergency) -> None:
    fire.open()
    with fire.stage.storage.store.write() as unit:
        for who in PEOPLE:
            if who != "on_call":
                unit.staff.set_roles(PEOPLE[who].id, frozenset({Role.SUPPORT_AGENT}), at=fire.clock.now())
    assert code(fire.smash()) is DenyCode.NOBODY_TOLD


def test_a_notice_that_cannot_be_written_stops_the_start(fire: Emergency) -> None:
    fire.open()
    name = "notice_is_out"
    if fire.stage.url.startswith("sqlite"):
        sql = f"CREATE TRIGGER {name} BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'out'); END"
    else:
        sql = "ALTER TABLE notice ADD CONSTRAINT notice_is_out CHECK (kind <> 'break_glass')"
    rows(fire.stage.url, sql)
    with pytest.raises(Exception, match="out"):
        fire.smash()
    assert fire.stage.count("SELECT count(*) FROM request") == 0
    assert fire.stage.count("SELECT count(*) FROM break_glass_use") == 0


@pytest.mark.checklist("EAM-90")
def test_an_unreviewed_use_blocks_that_persons_next_one(fire: Emergency) -> None:
    fire.open()
    fire.begun()
    fire.after(60)
    fire.open(slug="zeta")
    assert code(fire.smash(slug="zeta")) is DenyCode.REVIEW_OWED
    assert isinstance(fire.smash(slug="zeta", drill=True), CountingDown)


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({"typed": "ACME"}, DenyCode.INTENT_NOT_TYPED),
        ({"typed": ""}, DenyCode.INTENT_NOT_TYPED),
        ({"key": ActionKey("webhook.test_send")}, DenyCode.REASON_NOT_ACCEPTED),
    ],
)
def test_it_refuses_what_is_not_meant(fire: Emergency, how: dict[str, Any], wanted: DenyCode) -> None:
    fire.open()
    answer = fire.smash(**how)
    if how.get("key"):
        assert not isinstance(answer, CountingDown | Ran)
        return
    assert code(answer) is wanted
    assert fire.stage.entries("request.refused") == 1


@pytest.mark.parametrize("verdict", [ReferenceVerdict.UNCHECKED])
def test_without_a_ticket_system_that_vouches_there_is_no_emergency(fire: Emergency, verdict: ReferenceVerdict) -> None:
    class Silent:
        def verdict(self, *, kind: str, reference: str, tenant: object) -> ReferenceVerdict:
            return verdict

    fire.open()
    assert code(fire.smash(house=behind(fire.stage, tickets=Silent()))) is DenyCode.REFERENCE_UNVOUCHED


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("INC-404", DenyCode.REFERENCE_UNKNOWN),
        ("INC-403", DenyCode.REFERENCE_FOREIGN),
        ("INC-410", DenyCode.REFERENCE_CLOSED),
    ],
)
def test_the_incident_is_open_and_names_this_tenant(fire: Emergency, reference: str, wanted: DenyCode) -> None:
    fire.open()
    assert code(fire.smash(reason=replace(FIRE, reference=reference))) is wanted


def test_it_needs_the_lease_that_was_opened_for_it(fire: Emergency) -> None:
    fire.open(reason=Reason(code=ReasonCode("INCIDENT_RESPONSE"), reference="INC-2301"))
    assert code(fire.smash()) is DenyCode.REASON_NOT_ACCEPTED
    fire.open()
    other = replace(FIRE, reference="INC-2302")
    assert code(fire.smash(reason=other)) is DenyCode.REASON_NOT_ACCEPTED
    lease = fire.stage.open("on_call", "acme", FIRE)
    assert lease.not_after - lease.opened_at == timedelta(minutes=15)


def test_it_asks_for_a_fresh_second_factor(fire: Emergency) -> None:
    fire.open()
    assert isinstance(fire.smash(age_s=601), NeedsStepUp)


def test_it_taints_the_tenant_for_a_week(fire: Emergency) -> None:
    fire.open()
    request = fire.begun()
    fire.after(60)
    with fire.stage.storage.store.read() as unit:
        day = timedelta(days=1)
        for moment, is_tainted in (
            (request.filed_at - timedelta(seconds=1), False),
            (request.filed_at + 6 * day, True),
            (request.filed_at + 7 * day - timedelta(seconds=1), True),
            (request.filed_at + 7 * day, False),
        ):
            assert (unit.glass.tainting(tenant("acme"), moment) is not None) is is_tainted
        assert unit.glass.tainting(tenant("zeta"), request.filed_at + day) is None


@SMALL
def test_no_glass_is_broken_where_there_is_no_tenant_even_if_policy_allowed_it(fire: Emergency) -> None:
    nowhere = Place(row=None, lease=None, scope=None)
    fire.open()
    request = fire.begun()
    with fire.stage.storage.store.write() as unit:
        answer = propose._broken(
            fire.stage.house, unit, fire.stage.actor("on_call"), request, Allow(rules=()), place=nowhere,
            breaking=(Glass(typed="acme", is_drill=False), True), now=fire.clock.now(),
        )  # fmt: skip
    assert code(answer) is DenyCode.BREAK_GLASS_NOT_ALLOWED
