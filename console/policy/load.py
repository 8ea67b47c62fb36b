"""Reads policies/ once, refuses to go on while anything in it is wrong, and hands out the book."""

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

import cedarpy

from console.domain.decisions import DenyCode, Fact, Query
from console.domain.ids import ActionKey, PersonKey, RuleId, StaffId
from console.domain.reasons import Effect
from console.domain.staff import Role, StaffKind
from console.policy.book import ActionRule, Could, Limits, PolicyBook, PolicyFaultsError, RuleText, VerbRule
from console.policy.cedar import Form, Handles, ask, form_of
from console.policy.checks import Parts, Registered, cross_faults, quorum_faults
from console.policy.reconciling import read_reconciliation
from console.policy.rules import parsed_files, read_rules
from console.policy.schema import Declared, declared
from console.policy.sending import read_jobs, read_sending
from console.policy.signals import read_signals, unread_signals
from console.policy.tables import Table
from console.policy.workflow import Draft, Workflow, read_identity, read_limits, read_reasons, read_workflow

_NEEDED = (
    "actions.toml",
    "identity.toml",
    "limits.toml",
    "reasons.toml",
    "reconciliation.toml",
    "sending.toml",
    "signals.toml",
    "staff.cedarschema",
)
_VOTE = ActionKey("request.vote")


def load_book(folder: Path, actions: Collection[tuple[ActionKey, Effect, str]]) -> PolicyBook:
    """Return the policy in a folder, checked against the registered actions.

    Shape: `actions` holds (key, effect, reach) of every registered action. Raises: PolicyFaultsError with all faults.
    """
    faults: list[str] = []
    files = _files(folder, faults)
    _stop_at(faults)
    # 1. read: the syntax of every file first, because half a file would only breed follow-up faults
    tables = _tables(files, faults)
    cedar_files = {f"policies/{name}": text for name, text in files.items() if name.endswith(".cedar")}
    schema, shape = _schema(files, faults)
    parsed = parsed_files(cedar_files, faults)
    _stop_at(faults)
    reasons = read_reasons(tables["reasons.toml"])
    jobs = read_jobs(tables["sending.toml"])
    sending = read_sending(tables["sending.toml"])
    reconciliation = read_reconciliation(tables["reconciliation.toml"])
    signals = read_signals(tables["signals.toml"], [str(key) for key, _effect, _reach in actions])
    limits = read_limits(tables["limits.toml"])
    group_roles, group_vendors, strong = read_identity(tables["identity.toml"])
    workflow = read_workflow([table for name, table in tables.items() if _is_actions(name)], reasons, limits)
    rules = read_rules(parsed, shape, faults)
    # 2. compare all with all
    registered = {key: Registered(key=key, effect=effect, reach=str(reach)) for key, effect, reach in actions}
    parts = Parts(registered=registered, shape=shape, rules=rules, workflow=workflow, reasons=reasons)
    faults.extend(_cedar_faults(schema, cedar_files))
    faults.extend(cross_faults(parts))
    _stop_at(faults)
    # 3. build
    book = PolicyBook(
        version=_version(files),
        actions={ActionKey(key): _rule(ActionKey(key), draft, parts) for key, draft in workflow.actions.items()},
        verbs={
            ActionKey(key): VerbRule(key=ActionKey(key), reasons=draft.reasons, step_up_minutes=draft.step_up_minutes)
            for key, draft in workflow.verbs.items()
        },
        tiers=workflow.tiers,
        reasons=reasons,
        limits=limits,
        sending=sending,
        jobs=jobs,
        reconciliation=reconciliation,
        signals=signals,
        group_roles=group_roles,
        group_vendors=group_vendors,
        acr_strong=strong,
        step_up_exempt=workflow.exempt,
        rules=rules.texts,
        could={key: _could(key, rules.texts) for key in shape.questions},
        handles=_handles(schema, parts, limits),
        paused=_paused(rules.texts),
        containing=frozenset(key for key in shape.questions if "containing" in shape.all_groups(key)),
    )
    faults.extend(_quorums(book, registered))
    faults.extend(unread_signals(signals, book.could))
    _stop_at(faults)
    return book


def _stop_at(faults: Collection[str]) -> None:
    if faults:
        raise PolicyFaultsError(dict.fromkeys(faults))


def _files(folder: Path, faults: list[str]) -> dict[str, str]:
    if not folder.is_dir():
        faults.append(f"policies: {folder.name!r} is no folder: point the settings at the folder with {_NEEDED[0]}.")
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith(".") or path.suffix == ".md":
            continue
        if path.name not in _NEEDED and path.suffix not in {".cedar", ".cedarschema"} and not _is_actions(path.name):
            faults.append(
                f"policies/{path.name}: nothing reads this file: rename it (*.cedar, *.actions.toml) or remove it."
            )
            continue
        try:
            found[path.name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            faults.append(f"policies/{path.name}: is not UTF-8: save it as UTF-8.")
    faults.extend(f"policies/{name}: is missing: restore it." for name in _NEEDED if not (folder / name).is_file())
    if not any(name.endswith(".cedar") for name in found):
        faults.append("policies: holds no .cedar file, so nobody could do anything: restore them.")
    return found


def _is_actions(name: str) -> bool:
    return name == "actions.toml" or name.endswith(".actions.toml")


def _tables(files: Mapping[str, str], faults: list[str]) -> dict[str, Table]:
    tables = {}
    for name, text in files.items():
        if not name.endswith(".toml"):
            continue
        try:
            tables[name] = Table(f"policies/{name}", tomllib.loads(text), faults)
        except tomllib.TOMLDecodeError as error:
            faults.append(f"policies/{name}: cannot be read ({error}): correct the syntax.")
    return tables


def _schema(files: Mapping[str, str], faults: list[str]) -> tuple[cedarpy.Schema, Declared]:
    text = "\n".join(text for name, text in files.items() if name.endswith(".cedarschema"))
    try:
        return cedarpy.Schema.from_str(text), declared(text)
    except ValueError as error:
        faults.append(
            f"policies/*.cedarschema: the schema cannot be read ({' '.join(str(error).split())}): correct it."
        )
        return cedarpy.Schema.from_str(""), Declared()


def _cedar_faults(schema: cedarpy.Schema, cedar_files: Mapping[str, str]) -> list[str]:
    faults = []
    for name, text in cedar_files.items():
        result = cedarpy.validate_policies(text, schema)
        for error in result.errors:
            rule = result.id_annotations_by_policy_id.get(error.policy_id, error.policy_id)
            said = " ".join(error.error.split()).replace(f"for policy `{error.policy_id}`", "").strip(" ,:")
            faults.append(f"{name}: {rule} does not fit the schema ({said}): correct the rule or the schema.")
    return faults


def _version(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        encoded = text.encode()
        digest.update(f"{name}\0{len(encoded)}\0".encode())
        digest.update(encoded)
    return digest.hexdigest()


def _rule(key: ActionKey, draft: Draft, parts: Parts) -> ActionRule:
    named = {rule.tier for rule in parts.rules.texts.values() if rule.is_permit and key in rule.actions}
    return ActionRule(
        key=key,
        reasons=draft.reasons,
        tiers={name: needs for name, needs in parts.workflow.tiers.items() if name in named},
        approve_minutes=draft.approve_minutes,
        execute_minutes=draft.execute_minutes,
        step_up_minutes=draft.step_up_minutes,
        runs=draft.runs,
        ceilings=draft.ceilings,
        break_glass_allowed=draft.break_glass_allowed,
        review=draft.review,
    )


def _could(key: ActionKey, rules: Mapping[RuleId, RuleText]) -> Could:
    permits = [rule for rule in rules.values() if rule.is_permit and key in rule.actions]
    return Could(
        roles=frozenset[Role]().union(*(rule.roles for rule in permits)),
        kinds=frozenset[StaffKind]().union(*(rule.kinds for rule in permits)),
    )


def _paused(rules: Mapping[RuleId, RuleText]) -> frozenset[ActionKey]:
    return frozenset(key for rule in rules.values() if rule.deny_code is DenyCode.FROZEN for key in rule.actions)


def _handles(schema: cedarpy.Schema, parts: Parts, limits: Limits) -> Handles:
    numbers: dict[str, int] = asdict(limits)
    return Handles(
        policies=cedarpy.PolicySet.from_json_str(parts.rules.policy_set()),
        schema=schema,
        forms={key: _form(key, parts, numbers) for key in parts.shape.questions},
        questions=parts.shape.questions,
        names_tenants=parts.rules.names("Tenant"),
    )


def _form(key: ActionKey, parts: Parts, numbers: Mapping[str, int]) -> Form:
    workflow: Workflow = parts.workflow
    draft = workflow.actions.get(key) or workflow.verbs.get(key)
    return form_of(
        parts.shape.questions[key],
        accepted=frozenset(draft.reasons) if draft is not None else frozenset(),
        effect=parts.registered[key].effect if key in parts.registered else "",
        reasons=parts.reasons,
        numbers={**numbers, **(draft.ceilings if draft is not None else {})},
    )


def _quorums(book: PolicyBook, registered: Mapping[ActionKey, Registered]) -> list[str]:
    faults: list[str] = []
    voters = {
        reach: _voters(book, is_tenant=reach == "tenant") for reach in {action.reach for action in registered.values()}
    }
    for key, rule in book.actions.items():
        faults.extend(quorum_faults(key, rule.tiers, voters[registered[key].reach]))
    return faults


def _voters(book: PolicyBook, *, is_tenant: bool) -> frozenset[Role]:
    """Return the roles that may vote on somebody else's request, asked of Cedar itself."""
    facts: dict[str, Fact] = {
        "action_key": "",
        "is_requester": False,
        "holds_seat": True,
        "was_seen": True,
        "held_when_filed": True,
    }
    queries = [
        Query(
            actor=StaffId("probe"),
            person=PersonKey("probe"),
            roles=frozenset({role}),
            kind=StaffKind.PERSON,
            action=_VOTE,
            facts={**facts, "is_tenant_request": is_tenant},
        )
        for role in Role
    ]
    verdicts = ask(book.handles, queries)
    return frozenset(role for role, verdict in zip(Role, verdicts, strict=True) if verdict.is_allowed)
