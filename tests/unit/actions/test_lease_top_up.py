"""`lease.top_up`: more tenants for a colleague, for an hour."""

from datetime import timedelta

import pytest

from console.actions.lease.top_up import ACTION, Params, apply, choices, preview
from console.domain.ids import StaffId
from console.domain.staff import StaffKind
from tests.unit.fakes import NOON, FakeControl, FakeLeases, FakeStaffBook, Unchanged, fault_of, person, shown, tools

GONE = person("gone", is_active=False)
ROBOT = person("robot", kind=StaffKind.SERVICE)


def books() -> FakeControl:
    return FakeControl(staff=FakeStaffBook([person("robin"), person("kim"), GONE, ROBOT]), leases=FakeLeases(extra=2))


def params(name: str = "kim", extra: int = 5) -> Params:
    return Params(colleague=StaffId(f"stf_{name}"), extra=extra)


def test_it_shows_the_budget_before_and_after_without_changing_it() -> None:
    control = books()
    with Unchanged(control):
        seen = preview(params(), tools(control=control))
    assert shown(seen) == {"Extra tenants": ("2", "7"), "For": (None, "60 minutes")}
    assert seen.facts == {"extra": 7, "target_is_self": False}
    assert (seen.target_type, seen.target_id) == ("staff", "stf_kim")


def test_it_tells_policy_when_the_target_is_oneself() -> None:
    assert preview(params("robin"), tools(control=books())).facts["target_is_self"] is True


def test_it_adds_to_the_budget_for_an_hour() -> None:
    control = books()
    done = apply(params(), tools(control=control))
    assert control.leases.top_ups == [("stf_kim", 5, NOON + timedelta(hours=1), "stf_robin")]
    assert done.sentence == "Kim can open 5 more tenants until 13:00 UTC."


def test_it_bounds_all_that_run_at_a_time_together() -> None:
    control = books()
    assert preview(params(extra=19), tools(control=control)).facts["extra"] == 21
    with Unchanged(control):
        assert fault_of(apply, params(extra=19), tools(control=control)) == (
            "extra",
            "Kim has 2 extra tenants, of 20 at a time.",
        )
    apply(params(extra=18), tools(control=control))
    assert [extra for _, extra, _, _ in control.leases.top_ups] == [18]


@pytest.mark.parametrize("who", ["nobody", "gone", "robot"])
def test_it_refuses_who_cannot_use_it(who: str) -> None:
    control = books()
    with Unchanged(control):
        for function in (preview, apply):
            assert fault_of(function, params(who), tools(control=control)) == (
                "colleague",
                "Choose an active colleague.",
            )


def test_it_offers_active_people_other_than_oneself() -> None:
    offered = choices("colleague", tools(control=books()))
    assert [(choice.value, choice.current) for choice in offered] == [("stf_kim", "Support agent")]
    assert choices("extra", tools(control=books())) == ()
    assert ACTION.build({"colleague": "stf_kim", "extra": 5}) == params()
