"""Worked cases: policies/cases/<action>.toml says what must come out, and runs as a test."""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.domain.decisions import Decision, DenyCode, Fact, NeedsApproval, Query
from console.domain.freezes import FreezeScope
from console.domain.ids import ActionKey, PersonKey, ReasonCode, RuleId, StaffId, TenantId
from console.domain.staff import Role, StaffKind
from console.policy.book import PolicyBook, PolicyFaultsError
from console.policy.decide import answer_of, verdicts
from console.policy.explain import said
from console.policy.tables import Table

_NEVER = ("approvals", "allows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One worked example: a question, and the answer that policy must give.

    Shape: `groups` (group to count) and `rules` are compared only where the case states them.
    """

    file: str
    name: str
    query: Query
    expect: str
    groups: Mapping[str, int] | None = None
    rules: frozenset[RuleId] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """The cases of one action, and what the file states can never happen."""

    action: ActionKey
    file: str
    never: frozenset[str]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one case ended. Shape: `rules` are those that determined the answer; `fault` is empty when it is met."""

    case: Case
    decision: Decision
    rules: frozenset[RuleId]
    fault: str

    @property
    def is_met(self) -> bool:
        """Return whether policy answered as the case expects."""
        return not self.fault


def load_cases(folder: Path) -> tuple[CaseFile, ...]:
    """Return the case files of a policy folder; raises PolicyFaultsError with every fault."""
    faults: list[str] = []
    files = []
    for path in sorted((folder / "cases").glob("*.toml")):
        place = f"policies/cases/{path.name}"
        try:
            table = Table(place, tomllib.loads(path.read_text(encoding="utf-8")), faults)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            faults.append(f"{place}: cannot be read ({error}): correct the syntax.")
            continue
        files.append(_file(ActionKey(path.stem), table))
    if faults:
        raise PolicyFaultsError(faults)
    return tuple(files)


def run_cases(book: PolicyBook, cases: Sequence[Case]) -> tuple[Outcome, ...]:
    """Return how each case ends under a policy."""
    answers = verdicts(book, [case.query for case in cases])
    outcomes = []
    for case, verdict in zip(cases, answers, strict=True):
        decision = answer_of(book, case.query, verdict)
        rules = frozenset(verdict.rules) if verdict is not None else frozenset[RuleId]()
        outcomes.append(Outcome(case=case, decision=decision, rules=rules, fault=_fault(case, decision, rules)))
    return tuple(outcomes)


def missing_cases(book: PolicyBook, files: Collection[CaseFile]) -> Iterator[str]:
    """Yield what the worked cases leave out: an action, an outcome, or a deny code that an action can give."""
    by_action = {file.action: file for file in files}
    for key in sorted(set(by_action) - set(book.handles.forms)):
        yield f"{by_action[key].file}: there is no action {key}: rename or remove the file."
    for key in sorted(book.handles.forms):
        file = by_action.get(key)
        if file is None:
            yield f"policies/cases/{key}.toml: is missing: write the worked cases of {key}."
        else:
            yield from _gaps(book, file)


def deny_codes(book: PolicyBook, action: ActionKey) -> frozenset[DenyCode]:
    """Return every code with which policy can refuse an action."""
    codes = {rule.deny_code for rule in book.rules.values() if action in rule.actions and rule.deny_code is not None}
    return frozenset({*codes, DenyCode.ROLE_MISSING})


def _gaps(book: PolicyBook, file: CaseFile) -> Iterator[str]:
    expected = {case.expect.partition(":")[0] for case in file.cases}
    for outcome, word in (("allow", "allows"), ("needs_approval", "approvals")):
        if (outcome in expected) == (word in file.never):
            yield f'{file.file}: give a case that expects {outcome}, or state {word} = "none"; exactly one of both.'
    if book.step_up_minutes(file.action) is not None and "needs_step_up" not in expected:
        yield f"{file.file}: no case expects needs_step_up, which this action asks for: add one."
    told = {case.expect.removeprefix("deny:") for case in file.cases if case.expect.startswith("deny:")}
    for code in sorted(deny_codes(book, file.action) - told):
        yield f"{file.file}: no case expects deny:{code}, which this action can give: add one."


def _fault(case: Case, decision: Decision, rules: frozenset[RuleId]) -> str:
    if said(decision) != case.expect:
        return f"expected {case.expect}, policy says {said(decision)} by {', '.join(sorted(rules)) or 'no rule'}"
    needs = {need.name: need.count for need in decision.needs} if isinstance(decision, NeedsApproval) else {}
    if case.groups is not None and needs != case.groups:
        return f"expected approval by {dict(case.groups)}, policy says {needs}"
    if case.rules is not None and rules != case.rules:
        return f"expected the rules {', '.join(sorted(case.rules))}, policy says {', '.join(sorted(rules))}"
    return ""


def _file(action: ActionKey, table: Table) -> CaseFile:
    never = frozenset(word for word in _NEVER if table.choice(word, ("", "none"), "") == "none")
    base = table.mapping("base")
    cases = []
    for number, inner in enumerate(table.rows("case"), start=1):
        inner.place = f"{table.place} case {number}"
        cases.append(_case(action, table.place, base, inner))
        inner.done()
    table.done()
    names = [case.name for case in cases]
    for name in sorted({name for name in names if names.count(name) > 1}):
        table.fault(f"two cases are named {name!r}: rename one.")
    return CaseFile(action=action, file=table.place, never=never, cases=tuple(cases))


def _case(action: ActionKey, file: str, base: Mapping[str, Any], table: Table) -> Case:
    name, expect = table.text("name"), table.text("expect")
    changes = table.mapping("with")
    merged = {**base, **changes, "facts": {**base.get("facts", {}), **changes.get("facts", {})}}
    groups = table.counts("groups") if table.has("groups") else None
    rules = frozenset(map(RuleId, table.names("rules"))) if table.has("rules") else None
    query = _query(action, Table(f"{table.place} ({name})", merged, table.faults))
    return Case(file=file, name=name, query=query, expect=expect, groups=groups, rules=rules)


def _query(action: ActionKey, table: Table) -> Query:
    """Return the question of a case; who is asking is called `me` unless the case says otherwise."""
    roles = table.names_or_none("roles", known=tuple(Role), kind="role")
    tenant, lease, reason = (table.text(key) if table.has(key) else "" for key in ("tenant", "lease", "reason"))
    facts: dict[str, Fact] = dict(table.mapping("facts"))
    query = Query(
        actor=StaffId("me"),
        person=PersonKey(table.text("person") if table.has("person") else "me"),
        roles=frozenset(Role(role) for role in roles),
        kind=table.choice("kind", tuple(StaffKind), StaffKind.PERSON),
        action=action,
        tenant=TenantId(tenant) if tenant and tenant != "none" else None,
        leased_tenant=TenantId(lease) if lease and lease != "none" else None,
        reason=ReasonCode(reason) if reason and reason != "none" else None,
        step_up_age_s=table.number("step_up_age_s", least=-1) if table.has("step_up_age_s") else -1,
        requesters=frozenset(map(PersonKey, table.names_or_none("requesters"))),
        frozen=table.choice("frozen", ("", *FreezeScope), ""),
        facts=facts,
    )
    table.done()
    return query
