"""`entitlement.assign_owner`: take an override over, so that somebody answers for its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.access_changes import no_access_change
from console.domain.changes import Applied, Change, Preview
from console.domain.entitlements import Grant, GrantSource
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`override` is the id of a live override of this tenant; whoever asks becomes its owner."""

    override: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(override=values["override"])


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the overrides that have not ended and that somebody else or nobody owns."""
    if field != "override":
        return ()
    return tuple(
        Choice(value=grant.id, label=f"{grant.feature}: {grant.value:,}", current=_owner(grant))
        for grant in _open(tools)
        if grant.owner != tools.requester
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return the owner before and after; raises Fault."""
    grant = _chosen(params, tools)
    return Preview(
        sentence=f"Become the owner of the override of {grant.feature}",
        changes=(
            Change(field="Owner", before=grant.owner or None, after=tools.requester),
            Change(field="Override", before=grant.label, after=grant.label),
        ),
        fingerprint={"override": grant.id, "owner": grant.owner},
        warnings=("You will be reminded before it ends, and asked when it no longer makes sense.",),
        target_type="override",
        target_id=grant.id,
        access=no_access_change("The override stays as it is."),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the owner; raises Fault when the override ended meanwhile."""
    grant = _chosen(params, tools)
    if not tools.plane().assign_override(grant.id, owner=tools.requester, at=tools.now):
        raise Fault("override", "This override ended meanwhile; there is nothing left to own.")
    return Applied(
        sentence=f"{tools.requester_name} owns the override of {grant.feature} now.",
        changes=(Change(field="Owner", before=grant.owner or None, after=tools.requester),),
    )


def _open(tools: Tools) -> list[Grant]:
    overrides = [grant for grant in tools.plane().grants() if grant.source is GrantSource.OVERRIDE]
    return [grant for grant in overrides if grant.ended_at is None and (grant.until is None or grant.until > tools.now)]


def _chosen(params: Params, tools: Tools) -> Grant:
    for grant in _open(tools):
        if grant.id == params.override:
            if grant.owner == tools.requester:
                raise Fault("override", "You own this override already.")
            return grant
    raise Fault("override", "Choose an override that has not ended.")


def _owner(grant: Grant) -> str:
    return f"owner {grant.owner}" if grant.owner else "nobody owns it"


ACTION = Action(
    key=ActionKey("entitlement.assign_owner"),
    version=2,
    title="Take an override over",
    button="Become owner",
    icon="user-check",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="override",
            label="Override",
            input=Input.CHOICE,
            help="Only overrides that have not ended have an owner.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Makes whoever runs it the owner of an override: they are reminded before it ends.",
    customer_sees="Nothing.",
    place="entitlements",
    is_beside_its_thing=True,
)
