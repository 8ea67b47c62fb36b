"""Cedar and the hand-written oracle give the same answer to every question."""

import random
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from console.domain.decisions import Allow, Decision, Deny, DenyCode, Fact, NeedsApproval, NeedsStepUp, Query
from console.domain.freezes import FreezeScope
from console.domain.ids import ActionKey, PersonKey, ReasonCode, StaffId, TenantId
from console.domain.staff import Role, StaffKind
from console.policy.book import IMPORTANCE, PolicyBook
from console.policy.decide import decide, decide_many
from console.policy.schema import Question
from tests.policy.oracle import expected

_INTERESTING = (
    0,
    1,
    2,
    3,
    11,
    12,
    13,
    20,
    21,
    29,
    30,
    31,
    40,
    41,
    60,
    61,
    100,
    101,
    399,
    400,
    401,
    500,
    501,
    2000,
    2001,
)
_NUMBERS = st.one_of(st.sampled_from(_INTERESTING), st.integers(-5, 1_000_000))
_VALUES: dict[str, tuple[Fact, ...]] = {"Bool": (False, True), "Long": _INTERESTING}
_TENANTS = st.sampled_from([None, TenantId("acme"), TenantId("globex")])
_TEXTS: dict[str, Any] = {
    "scope": st.sampled_from(["tenant", "all", "everything"]),
    "action_key": st.sampled_from(["tenant.suspend", "freeze.lift"]),
}


def _fact(name: str, kind: str) -> st.SearchStrategy[Any]:
    if name == "is_raise":
        return st.booleans()
    text: st.SearchStrategy[Any] = _TEXTS.get(name, st.just("overview"))
    return {"Bool": st.booleans(), "Long": _NUMBERS}.get(kind, text)


def _facts(question: Question) -> st.SearchStrategy[dict[str, Any]]:
    wanted = question.record("facts")
    needed = {name: _fact(name, str(kind.type)) for name, kind in wanted.items() if kind.is_required}
    optional = {name: _fact(name, str(kind.type)) for name, kind in wanted.items() if not kind.is_required}
    return st.fixed_dictionaries(needed, optional=optional)


def _query(book: PolicyBook, data: st.DataObject) -> Query:
    action = data.draw(st.sampled_from(sorted(book.handles.forms)))
    kind = data.draw(st.sampled_from([StaffKind.PERSON, StaffKind.PERSON, StaffKind.PERSON, *StaffKind]))
    # likely questions first, so that most draws get past the first refusal
    could = sorted(book.could[action].roles) or list(Role)
    roles = data.draw(st.one_of(st.sampled_from(could).map(lambda role: {role}), st.sets(st.sampled_from(list(Role)))))
    likely = sorted(book.accepted(action)) or [ReasonCode("STAFF_CHANGE")]
    reason = data.draw(st.one_of(st.sampled_from(likely), st.sampled_from([None, *sorted(book.reasons)])))
    tenant = data.draw(_TENANTS)
    return Query(
        actor=StaffId("stf"),
        person=PersonKey(data.draw(st.sampled_from(["me", "other"]))),
        roles=frozenset(roles),
        kind=kind,
        action=ActionKey(action),
        tenant=tenant,
        leased_tenant=data.draw(st.one_of(st.just(tenant), _TENANTS)),
        reason=reason,
        step_up_age_s=data.draw(st.sampled_from([-1, 0, 60, 600, 601])),
        must_confirm=data.draw(st.sampled_from([False, False, True])),
        requesters=frozenset(data.draw(st.sets(st.sampled_from([PersonKey("me"), PersonKey("third")])))),
        frozen=data.draw(st.sampled_from(["", "", "", *FreezeScope])),
        facts=data.draw(_facts(book.handles.questions[ActionKey(action)])),
    )


def _check(book: PolicyBook, query: Query, got: Decision) -> None:
    want = expected(book, query)
    match got:
        case Deny(code=code, rules=rules):
            said = {book.rules[rule].deny_code for rule in rules} - {DenyCode.ROLE_MISSING}
            assert want.codes - {"role_missing"} == said, query
            assert code == min((DenyCode(name) for name in want.codes), key=IMPORTANCE.index), query
        case NeedsStepUp():
            assert (want.step_up, want.codes) == (True, frozenset()), query
        case NeedsApproval(needs=needs):
            assert (want.step_up, want.codes) == (False, frozenset()), query
            assert {(need.name, need.count) for need in needs} == want.groups, query
        case Allow():
            assert (want.step_up, want.codes, want.groups) == (False, frozenset(), frozenset()), query


@seed(20261120)
@settings(max_examples=400, deadline=None, database=None)
@given(data=st.data())
def test_it_answers_as_the_oracle_does(book: PolicyBook, data: st.DataObject) -> None:
    query = _query(book, data)
    _check(book, query, decide(book, query))


@pytest.mark.parametrize("group", range(4))
def test_it_answers_as_the_oracle_does_for_every_action_and_role(book: PolicyBook, group: int) -> None:
    rng = random.Random(group)
    everybody = [
        *({role} for role in Role),
        set(),
        {Role.ADMINISTRATOR, Role.SUPPORT_LEAD},
        {Role.FINANCE, Role.ENGINEER},
    ]
    queries = [
        _drawn(book, rng, action, frozenset(roles))
        for action in sorted(book.handles.forms)[group::4]
        for roles in everybody
        for _ in range(8)
    ]
    for query, answer in zip(queries, decide_many(book, queries), strict=True):
        _check(book, query, answer)


def _drawn(book: PolicyBook, rng: random.Random, action: ActionKey, roles: frozenset[Role]) -> Query:
    wanted = book.handles.questions[action].record("facts")
    facts: dict[str, Fact] = {}
    for name, kind in wanted.items():
        values = _VALUES.get(str(kind.type), ("tenant", "all"))
        if kind.is_required or rng.random() < 0.5:
            facts[name] = rng.choice(values)
    tenant = rng.choice([None, *[TenantId("acme")] * 4])
    return Query(
        actor=StaffId("stf"),
        person=PersonKey("me"),
        roles=roles,
        kind=rng.choice([StaffKind.PERSON] * 6 + [StaffKind.SERVICE, StaffKind.OPERATOR]),
        action=action,
        tenant=tenant,
        leased_tenant=rng.choice([tenant] * 5 + [None, TenantId("globex")]),
        reason=rng.choice([*sorted(book.accepted(action)) * 3, None, *sorted(book.reasons)]),
        step_up_age_s=rng.choice([-1, 0, 600, 600, 600, 601]),
        must_confirm=rng.random() < 0.1,
        requesters=frozenset(rng.choice([(), (), (PersonKey("me"),), (PersonKey("third"),)])),
        frozen=rng.choice(["", "", "", "", *FreezeScope]),
        facts=facts,
    )
