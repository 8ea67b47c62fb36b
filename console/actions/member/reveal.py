"""`member.reveal`: show one masked field of one member for a short while."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, MemberId
from console.domain.masking import masked_email, masked_phone
from console.domain.reasons import Effect
from console.domain.workspace import Member
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach, Tools

_REMASK_SECONDS = 60
_LABELS = {"email": "E-mail address", "phone": "Telephone number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`member` is an id of this tenant, `field` one of `email`, `phone`."""

    member: MemberId
    field: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(member=MemberId(values["member"]), field=values["field"])


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the fields that can be revealed."""
    return tuple(Choice(value=key, label=label) for key, label in _LABELS.items()) if field == "field" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return which field would be shown, still masked; raises Fault."""
    member = _member(params, tools)
    masked = _masked(member, params.field)
    label = _LABELS[params.field]
    return Preview(
        sentence=f"Show the {label.lower()} of one member for {_REMASK_SECONDS} seconds",
        changes=(Change(field=label, before=masked, after=f"shown to you for {_REMASK_SECONDS} s"),),
        fingerprint={"member": member.id},
        facts={"field": params.field},
        customer="That this field was looked at, by whom and why, in the access log.",
        target_type="member",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Return the cleartext for the person who asked; it is never stored."""
    member = _member(params, tools)
    label = _LABELS[params.field]
    value = member.email if params.field == "email" else member.phone or ""
    return Applied(
        sentence=f"{label} of member {member.id} shown for {_REMASK_SECONDS} seconds.",
        shown={label: value},
        remask_seconds=_REMASK_SECONDS,
    )


def _member(params: Params, tools: Tools) -> Member:
    if params.field not in _LABELS:
        raise Fault("field", "Choose the field to reveal.")
    member = tools.plane().member(params.member)
    if member is None:
        raise Fault("member", "This tenant has no such member.")
    if params.field == "phone" and member.phone is None:
        raise Fault("field", "This member has no telephone number.")
    return member


def _masked(member: Member, field: str) -> str:
    return masked_email(member.email) if field == "email" else masked_phone(member.phone or "")


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
    documentation="Shows one personal field of one member for 60 seconds and counts it against a budget.",
    customer_sees="Who looked at which field, when and why.",
    place="members",
    budget="reveals",
)
