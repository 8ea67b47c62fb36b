"""Reads the Cedar files: each policy's id, sentence, code and scope, and everything wrong with them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cedarpy

from console.domain.decisions import DenyCode
from console.domain.ids import ActionKey, RuleId
from console.domain.staff import Role, StaffKind
from console.policy.book import RuleText
from console.policy.schema import Declared

_ANNOTATIONS = frozenset({"id", "reason", "deny", "remedy", "tier"})
_ALWAYS_FILLED = frozenset({"reasons", "lease_minutes"})
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_CODES = {code.value: code for code in DenyCode}


@dataclass(slots=True)
class Rulebook:
    """All policies by id: as people read them, and as JSON for Cedar."""

    texts: dict[RuleId, RuleText] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=dict)

    def policy_set(self) -> str:
        """Return the policies as one JSON document in which every policy's id is its own @id."""
        return json.dumps({"templates": {}, "staticPolicies": self.policies, "templateLinks": []})

    def names(self, kind: str) -> bool:
        """Return whether a rule names one entity of a kind, instead of comparing those that it is asked about."""
        return any(_names(policy, kind) for policy in self.policies.values())


def _names(part: object, kind: str) -> bool:
    if isinstance(part, dict):
        return (part.get("type") == kind and "id" in part) or any(_names(each, kind) for each in part.values())
    return isinstance(part, list) and any(_names(each, kind) for each in part)


def parsed_files(files: Mapping[str, str], faults: list[str]) -> dict[str, dict[str, Any]]:
    """Return the Cedar files as Cedar's own JSON; adds one fault per file that Cedar cannot read."""
    found = {}
    for file, text in files.items():
        try:
            found[file] = json.loads(cedarpy.policies_to_json_str(text))
        except ValueError as error:
            said = " ".join(str(error).split())
            faults.append(f"{file}: Cedar cannot read it ({said}): correct the syntax.")
    return found


def read_rules(files: Mapping[str, Mapping[str, Any]], shape: Declared, faults: list[str]) -> Rulebook:
    """Return the rules of all Cedar files."""
    found = Rulebook()
    for file, parsed in files.items():
        if parsed["templates"]:
            faults.append(f"{file}: templates (?principal, ?resource) are not used here: write each rule out.")
        for place, policy in enumerate(_in_order(parsed["staticPolicies"]), start=1):
            _take(found, file, place, policy, shape=shape, faults=faults)
    return found


def _take(
    found: Rulebook, file: str, place: int, policy: Mapping[str, Any], *, shape: Declared, faults: list[str]
) -> None:
    annotations = {key: value or "" for key, value in policy.get("annotations", {}).items()}
    name = annotations.get("id", "").strip()
    if not name:
        faults.append(f'{file}: policy number {place} has no @id: give it a stable, unique @id("area.what").')
        return
    if name in found.texts:
        first = found.texts[RuleId(name)].file
        faults.append(f"{file}: @id {name!r} is used already in {first}: give one of them another id.")
        return
    text = RuleText(
        id=RuleId(name),
        file=file,
        sentence=annotations.get("reason", "").strip(),
        deny_code=_CODES.get(annotations.get("deny", "")) if policy["effect"] == "forbid" else None,
        remedy=annotations.get("remedy", "").strip(),
        tier=annotations.get("tier"),
        actions=_actions(policy["action"], shape),
        roles=frozenset(Role(role) for role in _named(policy, "Role") if role in set(Role)),
        kinds=frozenset(StaffKind(kind) for kind in _named(policy, "Kind") if kind in set(StaffKind)),
    )
    found.texts[text.id] = text
    found.policies[name] = policy
    faults.extend(f"{file}: {name} {fault}" for fault in _faults(policy, annotations, text, shape))


def _faults(
    policy: Mapping[str, Any], annotations: Mapping[str, str], text: RuleText, shape: Declared
) -> Iterator[str]:
    if not text.sentence:
        yield 'has no @reason: give one plain sentence, @reason("…").'
    for extra in sorted(set(annotations) - _ANNOTATIONS):
        yield f"has the unknown annotation @{extra}: use only @{', @'.join(sorted(_ANNOTATIONS))}."
    if policy["effect"] == "forbid":
        yield from _forbid_faults(annotations, text, shape)
        return
    for wrong in ("deny", "remedy"):
        if wrong in annotations:
            yield f"is a permit and has @{wrong}, which only a forbid can have: remove it."
    if policy["action"]["op"] == "All":
        yield "permits every action: name the actions it is for."
    if not text.roles and not text.kinds:
        yield "permits without naming a role or a kind: say who may."


def _forbid_faults(annotations: Mapping[str, str], text: RuleText, shape: Declared) -> Iterator[str]:
    if text.deny_code is None:
        given = annotations.get("deny", "")
        yield f"forbids with @deny({given!r}), which is no deny code: use one of docs/refusals.md."
    if not text.remedy:
        yield 'has no @remedy: say what would make it possible, @remedy("…").'
    if "tier" in annotations:
        yield "is a forbid and has @tier, which only a permit can have: remove it."
    for name in _PLACEHOLDER.findall(text.remedy):
        fits = all(name in shape.questions[key].record("limits") for key in text.actions)
        if name not in _ALWAYS_FILLED and not fits:
            yield f"speaks of {{{name}}} in its @remedy, which its actions have no limit for: name one of their limits."


def _actions(scope: Mapping[str, Any], shape: Declared) -> frozenset[ActionKey]:
    if scope["op"] == "All":
        return frozenset(shape.questions)
    named = {entity["id"] for entity in scope.get("entities", [scope.get("entity", {"id": ""})])}
    return frozenset(key for key in shape.questions if key in named or shape.all_groups(key) & named)


def _named(node: object, kind: str) -> Iterator[str]:
    """Yield the ids of all entities of one type that a policy's text names."""
    if isinstance(node, dict):
        if node.get("type") == kind and "id" in node:
            yield str(node["id"])
        for inner in node.values():
            yield from _named(inner, kind)
    elif isinstance(node, list):
        for inner in node:
            yield from _named(inner, kind)


def _in_order(policies: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [policies[key] for key in sorted(policies, key=lambda key: int(key.removeprefix("policy")))]
