"""Holds the parts of policies/ against each other and against the registered actions."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields

from console.domain.decisions import GroupNeed
from console.domain.ids import ActionKey, ReasonCode
from console.domain.reasons import Effect, ReasonRule
from console.domain.staff import Role, StaffKind
from console.policy.book import MACHINERY, Limits
from console.policy.cedar import NO_REASON
from console.policy.rules import Rulebook
from console.policy.schema import Declared, Question
from console.policy.workflow import Draft, Workflow

_SCHEMA = "policies/staff.cedarschema"
_LIMITS = frozenset(name.name for name in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What policy must know of a registered action."""

    key: ActionKey
    effect: Effect
    reach: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that was read, ready to be compared."""

    registered: Mapping[ActionKey, Registered]
    shape: Declared
    rules: Rulebook
    workflow: Workflow
    reasons: Mapping[ReasonCode, ReasonRule]


def cross_faults(parts: Parts) -> Iterator[str]:
    """Yield every disagreement between schema, Cedar files, TOML files and registered actions."""
    yield from _enum_faults(parts)
    yield from _one_to_one(parts)
    for key, question in parts.shape.questions.items():
        if key in parts.registered:
            yield from _action_faults(parts, parts.registered[key], question)
        yield from _limit_faults(parts, key, question)
        yield from _reason_faults(parts, key, question)
    yield from _tier_faults(parts)


def _enum_faults(parts: Parts) -> Iterator[str]:
    wanted: Mapping[str, Collection[str]] = {
        "Role": [role.value for role in Role],
        "Kind": [kind.value for kind in StaffKind],
        "Reason": [NO_REASON, *parts.reasons],
    }
    for name, values in wanted.items():
        listed = parts.shape.enums.get(name, frozenset())
        for value in sorted(set(values) - listed):
            yield f"{_SCHEMA}: entity {name} does not list {value!r}: add it."
        for value in sorted(listed - set(values)):
            yield f"{_SCHEMA}: entity {name} lists {value!r}, which nothing defines: remove it, or define it."


def _one_to_one(parts: Parts) -> Iterator[str]:
    permitted = {key for rule in parts.rules.texts.values() if rule.is_permit for key in rule.actions}
    for key in sorted(parts.registered):
        if key in MACHINERY:
            yield f"action {key}: the console itself uses this name: rename the action."
        if key not in parts.workflow.actions:
            yield f'action {key} has no rule: add [action."{key}"] to policies/actions.toml.'
    for key in sorted({*parts.registered, *MACHINERY}):
        if key not in parts.shape.questions:
            yield f'{key} is not declared: add action "{key}" to {_SCHEMA}.'
        elif key not in permitted:
            yield f"{key} has no permit, so nobody could ever do it: write one in a .cedar file."
    yield from _orphans(parts)


def _orphans(parts: Parts) -> Iterator[str]:
    for key in sorted(set(parts.shape.questions) - set(parts.registered) - MACHINERY):
        yield f'{_SCHEMA}: action "{key}" is no registered action: remove it, or register the action.'
    for name, draft in sorted(parts.workflow.actions.items()):
        if name not in parts.registered:
            yield f"{draft.place}: no such action is registered: remove the rule, or register the action."
    for name, draft in sorted(parts.workflow.verbs.items()):
        if name not in MACHINERY:
            yield f"{draft.place}: the console has no such verb: remove it, or make it an [action]."


def _action_faults(parts: Parts, action: Registered, question: Question) -> Iterator[str]:
    groups = parts.shape.all_groups(action.key)
    if "governed" not in groups:
        yield f'{_SCHEMA}: action "{action.key}" is governed but not in group "governed": add it.'
    if (action.effect is not Effect.READ) != ("changing" in groups):
        yield f'{_SCHEMA}: action "{action.key}" has the effect {action.effect}: "changing" is for all but read.'
    if action.reach == "tenant" and ("tenant_bound" not in groups or question.resources != {"Tenant"}):
        yield f'{_SCHEMA}: action "{action.key}" touches a tenant: put it in "tenant_bound", resource [Tenant].'
    if action.reach != "tenant" and ("tenant_bound" in groups or question.resources != {"House"}):
        yield f'{_SCHEMA}: action "{action.key}" touches no tenant: take it out of "tenant_bound", resource [House].'
    draft = parts.workflow.actions.get(action.key)
    if draft is None:
        return
    if action.effect is Effect.DANGEROUS and draft.step_up_minutes is None:
        yield f"{draft.place}: the action is dangerous and asks for no second factor: give step_up_minutes."
    if draft.break_glass_allowed and action.reach != "tenant":
        yield f"{draft.place}: break_glass_allowed is for actions on a tenant; this one has none: remove it."
    for code in sorted(draft.reasons):
        if action.effect not in parts.reasons[code].effects:
            yield f"{draft.place}: reason {code} does not permit the effect {action.effect}: remove it from reasons."


def _limit_faults(parts: Parts, key: ActionKey, question: Question) -> Iterator[str]:
    draft = parts.workflow.actions.get(key)
    ceilings = draft.ceilings if draft is not None else {}
    wanted = question.record("limits")
    for name in sorted(set(wanted) - _LIMITS - set(ceilings)):
        yield f'{_SCHEMA}: action "{key}" asks for the limit {name}, which nothing sets: set it as a ceiling.'
    for name in sorted(ceilings):
        if draft is not None and name not in wanted:
            yield f"{draft.place}: no rule can see the ceiling {name}: declare it in {_SCHEMA}, or remove it."
        if name in _LIMITS:
            yield f"policies/actions.toml: {key} sets the ceiling {name}, which limits.toml sets too: rename one."


def _reason_faults(parts: Parts, key: ActionKey, question: Question) -> Iterator[str]:
    draft: Draft | None = parts.workflow.actions.get(key) or parts.workflow.verbs.get(key)
    asks = bool(question.record("why"))
    if asks != ("reasoned" in parts.shape.all_groups(key)):
        yield f'{_SCHEMA}: action "{key}": group "reasoned" and context attribute why go together: add or drop one.'
    if draft is None:
        if asks:
            yield f'{key} asks for a reason but accepts none: give [verb."{key}"] reasons in policies/actions.toml.'
        return
    if asks != bool(draft.reasons):
        yield f"{draft.place}: reasons and the context attribute why in {_SCHEMA} go together: add or drop one."


def _tier_faults(parts: Parts) -> Iterator[str]:
    used = set()
    for rule in parts.rules.texts.values():
        if rule.tier is None or not rule.is_permit:
            continue
        used.add(rule.tier)
        if rule.tier not in parts.workflow.tiers:
            known = ", ".join(sorted(parts.workflow.tiers)) or "none yet"
            yield f"{rule.file}: {rule.id} names the unknown tier {rule.tier!r}: define it, or use one of {known}."
        for key in sorted(rule.actions - set(parts.registered)):
            yield f"{rule.file}: {rule.id} asks approval for {key}, which is not governed: drop @tier or the action."
    for name in sorted(set(parts.workflow.tiers) - used):
        yield f"policies/actions.toml: no permit names the tier {name!r}: name it with @tier, or remove [tier.{name}]."
    seated = {need.name for needs in parts.workflow.tiers.values() for need in needs}
    for name in sorted(set(parts.workflow.groups) - seated):
        yield f"policies/actions.toml: no tier needs the group {name!r}: use it, or remove [group.{name}]."


def quorum_faults(key: ActionKey, tiers: Mapping[str, tuple[GroupNeed, ...]], voters: frozenset[Role]) -> Iterator[str]:
    """Yield the groups that no role could ever fill, because none of their roles may vote on this action's requests."""
    for name, needs in sorted(tiers.items()):
        for need in needs:
            if not need.roles & voters:
                listed = ", ".join(sorted(need.roles)) or "no role at all"
                yield (
                    f"quorum of {key} can never be met: tier {name} needs {need.count} of group {need.name} "
                    f"({listed}), none of whom may vote on it: give the group a role that request.vote permits."
                )
