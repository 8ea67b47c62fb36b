"""`member.reveal`: masked in the preview, clear only in what apply returns."""

from dataclasses import replace

import pytest

from console.actions.member.reveal import ACTION, Params, apply, choices, preview
from console.domain.ids import MemberId
from console.domain.workspace import Member
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, shown, tools

ADA = Member(
    id=MemberId("mem_ada"),
    name="Ada",
    email="ada@acme.example",
    phone="+49 30 1234567",
    role="owner",
    is_active=True,
    joined_at=NOON,
    last_seen_at=None,
)


def params(field: str = "email", member: str = "mem_ada") -> Params:
    return Params(member=MemberId(member), field=field)


@pytest.mark.parametrize(
    ("field", "label", "masked", "clear"),
    [
        ("email", "E-mail address", "a•••@a•••.example", "ada@acme.example"),
        ("phone", "Telephone number", "••••••67", "+49 30 1234567"),
    ],
)
def test_it_masks_in_the_preview_and_reveals_only_on_apply(field: str, label: str, masked: str, clear: str) -> None:
    there = FakePlane(people=[ADA])
    with Unchanged(there):
        seen = preview(params(field), tools(there))
        done = apply(params(field), tools(there))
    assert shown(seen) == {label: (masked, "shown to you for 60 s")}
    assert clear not in repr(seen)
    assert seen.facts == {"field": field}
    assert (seen.target_type, seen.target_id) == ("member", "mem_ada")
    assert (done.shown, done.changes) == ({label: clear}, ())
    assert clear not in done.sentence


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (params("password"), "field", "field to reveal"),
        (params(member="mem_of_another_tenant"), "member", "no such member"),
    ],
)
def test_it_names_the_wrong_field(given: Params, field: str, words: str) -> None:
    for function in (preview, apply):
        wrong, remedy = fault_of(function, given, tools(FakePlane(people=[ADA])))
        assert wrong == field
        assert words in remedy


def test_it_says_when_there_is_no_telephone_number() -> None:
    there = FakePlane(people=[replace(ADA, phone=None)])
    assert fault_of(preview, params("phone"), tools(there)) == ("field", "This member has no telephone number.")


def test_it_builds_and_offers_its_fields() -> None:
    assert ACTION.build({"member": "mem_ada", "field": "email"}) == params()
    assert [choice.value for choice in choices("field", tools(FakePlane()))] == ["email", "phone"]
    assert choices("member", tools(FakePlane())) == ()


def test_it_is_counted() -> None:
    assert ACTION.budget == "reveals"
