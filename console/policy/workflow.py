"""Turns the TOML files of policies/ into rules, tiers, reasons and limits."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from console.domain.decisions import GroupNeed
from console.domain.disclosure import DisclosureRule, Shown, Told
from console.domain.ids import ReasonCode
from console.domain.reasons import BREAK_GLASS, Effect, ReasonRule
from console.domain.reviews import ReviewKind
from console.domain.staff import Role, StaffKind, is_vendor
from console.policy.book import Limits
from console.policy.tables import Table

_ROLES = tuple(role.value for role in Role)
_MOST_SEATS = 9
_LONGEST_LEASE_MINUTES = 480
_LONGEST_DELAY_DAYS = 365
_LAST_HOUR = 23

Runs = Literal["on_approval", "by_hand"]
_RUNS: tuple[Runs, ...] = ("on_approval", "by_hand")


@dataclass(slots=True, kw_only=True)
class Draft:
    """An action's or verb's entry in actions.toml, before it is held against Cedar."""

    place: str
    reasons: frozenset[ReasonCode]
    step_up_minutes: int | None
    approve_minutes: int = 0
    execute_minutes: int = 0
    runs: Runs = "on_approval"
    ceilings: Mapping[str, int] = field(default_factory=dict)
    break_glass_allowed: bool = False
    review: ReviewKind | None = None


@dataclass(slots=True)
class Workflow:
    """Everything that actions.toml (and *.actions.toml) say."""

    actions: dict[str, Draft] = field(default_factory=dict)
    verbs: dict[str, Draft] = field(default_factory=dict)
    groups: dict[str, frozenset[Role]] = field(default_factory=dict)
    tiers: dict[str, tuple[GroupNeed, ...]] = field(default_factory=dict)
    exempt: frozenset[StaffKind] = frozenset()


def read_reasons(table: Table) -> dict[ReasonCode, ReasonRule]:
    """Return the reason codes of reasons.toml."""
    rules = {}
    for code in table.keys_left():
        inner = table.table(code)
        if inner is not None:
            rules[ReasonCode(code)] = _reason(ReasonCode(code), inner)
            inner.done()
    return rules


def _reason(code: ReasonCode, table: Table) -> ReasonRule:
    pattern, example = table.text("reference_pattern"), table.text("reference_example")
    try:
        if not re.fullmatch(pattern, example):
            table.fault(f"reference_example {example!r} does not match reference_pattern: correct one of them.")
    except re.error as error:
        table.fault(f"reference_pattern is no regular expression ({error}): correct it.")
    return ReasonRule(
        code=code,
        label=table.text("label"),
        sentence=table.text("sentence"),
        reference_label=table.text("reference_label"),
        reference_pattern=pattern,
        reference_example=example,
        reference_kind=table.text("reference_kind"),
        effects=frozenset(Effect(name) for name in table.names("effects", known=tuple(Effect), kind="effect")),
        lease_minutes=table.number("lease_minutes", least=0, most=_LONGEST_LEASE_MINUTES),
        note_required=table.flag("note_required"),
        customer_notice=table.text("customer_notice"),
        disclosure=_disclosure(table),
    )


def _disclosure(table: Table) -> DisclosureRule:
    """Return when the customer is shown an access under this code, and how told; days stand where it is not at once."""
    shown = table.choice("customer_shown", tuple(Shown), Shown.AT_ONCE)
    told = table.choice("customer_told", tuple(Told), Told.LOG)
    if shown is Shown.AT_ONCE:
        return DisclosureRule(shown=shown, told=told)
    days = table.number("customer_delay_days", most=_LONGEST_DELAY_DAYS)
    return DisclosureRule(shown=Shown(shown), delay_days=days, told=Told(told))


def _limit(table: Table, name: str) -> int:
    return table.number(name, least=0, most=_LAST_HOUR) if name.endswith("_hour_utc") else table.number(name)


def read_limits(table: Table) -> Limits:
    """Return the limits of limits.toml; every key is wanted, and no other."""
    limits = Limits(**{name.name: _limit(table, name.name) for name in fields(Limits)})
    table.done()
    return limits


def read_identity(table: Table) -> tuple[dict[str, Role], dict[str, str], frozenset[str]]:
    """Return role and vendor of each identity provider group, and the strong authentication classes."""
    roles = {}
    groups = table.table("groups")
    for group in groups.keys_left() if groups is not None else ():
        name = groups.text(group) if groups is not None else ""
        if name in _ROLES:
            roles[group] = Role(name)
        elif name:
            table.fault(f"[groups] {group!r} names unknown role {name!r}: use one of {', '.join(_ROLES)}.")
    vendors = {}
    companies = table.table("vendors") if table.has("vendors") else None
    for group in companies.keys_left() if companies is not None else ():
        name = companies.text(group) if companies is not None else ""
        if is_vendor(name):
            vendors[group] = name
        elif name:
            table.fault(f"[vendors] {group!r} names {name!r}: use up to 40 of a-z, 0-9 and -.")
    classes = table.table("acr")
    strong = frozenset(classes.names("strong")) if classes is not None else frozenset()
    if classes is not None:
        classes.done()
    table.done()
    return roles, vendors, strong


def read_workflow(tables: Collection[Table], reasons: Collection[str], limits: Limits) -> Workflow:
    """Return groups, tiers, actions and verbs of all actions files together."""
    found = Workflow()
    for table in tables:
        _groups(table, found)
    for table in tables:
        _tiers(table, found)
        _actions(table, found, reasons, limits)
        if table.has("step_up"):
            inner = table.table("step_up")
            if inner is not None:
                exempt = inner.names("exempt_kinds", known=tuple(StaffKind), kind="kind")
                found.exempt |= frozenset(StaffKind(kind) for kind in exempt)
                inner.done()
        table.done()
    return found


def _groups(table: Table, found: Workflow) -> None:
    for name, inner in table.tables("group").items():
        if name in found.groups:
            inner.fault("this group is defined twice: rename or remove one.")
        found.groups[name] = frozenset(Role(role) for role in inner.names("roles", known=_ROLES, kind="role"))
        inner.done()


def _tiers(table: Table, found: Workflow) -> None:
    for name, inner in table.tables("tier").items():
        if name in found.tiers:
            inner.fault("this tier is defined twice: rename or remove one.")
        needs = []
        counts = inner.counts("groups")
        for group, count in counts.items():
            if group not in found.groups:
                inner.fault(f"unknown group {group!r}: define [group.{group}] with its roles, or use another.")
            elif count > _MOST_SEATS:
                inner.fault(f"{count} approvals of group {group} can hardly be met: give 1 to {_MOST_SEATS}.")
            else:
                needs.append(GroupNeed(name=group, roles=found.groups[group], count=count))
        if not counts:
            inner.fault("a tier without groups approves nothing: name at least one, or drop @tier from its permits.")
        found.tiers[name] = tuple(needs)
        inner.done()


def _actions(table: Table, found: Workflow, reasons: Collection[str], limits: Limits) -> None:
    for name, inner in table.tables("action").items():
        if name in found.actions:
            inner.fault("this action has two rules: remove one.")
        draft = _draft(inner, reasons)
        draft.approve_minutes = inner.number_or("approve_minutes", limits.request_approve_minutes)
        draft.execute_minutes = inner.number_or("execute_minutes", limits.request_execute_minutes)
        draft.runs = inner.choice("runs", _RUNS, draft.runs)
        draft.ceilings = inner.counts("ceilings") if inner.has("ceilings") else {}
        if inner.has("review"):
            draft.review = inner.choice(
                "review", (ReviewKind.IMPERSONATION_WRITE, ReviewKind.FLAGGED), ReviewKind.FLAGGED
            )
        if inner.has("break_glass_allowed"):
            draft.break_glass_allowed = inner.flag("break_glass_allowed")
            draft.reasons |= {BREAK_GLASS} if draft.break_glass_allowed else set()
        inner.done()
        found.actions[name] = draft
    for name, inner in table.tables("verb").items():
        if name in found.verbs:
            inner.fault("this verb has two rules: remove one.")
        found.verbs[name] = _draft(inner, reasons, is_verb=True)
        inner.done()


def _draft(table: Table, reasons: Collection[str], *, is_verb: bool = False) -> Draft:
    codes: tuple[str, ...] = ()
    if not is_verb or table.has("reasons"):
        codes = table.names("reasons", known=reasons, kind="reason")
    minutes = table.number_or("step_up_minutes", None, most=480)
    return Draft(place=table.place, reasons=frozenset(ReasonCode(code) for code in codes), step_up_minutes=minutes)
