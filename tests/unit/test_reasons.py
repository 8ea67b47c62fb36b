"""A reason is checked against its code: reference, pattern, note."""

import pytest

from console.domain.ids import ReasonCode
from console.domain.reasons import Effect, Reason, ReasonRule

RULE = ReasonRule(
    code=ReasonCode("CUSTOMER_SUPPORT"),
    label="Customer support",
    sentence="A customer asked.",
    reference_label="ticket",
    reference_pattern=r"T-[0-9]{4,60}",
    reference_example="T-1234",
    reference_kind="ticket",
    effects=frozenset({Effect.READ}),
    lease_minutes=30,
    note_required=True,
    customer_notice="log",
)


def reason(reference: str = "T-1234", note: str = "They cannot sign in.") -> Reason:
    return Reason(code=RULE.code, reference=reference, note=note)


@pytest.mark.parametrize("given", [reason(), reason(" T-1234 "), reason(note="x" * 2_000), reason("T-" + "1" * 60)])
def test_it_accepts_a_whole_reason(given: Reason) -> None:
    assert RULE.faults(given) == ()


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        (reason(""), "reference", "reference_missing"),
        (reason("  "), "reference", "reference_missing"),
        (reason("ticket 5"), "reference", "reference_malformed"),
        (reason("T-1234; DROP"), "reference", "reference_malformed"),
        (reason("T-1234\nT-1"), "reference", "reference_malformed"),
        (reason("T-" + "1" * 63), "reference", "reference_malformed"),
        (reason(note=" \n"), "note", "note_missing"),
        (reason(note="x" * 2_001), "note", "note_too_long"),
        (reason(note="They said \u202eno."), "note", "bad_parameter"),
    ],
)
def test_it_names_field_code_and_remedy_of_a_fault(given: Reason, field: str, code: str) -> None:
    (fault,) = RULE.faults(given)
    assert fault[:2] == (field, code)
    assert fault[2].endswith(".")


def test_it_names_every_fault_of_a_reason_the_reference_first() -> None:
    faults = RULE.faults(reason("ticket 5", note=""))
    assert [fault[:2] for fault in faults] == [("reference", "reference_malformed"), ("note", "note_missing")]


def test_it_asks_for_a_note_only_where_the_code_does() -> None:
    relaxed = ReasonRule(**{name: getattr(RULE, name) for name in RULE.__slots__} | {"note_required": False})
    assert relaxed.faults(reason(note="")) == ()
