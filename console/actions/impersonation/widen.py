"""`impersonation.widen`: let a running impersonation write as well."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ImpersonationId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach

# What is told before policy is asked; whose role or session is gone is refused by policy, or when it runs.
_TOLD_FIRST = frozenset(
    {ImpersonationEnd.HAND, ImpersonationEnd.TIME, ImpersonationEnd.IDLE, ImpersonationEnd.OPTED_OUT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`impersonation` is the requester's own running one."""

    impersonation: ImpersonationId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(impersonation=ImpersonationId(values["impersonation"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return what else would be possible, and until when; raises Fault."""
    row = _running(params, tools)
    return Preview(
        sentence=f"Let {tools.requester_name} write in the name of one member until {row.not_after:%H:%M} UTC",
        changes=(Change(field="Mode", before="reads only", after="reads and writes"),),
        fingerprint={"impersonation": row.id, "member": row.member, "mode": row.mode.value},
        warnings=(
            "What is written then stands in the customer's data as the member's own, with the staff member beside it.",
            "Its end stays where it is; passwords, keys, payouts, exports, invitations and deletion stay out of reach.",
        ),
        customer="That staff could write in a member's name, who agreed, why, and every request that was made.",
        target_type="impersonation",
        target_id=row.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Widen it, if it is still alive and still reads only."""
    row = _running(params, tools)
    over = _why_over(row, tools)
    if over is not None:
        raise Fault("impersonation", _over(over))
    if tools.request is None or not tools.books().impersonations.widen(row.id, by=tools.request):
        raise Fault("impersonation", "It ended or changed meanwhile; look at it again.")
    if not tools.books().spend_consent(row, Mode.WRITE, at=tools.now):
        raise Fault("impersonation", "The customer's consent to writing was used or taken back meanwhile.")
    return Applied(
        sentence=f"The impersonation {row.id} writes as well until {row.not_after:%H:%M} UTC.",
        changes=(Change(field="Mode", before="reads only", after="reads and writes"),),
        made=row.id,
    )


def _running(params: Params, tools: Tools) -> Impersonation:
    row = tools.books().impersonations.get(params.impersonation)
    here = None if tools.directory_row is None else tools.directory_row.id
    if row is None or row.staff != tools.requester or row.tenant != here:
        raise Fault("impersonation", "You have no such impersonation on this tenant.")
    over = _why_over(row, tools)
    if over in _TOLD_FIRST:
        raise Fault("impersonation", _over(over))
    if row.mode is not Mode.READ:
        raise Fault("impersonation", "This impersonation writes already.")
    if over is None and not tools.books().may_widen(row, at=tools.now):
        raise Fault(
            "impersonation", "The customer has to agree to writing: ask for a consent to it that lasts so long."
        )
    return row


def _why_over(row: Impersonation, tools: Tools) -> ImpersonationEnd | None:
    return tools.books().why_over(row, at=tools.now)


def _over(over: ImpersonationEnd) -> str:
    return f"This impersonation is over: {over.sentence[0].lower()}{over.sentence[1:]}"


ACTION = Action(
    key=ActionKey("impersonation.widen"),
    version=2,
    title="Write in a member's name",
    button="Ask to write",
    icon="pencil",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="impersonation", label="Impersonation", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets the running impersonation write as well, until its own end, after a support lead has agreed.",
    customer_sees="That staff could write in a member's name, who agreed, why, and every request that was made.",
    place="impersonation",
    is_beside_its_thing=True,
    lands=Landing.BOOKS,
)
