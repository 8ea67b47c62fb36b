"""`legal_hold.release`: show what a hold kept back, before its date."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.disclosure import LegalHold
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`hold` is an id of this tenant."""

    hold: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(hold=values["hold"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would become visible; raises Fault."""
    hold = _hold(params, tools)
    _shown, waiting = tools.books().disclosures.count_under(hold.tenant, hold.reference)
    return Preview(
        sentence=f"Release the hold on {hold.reference}",
        changes=(
            Change(field="Hold on", before=hold.reference, after="released"),
            Change(field="Accesses that become visible", before=None, after=str(waiting)),
        ),
        fingerprint={"hold": hold.id},
        warnings=("What the customer has seen cannot be taken back.",),
        customer="The accesses that it kept back, with the moments at which they happened.",
        target_type="legal_hold",
        target_id=hold.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Release it, and let what it kept back be shown with the next round; raises Fault when somebody was faster."""
    hold = _hold(params, tools)
    if not tools.books().legal_holds.release(hold, by=tools.requester, at=tools.now):
        raise Fault("hold", "Somebody released it meanwhile.")
    tools.books().disclosures.hurry(hold.tenant, hold.reference, due_at=tools.now)
    return Applied(
        sentence=f"The hold on {hold.reference} is released.",
        changes=(Change(field="Hold on", before=hold.reference, after="released"),),
    )


def _hold(params: Params, tools: Tools) -> LegalHold:
    tenant = None if tools.directory_row is None else tools.directory_row.id
    found = tools.books().legal_holds.get(params.hold)
    if found is None or found.tenant != tenant:
        raise Fault("hold", "This tenant has no such hold.")
    if not found.stands(tools.now):
        raise Fault("hold", "This hold keeps nothing back any more.")
    return found


ACTION = Action(
    key=ActionKey("legal_hold.release"),
    version=1,
    title="Release a legal hold",
    button="Release",
    icon="lock-open",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(ParamField(name="hold", label="Hold", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets a customer see what a legal hold kept back, before its date; two people decide.",
    customer_sees="The accesses that the hold kept back.",
    place="customer",
    is_beside_its_thing=True,
    lands=Landing.BOOKS_ALONE,
)
