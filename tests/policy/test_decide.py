"""Answers: strictest tiers, errors that deny, the order of refusals, the second factor, batches."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.actions.registry import registered
from console.domain.decisions import Allow, Deny, DenyCode, GroupNeed, NeedsApproval, NeedsStepUp, Query
from console.domain.ids import ActionKey, PersonKey, ReasonCode, StaffId, TenantId
from console.domain.staff import Role, StaffKind
from console.policy import cedar
from console.policy.book import IMPORTANCE, PolicyBook
from console.policy.decide import decide, decide_many, neutral_facts, strictest
from console.policy.load import load_book
from tests.policy.folders import add, copied
from tests.policy.governed import GOVERNED

OVERRIDE = Query(
    actor=StaffId("stf_agent"),
    person=PersonKey("idp|agent"),
    roles=frozenset({Role.SUPPORT_AGENT}),
    kind=StaffKind.PERSON,
    action=ActionKey("entitlement.override"),
    tenant=TenantId("ten_acme"),
    leased_tenant=TenantId("ten_acme"),
    reason=ReasonCode("CONTRACT_CHANGE"),
    step_up_age_s=0,
    facts={"is_paid_raise": True, "is_raise": True, "increase_percent": 50, "days": 30},
)


def _denied(book: PolicyBook, query: Query) -> Deny:
    answer = decide(book, query)
    assert isinstance(answer, Deny)
    return answer


def test_it_names_the_groups_that_must_agree(book: PolicyBook) -> None:
    answer = decide(book, OVERRIDE)
    need = GroupNeed(name="finance_lead", roles=frozenset({Role.FINANCE_LEAD}), count=1)
    assert answer == NeedsApproval(rules=answer.rules, needs=(need,))
    assert answer.rules == ("override.paid_raise",)


def test_it_takes_the_strictest_of_all_tiers() -> None:
    lead = GroupNeed(name="lead", roles=frozenset({Role.SUPPORT_LEAD}), count=1)
    two = replace(lead, count=2)
    money = GroupNeed(name="money", roles=frozenset({Role.FINANCE_LEAD}), count=1)
    assert strictest([(lead,), (two, money), (lead,)]) == (two, money)
    assert strictest([]) == ()


def test_it_asks_for_a_second_factor_before_approval_and_after_denials(book: PolicyBook) -> None:
    tired = replace(OVERRIDE, step_up_age_s=-1)
    assert decide(book, tired) == NeedsStepUp(rules=decide(book, OVERRIDE).rules, max_age_s=600)
    assert isinstance(decide(book, replace(OVERRIDE, step_up_age_s=600)), NeedsApproval)
    assert isinstance(decide(book, replace(OVERRIDE, step_up_age_s=601)), NeedsStepUp)
    assert _denied(book, replace(tired, leased_tenant=None)).code is DenyCode.NO_LEASE


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"days": 30},
        {**OVERRIDE.facts, "days": "30"},
        {**OVERRIDE.facts, "days": True},
        {**OVERRIDE.facts, "days": 2**63},
        {**OVERRIDE.facts, "is_paid_raise": 0},
        {**OVERRIDE.facts, "is_approved": True},
    ],
)
def test_it_denies_a_question_of_another_shape(book: PolicyBook, facts: Mapping[str, Any]) -> None:
    denied = _denied(book, replace(OVERRIDE, facts=facts))
    assert denied.code is DenyCode.POLICY_ERROR
    assert denied.remedy


def test_it_denies_facts_that_nobody_declared(book: PolicyBook) -> None:
    query = replace(OVERRIDE, action=ActionKey("tenant.add_note"), reason=ReasonCode("CUSTOMER_SUPPORT"), facts={})
    assert isinstance(decide(book, query), Allow)
    assert _denied(book, replace(query, facts={"is_safe": True})).code is DenyCode.POLICY_ERROR


@pytest.mark.parametrize("effect", ["forbid", "permit"])
def test_it_denies_when_a_rule_fails(tmp_path: Path, effect: str) -> None:
    scope = 'principal in Role::"support_agent", action == Action::"entitlement.override", resource'
    rest = {"forbid": '@deny("budget_spent") @remedy("None.")', "permit": '@tier("support")'}[effect]
    # Cedar skips a rule that overflows, so with its own answer alone a failing guard rail would let the action pass
    condition = "context.facts.days * 9223372036854775807 > 9"
    broken = f'@id("x.overflow") @reason("It overflows.") {rest} {effect}({scope}) when {{ {condition} }};'
    book = load_book(copied(tmp_path, add("x.cedar", broken)), GOVERNED)
    assert _denied(book, OVERRIDE).code is DenyCode.POLICY_ERROR


def test_it_cannot_be_asked_for_an_unknown_action_or_reason(book: PolicyBook) -> None:
    assert _denied(book, replace(OVERRIDE, action=ActionKey("tenant_bound"))).code is DenyCode.UNKNOWN_ACTION
    unknown = _denied(book, replace(OVERRIDE, reason=ReasonCode("BECAUSE")))
    assert (unknown.code, unknown.field) == (DenyCode.REASON_UNKNOWN, "code")
    assert _denied(book, replace(OVERRIDE, reason=ReasonCode("NONE"))).code is DenyCode.REASON_UNKNOWN


def test_it_tells_the_most_important_refusal_first_and_lists_all(book: PolicyBook) -> None:
    facts = {**OVERRIDE.facts, "days": 9_999, "increase_percent": 9_999}
    denied = _denied(book, replace(OVERRIDE, facts=facts, leased_tenant=TenantId("ten_other")))
    assert denied.code is DenyCode.WRONG_TENANT
    assert denied.rules == ("tenant.wrong_tenant", "override.ceiling", "override.expiry")
    ranks = [IMPORTANCE.index(code) for rule in denied.rules if (code := book.rules[rule].deny_code) is not None]
    assert ranks == sorted(ranks)


def test_it_fills_numbers_into_remedies(book: PolicyBook) -> None:
    far = _denied(book, replace(OVERRIDE, facts={**OVERRIDE.facts, "days": 401}))
    assert far.remedy == "Choose an end 1 to 400 days from now."
    lease = replace(
        OVERRIDE, action=ActionKey("lease.open"), facts={**neutral_facts(book, ActionKey("lease.open")), "minutes": 99}
    )
    assert _denied(book, lease).remedy == "Ask for 1 to 15 minutes."


def test_it_names_the_roles_that_could(book: PolicyBook) -> None:
    denied = _denied(book, replace(OVERRIDE, roles=frozenset({Role.ENGINEER})))
    assert denied.code is DenyCode.ROLE_MISSING
    assert denied.remedy == "These could: Finance, Finance lead, Support agent, Support lead."


def test_it_keeps_people_apart_in_one_batch(book: PolicyBook) -> None:
    other = replace(OVERRIDE, roles=frozenset({Role.ENGINEER}))
    shell = replace(OVERRIDE, kind=StaffKind.OPERATOR, roles=frozenset())
    unknown = replace(OVERRIDE, action=ActionKey("no.such"))
    queries = [OVERRIDE, other, unknown, shell, OVERRIDE]
    assert decide_many(book, queries) == tuple(decide(book, query) for query in queries)
    assert decide_many(book, []) == ()


@pytest.mark.parametrize("text", ['x"y\\', "\ud800", "é\n\u202e", 'Tenant::"x"', "a" * 10_000, "\0"])
def test_it_takes_any_text_as_an_id_and_never_permits_by_it(book: PolicyBook, text: str) -> None:
    assert isinstance(decide(book, replace(OVERRIDE, tenant=TenantId(text))), Deny)
    assert isinstance(decide(book, replace(OVERRIDE, person=PersonKey(text), leased_tenant=None)), Deny)
    assert isinstance(
        decide(book, replace(OVERRIDE, leased_tenant=TenantId(text), requesters=frozenset({PersonKey(text)}))), Deny
    )


@pytest.mark.parametrize("key", [key for key, _, _ in GOVERNED])
def test_it_has_neutral_facts_that_trip_no_limit(book: PolicyBook, key: str) -> None:
    for role in Role:
        query = replace(
            OVERRIDE, roles=frozenset({role}), action=ActionKey(key), facts=neutral_facts(book, ActionKey(key))
        )
        answers = decide_many(book, [replace(query, reason=code) for code in book.accepted(ActionKey(key))])
        codes = {answer.code for answer in answers if isinstance(answer, Deny)}
        assert codes <= {DenyCode.ROLE_MISSING, DenyCode.REASON_NOT_ACCEPTED}
    assert neutral_facts(book, ActionKey("no.such")) == {}


def test_it_knows_exactly_the_registered_actions() -> None:
    actions = registered(())
    assert sorted((a.key, a.effect, str(a.reach)) for a in actions.values()) == sorted(GOVERNED)


def test_it_answers_of_a_tenant_that_is_new_to_it_as_of_any_other(book: PolicyBook) -> None:
    stranger = replace(OVERRIDE, tenant=TenantId("ten_new"), leased_tenant=TenantId("ten_new"))
    assert decide(book, stranger) == decide(book, OVERRIDE)
    remembered = len(book.handles.memo)
    assert decide(book, replace(stranger, tenant=TenantId("ten_x"), leased_tenant=TenantId("ten_x"))) == decide(
        book, OVERRIDE
    )
    assert len(book.handles.memo) == remembered, "no name of a tenant makes it another question"


@pytest.mark.parametrize("tenant", ["ten_acme", "one tenant", "another tenant", "tén", None])
@pytest.mark.parametrize("leased", ["ten_acme", "one tenant", "another tenant", "tén", None])
def test_it_tells_the_leased_tenant_from_any_other(book: PolicyBook, tenant: str | None, leased: str | None) -> None:
    asked = Query(
        actor=StaffId("stf_agent"),
        person=PersonKey("idp|agent"),
        roles=frozenset({Role.SUPPORT_AGENT}),
        kind=StaffKind.PERSON,
        action=ActionKey("tenant.read"),
        tenant=None if tenant is None else TenantId(tenant),
        leased_tenant=None if leased is None else TenantId(leased),
        reason=None,
        step_up_age_s=0,
        facts=neutral_facts(book, ActionKey("tenant.read")),
    )
    expected = Allow if tenant is not None and tenant == leased else Deny
    assert isinstance(decide(book, asked), expected)


def test_a_rule_that_names_a_tenant_is_asked_by_its_name(tmp_path: Path) -> None:
    kept = """
@id("override.not_of_acme")
@reason("Overrides of this tenant go through its contract.")
@deny("reason_not_accepted")
@remedy("Change the contract.")
forbid(principal, action == Action::"entitlement.override", resource == Tenant::"ten_acme");
"""
    actions = [(each.key, each.effect, each.reach.value) for each in registered().values()]
    edited = load_book(copied(tmp_path, add("overrides.cedar", kept)), actions)
    assert _denied(edited, OVERRIDE).rules[0] == "override.not_of_acme"
    elsewhere = replace(OVERRIDE, tenant=TenantId("ten_zeta"), leased_tenant=TenantId("ten_zeta"))
    assert isinstance(decide(edited, elsewhere), NeedsApproval)


def test_what_it_remembers_stays_bounded_and_its_answers_stay_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cedar, "_MOST_REMEMBERED", 5)
    monkeypatch.setattr(cedar, "_MOST_PEOPLE", 3)
    own = load_book(copied(tmp_path), GOVERNED)
    crowd = [replace(OVERRIDE, person=PersonKey(f"idp|{number}")) for number in range(30)]
    crowd += [replace(each, leased_tenant=None) for each in crowd[:7]]
    first = [decide(own, each) for each in crowd]
    assert [decide(own, each) for each in crowd] == first
    assert [type(each) for each in first] == [NeedsApproval] * 30 + [Deny] * 7
    assert len(own.handles.memo) <= 6
    assert len(own.handles.people) <= 3
