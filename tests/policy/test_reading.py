"""What the readers of schema and case files say to files that they cannot use."""

from pathlib import Path

import pytest

from console.policy.book import PolicyFaultsError
from console.policy.cases import load_cases
from console.policy.load import load_book
from console.policy.schema import declared
from tests.policy.folders import Edit, copied, swap
from tests.policy.governed import GOVERNED, POLICIES


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("entity X", "ends in the middle"),
        ("entity X; ?", "where entity, type or action was expected"),
        ("type X : Y;", "where '=' was expected"),
        ("entity X %", "cannot be read"),
        ('action "x" appliesTo { principal: [A], resource: [B]', "ends in the middle"),
    ],
)
def test_it_says_where_a_schema_leaves_the_known_shape(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault.replace("?", ".")):
        declared(text)


def test_it_reads_types_that_are_declared_after_their_use() -> None:
    shape = declared(
        "action x in [g] appliesTo { principal: Staff, resource: [House, Tenant], context: { facts: Late, z?: Long }};"
        "action g; type Late = { a: Bool, b?: Set<Long> }; entity House, Tenant in [Other] { a: Long };"
        'action "bare" appliesTo { principal: Staff, resource: House, context: Named };'
    )
    question = next(question for key, question in shape.questions.items() if key == "x")
    assert question.resources == {"House", "Tenant"}
    assert {name: kind.is_required for name, kind in question.record("facts").items()} == {"a": True, "b": False}
    assert question.record("none") == {}
    assert shape.all_groups("x") == {"g"}
    assert {key: len(found.context) for key, found in shape.questions.items()} == {"x": 2, "bare": 0}


BAD_CASES = [
    ("= 1", "cannot be read"),
    ("approvals = 'none'", "case is missing: give at least one [[case]]"),
    ("[[case]]\nname = 'a'\nexpect = 'allow'\nwhat = 1", "unknown key 'what'"),
    ("[[case]]\nname = 'a'\nexpect = 1", "expect = 1 is wrong: give a text"),
    ("[[case]]\nname = 'a'\nexpect = 'allow'\nwith = 3", "with = 3 is wrong: give a table"),
    ("[[case]]\nname = 'a'\nexpect = 'allow'\nwith = { roles = ['cfo'] }", "unknown role 'cfo'"),
    (
        "[[case]]\nname = 'a'\nexpect = 'allow'\nwith = { roles = 'engineer' }",
        "roles = 'engineer' is wrong: give a list",
    ),
    ("[[case]]\nname = 'a'\nexpect = 'allow'\nwith = { kind = 'robot' }", "kind = 'robot' is wrong"),
    ("[[case]]\nname = 'a'\nexpect = 'allow'\nwith = { role = ['x'] }", "unknown key 'role'"),
    ("[[case]]\nname = 'a'\nexpect = 'allow'\n[[case]]\nname = 'a'\nexpect = 'allow'", "two cases are named 'a'"),
]


@pytest.mark.parametrize(("text", "fault"), BAD_CASES)
def test_it_refuses_a_case_file_with_a_fault(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "home.read.toml").write_text(text)
    with pytest.raises(PolicyFaultsError) as raised:
        load_cases(tmp_path)
    assert any(fault in line and line.startswith("policies/cases/home.read.toml") for line in raised.value.faults)


def _flat_identity(folder: Path) -> None:
    (folder / "identity.toml").write_text("groups = 1\nacr = 2\n")


@pytest.mark.parametrize(
    "edit",
    [
        swap("reasons.toml", "[CUSTOMER_SUPPORT]", "OTHER = 1\n[CUSTOMER_SUPPORT]"),
        _flat_identity,
        swap("actions.toml", "[step_up]\nexempt_kinds", "step_up = 3\n[other]\nexempt_kinds"),
    ],
    ids=["reasons", "identity", "actions"],
)
def test_it_takes_something_else_where_a_table_belongs_as_a_fault(tmp_path: Path, edit: Edit) -> None:
    with pytest.raises(PolicyFaultsError, match="is wrong: give a table"):
        load_book(copied(tmp_path, edit), GOVERNED)


def test_it_takes_a_group_without_a_role_as_a_fault(tmp_path: Path) -> None:
    with pytest.raises(PolicyFaultsError, match="give a text in quotes"):
        load_book(copied(tmp_path, swap("identity.toml", '= "finance_lead"', "= 3")), GOVERNED)


def test_it_does_without_exempt_kinds(tmp_path: Path) -> None:
    folder = copied(tmp_path, swap("actions.toml", '[step_up]\nexempt_kinds = ["operator"]', ""))
    assert load_book(folder, GOVERNED).step_up_exempt == frozenset()


def test_it_reads_the_worked_cases_of_this_product() -> None:
    assert len(load_cases(POLICIES)) == len(list((POLICIES / "cases").glob("*.toml")))
