"""`freeze.lift`: let go on what a freeze paused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.freeze.freezes import PLACE, lies_over, standing, tell
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, FreezeId
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """One freeze that stands."""

    freeze: FreezeId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(freeze=FreezeId(values["freeze"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the freezes that stand."""
    if field != "freeze":
        return ()
    return tuple(
        Choice(value=each.id, label=f"{each.name}, since {minute_of(each.set_at)}", current=each.reason.reference)
        for each in tools.books().freezes.standing()
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return what may go on; raises Fault."""
    freeze = standing(params.freeze, tools)
    return Preview(
        sentence=f"Lift the freeze: {freeze.name}",
        changes=(Change(field="Everything that is not reading", before="paused", after="possible"),),
        fingerprint={"freeze": freeze.id},
        facts={"target_is_self": lies_over(freeze.scope, freeze.subject, tools.requester, tools)},
        warnings=("What it ended stays ended: tenants are opened again with a reason.",),
        target_type="freeze",
        target_id=freeze.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Lift it, once."""
    freeze = standing(params.freeze, tools)
    if not tools.books().end_under(freeze, at=tools.now):
        raise Fault("freeze", "More lay under it than is ended at once; lift it again in a minute.")
    if not tools.books().freezes.lift(freeze.id, by=tools.requester, at=tools.now):
        raise Fault("freeze", "Somebody else lifted it.")
    tell(tools, kind="thawed", sentence=f"{tools.requester_name} lifted the freeze: {freeze.name}.")
    return Applied(
        sentence=f"The freeze is lifted: {freeze.name}.",
        changes=(Change(field="Frozen", before=freeze.name, after=None),),
    )


ACTION = Action(
    key=ActionKey("freeze.lift"),
    version=1,
    title="Lift a freeze",
    button="Lift freeze",
    icon="circle-play",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(ParamField(name="freeze", label="Freeze", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Lets go on what a freeze paused. A second person agrees, and nobody lifts one that lies on them.",
    customer_sees="Nothing.",
    place=PLACE,
)
