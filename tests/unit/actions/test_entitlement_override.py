"""`entitlement.override`: what it shows, hands to policy, refuses and writes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from console.actions.entitlement.override import ACTION, Params, apply, choices, current, preview
from console.domain.decisions import Fact
from console.domain.entitlements import Condition, ConditionKind, FeatureKind, GrantSource, Op, Usage
from console.domain.ids import ReasonCode
from console.domain.reasons import Reason
from tests.unit.fakes import NOON, SEATS, WHY, FakePlane, Unchanged, fault_of, grant, shown, tools

UNTIL = date(2026, 12, 1)


def params(feature: str = "seats", value: int = 25, until: date = UNTIL) -> Params:
    return Params(feature=feature, value=value, until=until)


def facts(given: Params, plane: FakePlane) -> Mapping[str, Fact]:
    return preview(given, tools(plane)).facts


def test_it_builds_its_parameters() -> None:
    assert ACTION.build({"feature": "seats", "value": 25, "until": UNTIL}) == params()


def test_it_shows_before_and_after_without_changing_anything() -> None:
    plane = FakePlane()
    with Unchanged(plane):
        seen = preview(params(), tools(plane))
    assert shown(seen) == {
        "Seats": ("10 seats", "25 seats"),
        "Decided by": ("Plan", "Override (CT-2026-0042)"),
        "Valid until": ("no end", "1 Dec 2026, 00:00 UTC"),
        "Access: Seats": ("10 seats", "25 seats · Override by Robin (CT-2026-0042)"),
    }
    assert seen.sentence == "Seats: 10 seats → 25 seats until 1 Dec 2026"
    assert (seen.target_type, seen.target_id, seen.warnings) == ("entitlement", "seats", ())
    assert seen.fingerprint == {"entitlement_version": 3}


def test_it_tells_policy_whether_money_is_at_stake_and_how_much() -> None:
    raised = facts(params(), FakePlane())
    assert raised == {"is_raise": True, "is_paid_raise": True, "increase_percent": 150, "days": 10}
    lowered = facts(params(value=5), FakePlane())
    assert lowered == {"is_raise": False, "is_paid_raise": False, "increase_percent": 0, "days": 10}


def test_it_calls_a_raise_of_something_unsold_unpaid() -> None:
    plane = FakePlane(all_grants=[grant(GrantSource.PLAN, "storage", 100)])
    assert facts(params("storage", 150), plane)["is_paid_raise"] is False


def test_it_counts_each_unit_from_nothing_as_a_hundred_percent() -> None:
    assert facts(params("storage", 1), FakePlane())["increase_percent"] == 100
    assert facts(params("storage", 12), FakePlane())["increase_percent"] == 1_200
    assert facts(params(value=1_000_000_000), FakePlane())["increase_percent"] == 1_000_000


def test_it_measures_a_raise_in_small_parts_against_what_there_is_without_them() -> None:
    plan, part = grant(GrantSource.PLAN, "seats", 10), grant(GrantSource.OVERRIDE, "seats", 60)
    by_a_colleague = FakePlane(all_grants=[plan, replace(part, owner="stf_robin")])
    assert facts(params(value=120), by_a_colleague)["increase_percent"] == 1_100
    imported = FakePlane(all_grants=[plan, replace(part, owner="")])
    assert facts(params(value=120), imported)["increase_percent"] == 100
    held_down = FakePlane(all_grants=[plan, replace(part, value=2, owner="stf_robin")])
    assert facts(params(value=10), held_down)["increase_percent"] == 400


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=1), 1),
        (timedelta(days=1, microseconds=1), 2),
        (timedelta(microseconds=1), 1),
        (timedelta(days=400), 400),
    ],
)
def test_it_rounds_days_up(left: timedelta, days: int) -> None:
    midnight = datetime.combine(UNTIL, datetime.min.time(), tzinfo=UTC)
    seen = preview(params(), tools(FakePlane(), now=midnight - left))
    assert seen.facts["days"] == days


def test_it_warns_when_it_takes_away_and_when_it_replaces() -> None:
    running = grant(GrantSource.OVERRIDE, "seats", 50, id="ovr_1", label="Override by Kim", until=NOON.replace(day=30))
    seen = preview(params(value=20), tools(FakePlane(all_grants=[running])))
    assert seen.warnings == (
        "This replaces the override that runs now: Override by Kim.",
        "The tenant will be able to use less than now.",
    )
    assert shown(seen)["Valid until"][0] == "30 Nov 2026, 12:00 UTC"


def test_it_shows_switches_as_on_and_off() -> None:
    seen = preview(params("sso", 1), tools(FakePlane(), reason=Reason(code=ReasonCode(""), reference="")))
    assert shown(seen)["Single sign-on"] == ("off", "on")
    assert shown(seen)["Decided by"] == (None, "Override")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (params("nothing"), "feature", "features in the list"),
        (params(until=date(2026, 11, 21)), "until", "after today (21 Nov 2026, UTC)"),
        (params(until=date(1, 1, 1)), "until", "after today"),
        (params("sso", 2), "value", "1 turns it on, 0 turns it off"),
        (params(value=10), "value", "already has 10 seats"),
        (params("sso", 0), "value", "already has off"),
    ],
)
def test_it_names_the_wrong_field_and_the_remedy(given: Params, field: str, words: str) -> None:
    wrong, remedy = fault_of(preview, given, tools(FakePlane()))
    assert wrong == field
    assert words in remedy


def test_it_names_no_reference_while_none_is_typed() -> None:
    there = tools(FakePlane())
    bare = replace(there, reason=replace(there.reason, reference=""))
    assert shown(preview(params(), bare))["Access: Seats"] == ("10 seats", "25 seats · Override by Robin")


def test_it_writes_one_override_with_its_reference() -> None:
    plane = FakePlane()
    done = apply(params(), tools(plane))
    added = plane.all_grants[-1]
    assert (added.source, added.value, added.until) == (GrantSource.OVERRIDE, 25, datetime(2026, 12, 1, tzinfo=UTC))
    assert (added.label, added.reference) == ("Override by Robin (CT-2026-0042)", WHY.reference)
    assert plane.entitlement_version == 4
    assert done.sentence == "Seats: 25 seats until 1 Dec 2026."
    assert (done.changes[0].before, done.changes[0].after) == ("10 seats", "25 seats")


@pytest.mark.parametrize("given", [params("nothing"), params(until=date(2026, 11, 21))])
def test_it_writes_nothing_when_the_world_no_longer_fits(given: Params) -> None:
    plane = FakePlane()
    with Unchanged(plane):
        fault_of(apply, given, tools(plane))


def test_it_offers_the_features_with_what_holds_now() -> None:
    offered = choices("feature", tools(FakePlane()))
    assert [(choice.value, choice.current) for choice in offered] == [
        ("seats", "10 seats"),
        ("storage", "0 GB"),
        ("sso", "off"),
    ]
    assert choices("value", tools(FakePlane())) == ()


def test_it_shows_the_current_value_once_a_feature_is_chosen() -> None:
    assert current({"feature": "seats"}, tools(FakePlane())) == {"value": "now 10 seats"}
    assert current({"feature": "nothing"}, tools(FakePlane())) == {}
    assert current({}, tools(FakePlane())) == {}


def test_it_names_what_decides_when_several_do() -> None:
    plane = FakePlane(all_grants=[grant(GrantSource.PLAN, "seats", 10), grant(GrantSource.ADD_ON, "seats", 5)])
    seen = preview(params(), tools(plane))
    assert shown(seen)["Decided by"][0] == "Plan + Add-on"
    assert shown(seen)[SEATS.name] == ("15 seats", "25 seats")


@pytest.mark.parametrize(
    ("kind", "words"),
    [(ConditionKind.BLOCKED, "Access is blocked (fraud)"), (ConditionKind.READ_ONLY, "may only read")],
)
def test_it_measures_as_if_nobody_had_suspended_the_tenant_and_warns(kind: ConditionKind, words: str) -> None:
    stop = Condition(id="c", kind=kind, cause="fraud", starts_at=NOON - timedelta(days=1), until=None)
    seen = preview(params(), tools(FakePlane(conditions=[stop])))
    assert shown(seen)["Seats"] == ("10 seats", "25 seats")
    assert seen.facts["increase_percent"] == 150
    assert words in seen.warnings[-1]


def test_it_shows_what_else_changes_when_more_is_used_than_it_gives() -> None:
    use = Usage(feature="seats", used=8, starts_at=NOON - timedelta(days=1), until=None, as_of=NOON)
    seen = preview(params(value=5), tools(FakePlane(usage=[use])))
    assert shown(seen)["Access: Seats"] == ("10 seats", "5 seats · Override by Robin (CT-2026-0042)")
    assert seen.warnings[-1] == "8 seats are in use, more than this gives: above the limit."


def test_it_refuses_what_a_deny_override_would_undo() -> None:
    deny = grant(GrantSource.OVERRIDE, "seats", 0, label="Abuse case A-1", op=Op.DENY)
    wrong, remedy = fault_of(preview, params(), tools(FakePlane(all_grants=[deny])))
    assert (wrong, remedy) == ("value", "This would have no effect: Abuse case A-1 gives 0 seats.")


def test_it_takes_an_option_by_its_number() -> None:
    tier = replace(SEATS, key="tier", name="Tier", kind=FeatureKind.CONFIG, unit="", options=("basic", "priority"))
    plane = FakePlane(catalogue=[tier], all_grants=[])
    assert shown(preview(params("tier", 1), tools(plane)))["Tier"] == ("basic", "priority")
    assert fault_of(preview, params("tier", 2), tools(plane)) == (
        "value",
        "This feature is one of: 0 basic, 1 priority.",
    )
