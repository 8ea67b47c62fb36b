"""The only module that speaks to Cedar: handles parsed once, questions out, verdicts with rule ids back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cedarpy

from console.domain.decisions import Query
from console.domain.ids import ActionKey, PersonKey, ReasonCode, RuleId, TenantId
from console.domain.reasons import ReasonRule
from console.domain.staff import Role, StaffKind
from console.policy.schema import Question

NO_REASON = "NONE"

_Who = tuple[PersonKey, StaffKind, frozenset[Role]]
_Asked = tuple[object, ...]
_MOST_REMEMBERED = 20_000
_MOST_PEOPLE = 1_000
_TENANT, _ANOTHER = TenantId("one tenant"), TenantId("another tenant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the question about one action is filled in.

    Shape: `whys` holds the finished JSON per reason code, or nothing for an action that asks for no reason.
    """

    takes_tenant: bool
    takes_house: bool
    takes_facts: bool
    whys: Mapping[str, str]
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handles:
    """Policies and schema as Cedar parsed them, and the form of each question.

    Shape: `names_tenants` where a policy names one itself; else which tenant it is never matters, only whether it is
    the leased one, and a tenant that nobody asked about yet costs nothing anew.
    """

    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    forms: Mapping[ActionKey, Form]
    questions: Mapping[ActionKey, Question]
    names_tenants: bool
    memo: dict[_Asked, "Verdict"] = field(default_factory=dict, repr=False, compare=False)
    people: dict[tuple[_Who, ...], cedarpy.Entities] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Cedar's answer: allowed or not, which rules determined it, and what went wrong on the way."""

    is_allowed: bool
    rules: tuple[RuleId, ...]
    errors: tuple[str, ...]


def form_of(
    question: Question,
    *,
    accepted: frozenset[ReasonCode],
    effect: str,
    reasons: Mapping[ReasonCode, ReasonRule],
    numbers: Mapping[str, int],
) -> Form:
    """Return the form of one question, with everything that does not depend on who asks already written."""
    limits = {name: numbers[name] for name in question.record("limits") if name in numbers}
    whys: dict[str, str] = {}
    if question.record("why"):
        whys = {code: _why(code, rule, accepted=accepted, effect=effect) for code, rule in reasons.items()}
        whys[""] = _why(NO_REASON, None, accepted=accepted, effect=effect)
    return Form(
        takes_tenant="Tenant" in question.resources,
        takes_house="House" in question.resources,
        takes_facts=bool(question.record("facts")),
        whys=whys,
        limits=json.dumps(limits) if question.record("limits") else "",
    )


def ask(handles: Handles, queries: Sequence[Query]) -> tuple[Verdict, ...]:
    """Return Cedar's verdicts; every query's action must have a form.

    A verdict is a pure function of the question, and a page asks the same ones again and again: they are remembered.
    """
    asked = [_asked(handles, query) for query in queries]
    known = {mark: verdict for mark in asked if (verdict := handles.memo.get(mark)) is not None}
    missing = {mark: query for mark, query in zip(asked, queries, strict=True) if mark not in known}
    if missing:
        known |= dict(zip(missing, _ask_cedar(handles, tuple(missing.values())), strict=True))
        if len(handles.memo) > _MOST_REMEMBERED:
            handles.memo.clear()
        handles.memo.update(known)
    return tuple(known[mark] for mark in asked)


def _asked(handles: Handles, query: Query) -> _Asked:
    """Return all of a question that reaches Cedar; types count, since 1 and true are different facts."""
    facts = tuple((name, type(value), value) for name, value in sorted(query.facts.items()))
    who = (query.person, query.kind, query.roles)
    return (query.action, who, _tenants(handles, query), query.reason, query.requesters, query.frozen, facts)


def _tenants(handles: Handles, query: Query) -> tuple[str | None, str | None]:
    """Return the tenant and the leased one as Cedar is told of them: by name only where some policy names one.

    A tenant has neither attributes nor parents (staff.cedarschema), so rules can only compare the two. None and an
    empty name stay what they are, and so does a name that Cedar could not read.
    """
    tenant, leased = query.tenant, query.leased_tenant
    if handles.names_tenants or not (tenant or "").isascii() or not (leased or "").isascii():
        return tenant, leased
    return tenant and _TENANT, leased and (_TENANT if leased == tenant else _ANOTHER)


def _ask_cedar(handles: Handles, queries: Sequence[Query]) -> tuple[Verdict, ...]:
    principals: dict[_Who, str] = {}
    requests = []
    for query in queries:
        who = (query.person, query.kind, query.roles)
        name = principals.setdefault(who, str(len(principals)))
        requests.append(_request(handles.forms[query.action], query, name, tenants=_tenants(handles, query)))
    try:
        people = _people(handles, tuple(principals))
        answers = cedarpy.is_authorized_batch(requests, handles.policies, people, handles.schema)
    except UnicodeEncodeError as error:  # an id with half a character in it names nothing
        return tuple(Verdict(is_allowed=False, rules=(), errors=(str(error),)) for _ in queries)
    return tuple(_verdict(answer) for answer in answers)


def _people(handles: Handles, principals: tuple[_Who, ...]) -> cedarpy.Entities | str:
    """Return who asks, as Cedar parsed them; roles come from the store with every question, and are part of the key.

    Shape: whom Cedar cannot read is told as text, so that its answers say so.
    """
    known = handles.people.get(principals)
    if known is None:
        if len(handles.people) >= _MOST_PEOPLE:
            handles.people.clear()
        told = json.dumps([_person(str(number), who) for number, who in enumerate(principals)])
        try:
            known = handles.people[principals] = cedarpy.Entities.from_json_str(told, handles.schema)
        except ValueError:
            return told
    return known


def _request(form: Form, query: Query, principal: str, *, tenants: tuple[str | None, str | None]) -> dict[str, object]:
    tenant, leased = tenants
    call = {
        "has_lease": leased is not None,
        "lease": {"type": "Tenant", "id": leased or ""},
        "requesters": sorted(query.requesters),
        "frozen": query.frozen,
    }
    parts = [f'"call":{json.dumps(call)}']
    if form.whys:
        parts.append(f'"why":{form.whys[query.reason or ""]}')
    if form.limits:
        parts.append(f'"limits":{form.limits}')
    if form.takes_facts or query.facts:  # facts that nobody declared make the question ill-typed, which denies
        parts.append(f'"facts":{json.dumps(dict(query.facts))}')
    is_tenant = form.takes_tenant and (tenant is not None or not form.takes_house)
    return {
        "principal": {"type": "Staff", "id": principal},
        "action": {"type": "Action", "id": query.action},
        "resource": {"type": "Tenant", "id": tenant or ""} if is_tenant else {"type": "House", "id": "console"},
        "context": "{" + ",".join(parts) + "}",
    }


def _person(name: str, who: _Who) -> dict[str, object]:
    person, kind, roles = who
    return {
        "uid": {"type": "Staff", "id": name},
        "attrs": {"kind": {"__entity": {"type": "Kind", "id": kind}}, "person": person},
        "parents": [{"type": "Role", "id": role} for role in sorted(roles)],
    }


def _why(code: str, rule: ReasonRule | None, *, accepted: frozenset[ReasonCode], effect: str) -> str:
    return json.dumps(
        {
            "reason": {"type": "Reason", "id": code},
            "accepted": [{"type": "Reason", "id": name} for name in sorted(accepted)],
            "effect": effect,
            "effects": sorted(rule.effects) if rule is not None else [],
            "minutes": rule.lease_minutes if rule is not None else 0,
        }
    )


def _verdict(answer: cedarpy.AuthzResult) -> Verdict:
    errors = tuple(answer.diagnostics.errors)
    return Verdict(
        # A rule that fails is skipped by Cedar, so a failed forbid would allow: any error denies.
        is_allowed=answer.allowed and not errors,
        rules=tuple(RuleId(rule) for rule in sorted(answer.diagnostics.reasons)),
        errors=errors,
    )
