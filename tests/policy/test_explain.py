"""Explanations name each rule, its sentence and file, and the ways out."""

from dataclasses import replace

from console.domain.ids import ActionKey, PersonKey, ReasonCode
from console.domain.staff import Role
from console.policy.book import PolicyBook
from console.policy.explain import explain, reasons_that_could, roles_that_could
from tests.policy.test_decide import OVERRIDE


def test_it_explains_an_approval(book: PolicyBook) -> None:
    lines = explain(book, OVERRIDE).lines()
    assert lines[0] == "entitlement.override: needs_approval:1"
    assert any("override.paid_raise (policies/entitlements.cedar)" in line for line in lines)
    assert "  - Approval by different people, none of them the requester: 1 Finance lead." in lines


def test_it_explains_an_allowance_and_a_second_factor(book: PolicyBook) -> None:
    own = replace(OVERRIDE, action=ActionKey("home.read"), facts={})
    assert explain(book, own).possible == ()
    assert explain(book, own).lines()[0] == "home.read: allow"
    assert explain(book, replace(OVERRIDE, step_up_age_s=-1)).possible == (
        "Show a second factor; it counts for 10 minutes.",
    )


def test_it_explains_a_refusal_with_the_reasons_and_roles_that_would_do(book: PolicyBook) -> None:
    found = explain(book, replace(OVERRIDE, reason=ReasonCode("CUSTOMER_SUPPORT")))
    assert [rule.id for rule in found.rules] == ["reason.accepted", "reason.effect"]
    assert "With the same roles these reasons would do: CONTRACT_CHANGE." in found.possible
    other = explain(book, replace(OVERRIDE, roles=frozenset({Role.ENGINEER})))
    assert any("Support lead" in sentence and "Under the same circumstances" in sentence for sentence in other.possible)
    nobody = explain(book, replace(OVERRIDE, facts={**OVERRIDE.facts, "days": 9_999}))
    assert nobody.possible == ("Choose an end 1 to 400 days from now.",)


def test_it_explains_where_no_reason_would_do(book: PolicyBook) -> None:
    found = explain(book, replace(OVERRIDE, reason=ReasonCode("BREAK_GLASS"), leased_tenant=None))
    assert found.possible[0] == "Open the tenant with a reason first."
    assert not any("these reasons would do" in sentence for sentence in found.possible)


def test_it_shows_the_operator_what_went_wrong(book: PolicyBook) -> None:
    found = explain(book, replace(OVERRIDE, facts={}))
    assert found.lines()[0] == "entitlement.override: deny:policy_error"
    assert any("`days`" in error for error in found.errors)
    assert "what went wrong:" in found.lines()
    assert explain(book, replace(OVERRIDE, action=ActionKey("no.such"))).rules == ()


def test_it_simulates_roles_and_reasons(book: PolicyBook) -> None:
    assert roles_that_could(book, OVERRIDE) == (Role.SUPPORT_AGENT, Role.SUPPORT_LEAD, Role.FINANCE, Role.FINANCE_LEAD)
    assert reasons_that_could(book, replace(OVERRIDE, person=PersonKey("x"))) == ("CONTRACT_CHANGE",)
