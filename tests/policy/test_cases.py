"""The worked cases of policies/cases run as tests, and leave nothing out."""

import re
from dataclasses import replace

import pytest

from console.domain.ids import ActionKey, RuleId
from console.policy.book import PolicyBook
from console.policy.cases import Case, CaseFile, load_cases, missing_cases, run_cases
from console.policy.coverage import coverage
from tests.policy.governed import POLICIES

FILES = load_cases(POLICIES)
CASES = [case for file in FILES for case in file.cases]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.action)
def test_it_meets_every_worked_case(book: PolicyBook, file: CaseFile) -> None:
    assert [
        f"{outcome.case.name}: {outcome.fault}" for outcome in run_cases(book, file.cases) if not outcome.is_met
    ] == []


def test_it_has_a_case_for_every_action_outcome_and_deny_code(book: PolicyBook) -> None:
    assert list(missing_cases(book, FILES)) == []


def test_it_decides_something_by_every_rule(book: PolicyBook) -> None:
    found = coverage(book, run_cases(book, CASES))
    assert [rule.id for rule in found.uncovered] == [], "\n".join(found.lines())
    assert found.lines() == (f"{len(book.rules)} of {len(book.rules)} rules decide at least one case.",)


def test_it_names_the_rules_that_no_case_tries(book: PolicyBook) -> None:
    few = [case for case in CASES if case.query.action != "member.reveal"]
    lines = coverage(book, run_cases(book, few)).lines()
    assert lines[0].startswith("policies/operations.cedar: member.reveal decides no case")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"expect": "allow"}, "expected allow, policy says needs_approval:1"),
        ({"groups": {"finance_lead": 1}}, "expected approval by"),
        ({"rules": frozenset({RuleId("override.large")})}, "expected the rules override.large"),
    ],
)
def test_it_says_how_a_case_fails(book: PolicyBook, change: dict[str, object], fault: str) -> None:
    case = next(case for case in CASES if case.name == "an unpaid raise needs a support lead")
    outcome = run_cases(book, [replace(case, **change)])[0]  # type: ignore[arg-type]
    assert not outcome.is_met
    assert outcome.fault.startswith(fault)


def test_it_says_which_cases_are_missing(book: PolicyBook) -> None:
    file = next(file for file in FILES if file.action == "entitlement.override")
    bare = replace(file, never=frozenset(), cases=tuple(case for case in file.cases if "too_far" not in case.expect))
    bare = replace(bare, cases=tuple(case for case in bare.cases if case.expect != "needs_step_up"))
    odd = replace(file, action=ActionKey("no.such"), file="policies/cases/no.such.toml")
    said = list(missing_cases(book, [bare, odd]))
    assert "policies/cases/no.such.toml: there is no action no.such: rename or remove the file." in said
    assert "policies/cases/tenant.read.toml: is missing: write the worked cases of tenant.read." in said
    assert any("give a case that expects allow" in line for line in said)
    assert any("no case expects needs_step_up" in line for line in said)
    assert any("no case expects deny:expiry_too_far" in line for line in said)


def test_it_cannot_be_asked_with_an_unknown_action_or_reason(book: PolicyBook) -> None:
    case: Case = CASES[0]
    unknown = replace(
        case, query=replace(case.query, action=ActionKey("no.such")), expect="deny:unknown_action", rules=None
    )
    assert run_cases(book, [unknown])[0].is_met


def test_it_comments_every_rule_with_one_sentence() -> None:
    for path in sorted(POLICIES.glob("*.cedar")):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if line.startswith("@id("):
                assert re.fullmatch(r"// [A-Z].*\.", lines[number - 1]), f"{path.name}:{number + 1} {line}"
                assert not lines[number - 2].startswith("//"), f"{path.name}:{number + 1}: one sentence, one line"
