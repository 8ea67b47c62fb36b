"""What a form sent becomes typed parameters, or faults that name field and remedy."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.actions.staff.add import ACTION as ADD
from console.actions.tenant.add_note import ACTION as NOTE
from console.domain.canonical import canonical_bytes, normal
from console.ports.actions import Action, Input, ParamField
from console.usecases.parameters import Parsed, built, parsed, raw_of

FIELDS = (
    ParamField(name="text", label="Text", input=Input.TEXT, least=2, most=5, pattern=r"[a-zé]+", pattern_example="abc"),
    ParamField(name="long", label="Long", input=Input.LONG_TEXT, is_required=False),
    ParamField(name="number", label="Number", input=Input.INTEGER, least=-5, most=1_000),
    ParamField(name="day", label="Day", input=Input.DATE),
    ParamField(name="choice", label="Choice", input=Input.CHOICE, least=3),
    ParamField(name="roles", label="Roles", input=Input.ROLES, is_required=False),
)
ANY_NOTE: Action[Any] = NOTE
ACTION = replace(ANY_NOTE, fields=FIELDS, build=dict)
GOOD = {"text": " abc ", "number": "-5", "day": "2027-03-31", "choice": "x", "roles": "b, a,,a "}


def read(**typed: Any) -> Parsed:  # noqa: ANN401  anything can be sent
    return parsed(ACTION, GOOD | typed)


def test_it_types_every_kind_of_field() -> None:
    values = read().values
    assert values == {
        "text": "abc",
        "long": "",
        "number": -5,
        "day": date(2027, 3, 31),
        "choice": "x",
        "roles": ("a", "b"),
    }


def test_it_keeps_a_plain_form_that_builds_the_same_again() -> None:
    first = read()
    again = parsed(ACTION, raw_of(first.plain))
    assert (again.values, again.plain) == (first.values, first.plain)
    assert canonical_bytes(first.plain)


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"text": ""}, "text", "Fill in “Text”."),
        ({"text": "a"}, "text", "at least 2 characters"),
        ({"text": "abcdef"}, "text", "under 5 characters"),
        ({"text": "ABC"}, "text", "looks like abc"),
        ({"text": "a\u202eb"}, "text", "invisible control characters"),
        ({"text": "a\x00b"}, "text", "invisible control characters"),
        ({"text": "a\ud800b"}, "text", "invisible control characters"),
        ({"text": ["abc", "abd"]}, "text", "Give “Text” once."),
        ({"number": "1,5"}, "number", "a whole number from -5 to 1,000"),
        ({"number": "-6"}, "number", "from -5 to 1,000"),
        ({"number": "1001"}, "number", "from -5 to 1,000"),
        ({"number": "9" * 16}, "number", "from -5 to 1,000"),
        ({"number": "\u0663"}, "number", "from -5 to 1,000"),
        ({"day": "31.03.2027"}, "day", "a day like 2027-03-31"),
        ({"day": "2027-02-30"}, "day", "a day like 2027-03-31"),
        ({"long": "x" * 10_001}, "long", "under 10,000 characters"),
        ({"is_admin": "1"}, "is_admin", "no such field"),
    ],
)
def test_it_names_the_field_and_the_remedy(typed: Mapping[str, Any], field: str, words: str) -> None:
    result = read(**typed)
    assert (result.values, result.plain) == ({}, {})
    (fault,) = result.faults
    assert fault.field == field
    assert words in fault.remedy


def test_it_reports_all_faults_at_once() -> None:
    assert [fault.field for fault in parsed(ACTION, {"extra": "x"}).faults] == [
        "extra",
        "text",
        "number",
        "day",
        "choice",
    ]


def test_it_takes_roles_as_a_list_too() -> None:
    assert read(roles=["b", " a "]).plain["roles"] == ["a", "b"]


def test_it_leaves_an_integer_without_bounds_unbounded() -> None:
    free = replace(ACTION, fields=(ParamField(name="number", label="Number", input=Input.INTEGER),))
    assert parsed(free, {"number": "007"}).values == {"number": 7}


def test_it_builds_typed_parameters_with_their_plain_form() -> None:
    params, plain, faults = built(NOTE, {"text": "Hello"})
    assert (params.text, plain, faults) == ("Hello", {"text": "Hello"}, ())


def test_it_returns_faults_of_fields_and_of_the_action_alike() -> None:
    assert built(NOTE, {})[2][0].field == "text"
    typed = {"name": "Alex", "email": "a@b", "person": "", "roles": "king"}
    params, plain, faults = built(ADD, typed)
    assert (params, plain, faults[0].field) == (None, {}, "roles")


@given(st.dictionaries(st.sampled_from(["text", "long", "number", "day", "choice", "roles"]), st.text(max_size=20)))
def test_whatever_is_accepted_has_a_canonical_form_and_builds_again(typed: dict[str, str]) -> None:
    result = parsed(ACTION, typed)
    if not result.faults:
        assert canonical_bytes(normal(result.plain))
        assert parsed(ACTION, raw_of(result.plain)).values == result.values


@given(st.text(min_size=1, max_size=20))
def test_a_note_never_breaks_the_digest(text: str) -> None:
    result = parsed(NOTE, {"text": text})
    assert bool(result.faults) != bool(result.plain)
    if result.plain:
        normal(result.plain)
