"""`member.reveal`: show one masked field of one member for a short while."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.field_classes import revealable
from console.domain.ids import ActionKey, MemberId
from console.domain.reasons import Effect
from console.domain.workspace import Member
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_FIELDS = revealable("plane_member")


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`member` is an id of this tenant, `field` a personal one of domain/field_classes.py."""

    member: MemberId
    field: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(member=MemberId(values["member"]), field=values["field"])


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the fields that can be revealed."""
    return tuple(Choice(value=key, label=each.label) for key, each in _FIELDS.items()) if field == "field" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return which field would be shown, still masked; raises Fault."""
    member = _member(params, tools)
    known = _FIELDS[params.field]
    masked, label = known.mask(_value(member, params.field) or ""), known.label
    return Preview(
        sentence=f"Show the {label.lower()} of one member for {tools.shown_seconds} seconds",
        changes=(Change(field=label, before=masked, after=f"shown to you for {tools.shown_seconds} s"),),
        fingerprint={"member": member.id},
        facts={"field": params.field},
        customer="That this field was looked at, by whom and why, in the access log.",
        target_type="member",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Return the cleartext for the person who asked; it is never stored."""
    member = _member(params, tools)
    label = _FIELDS[params.field].label
    value = _value(member, params.field) or ""
    return Applied(
        sentence=f"{label} of member {member.id} shown for {tools.shown_seconds} seconds.",
        shown={label: value},
    )


def _member(params: Params, tools: Tools) -> Member:
    if params.field not in _FIELDS:
        raise Fault("field", "Choose the field to reveal.")
    member = tools.plane().member(params.member)
    if member is None:
        raise Fault("member", "This tenant has no such member.")
    if _value(member, params.field) is None:
        raise Fault("field", f"This member has no {_FIELDS[params.field].label.lower()}.")
    return member


def _value(member: Member, field: str) -> str | None:
    value: str | None = getattr(member, field)
    return value


ACTION = Action(
    key=ActionKey("member.reveal"),
    version=1,
    title="Reveal a masked field",
    button="Reveal",
    icon="eye",
    effect=Effect.READ,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="member", label="Member", input=Input.TEXT, most=64, is_fixed_by_link=True),
        ParamField(name="field", label="Field", input=Input.CHOICE, help="One field at a time."),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Shows one personal field of one member for a short while and counts it against a budget.",
    customer_sees="Who looked at which field, when and why.",
    place="members",
    budget="reveals",
)
