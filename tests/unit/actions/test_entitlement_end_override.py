"""`entitlement.end_override`: plan and add-ons decide again, or a fault says why not."""

from datetime import timedelta

import pytest

from console.actions.entitlement.end_override import ACTION, Params, apply, choices, preview
from console.domain.entitlements import Grant, GrantSource
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, grant, shown, tools

THE = Params(override="ovr_1")


def running(value: int = 50, feature: str = "seats", **other: object) -> Grant:
    return grant(GrantSource.OVERRIDE, feature, value, **({"id": "ovr_1", "label": "Override by Kim"} | other))


def plane(*overrides: Grant) -> FakePlane:
    return FakePlane(all_grants=[grant(GrantSource.PLAN, "seats", 10), *overrides])


def test_it_builds_its_parameters() -> None:
    assert ACTION.build({"override": "ovr_1"}) == THE


def test_it_shows_what_the_tenant_falls_back_to_without_changing_anything() -> None:
    there = plane(running())
    with Unchanged(there):
        seen = preview(THE, tools(there))
    assert shown(seen) == {
        "Seats": ("50 seats", "10 seats"),
        "Override": ("Override by Kim", "ended"),
        "Access: Seats": ("50 seats", "10 seats · Plan"),
    }
    assert seen.facts == {"is_raise": False}
    assert seen.warnings == ("The tenant will be able to use less than now.",)
    assert seen.fingerprint == {"entitlement_version": 3, "override": "ovr_1"}
    assert (seen.target_type, seen.target_id) == ("override", "ovr_1")


def test_it_calls_the_end_of_a_lowering_a_raise() -> None:
    seen = preview(THE, tools(plane(running(2))))
    assert seen.facts == {"is_raise": True}
    assert seen.warnings == ()


def test_it_shows_switches_as_on_and_off() -> None:
    seen = preview(THE, tools(plane(running(1, "sso"))))
    assert shown(seen)["Single sign-on"] == ("on", "off")


@pytest.mark.parametrize(
    "gone",
    [
        running(id="ovr_2"),
        running(until=NOON),
        running(ended_at=NOON - timedelta(seconds=1)),
        running(starts_at=NOON + timedelta(seconds=1)),
        grant(GrantSource.PLAN, "storage", 1, id="ovr_1"),
    ],
)
def test_it_refuses_what_is_no_running_override(gone: Grant) -> None:
    there = plane(gone)
    with Unchanged(there):
        for function in (preview, apply):
            assert fault_of(function, THE, tools(there)) == ("override", "Choose an override that runs now.")
    assert all(choice.value != "ovr_1" for choice in choices("override", tools(there)))


def test_it_ends_the_override() -> None:
    there = plane(running())
    done = apply(THE, tools(there))
    assert there.all_grants[-1].ended_at == NOON
    assert done.sentence == "The override of Seats ended; it is 10 seats now."


def test_it_says_so_when_somebody_was_faster() -> None:
    there = plane(running())
    there.is_raced = True
    field, remedy = fault_of(apply, THE, tools(there))
    assert field == "override"
    assert "ended meanwhile" in remedy


def test_it_offers_running_overrides_only() -> None:
    there = plane(running(), running(id="ovr_2", until=NOON))
    offered = choices("override", tools(there))
    assert [(choice.value, choice.label, choice.current) for choice in offered] == [
        ("ovr_1", "seats: 50", "Override by Kim")
    ]
    assert choices("other", tools(there)) == ()


def test_it_refuses_an_override_of_a_feature_that_is_gone() -> None:
    wrong, remedy = fault_of(preview, THE, tools(FakePlane(catalogue=[], all_grants=[running()])))
    assert (wrong, "no longer has this feature" in remedy) == ("override", True)
