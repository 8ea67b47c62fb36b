"""`staff.deactivate`: switch a colleague's account off; everything they hold ends with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.staff.accounts import colleague, colleague_choices
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, StaffId
from console.domain.reasons import Effect
from console.domain.staff import StaffMember
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`colleague` is the account that is meant."""

    colleague: StaffId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(colleague=StaffId(values["colleague"]))


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the accounts that this can be done to."""
    return colleague_choices(tools, active=True) if field == "colleague" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what ends; raises Fault."""
    member = _active(params, tools)
    books = tools.books()
    sessions = len(books.sessions.live_of(member.id, tools.now))
    leases = len(books.leases.open_of(member.id))
    return Preview(
        sentence=f"Deactivate {member.name}",
        changes=(
            Change(field="Account", before="active", after="deactivated"),
            Change(field="Sessions, leases, open requests", before=None, after="ended"),
        ),
        fingerprint={"active": 1},
        facts={"target_is_self": member.id == tools.requester},
        # counts are no changes: else the colleague could make the request stale by signing in once more
        warnings=(
            "It takes effect on the colleague's very next request.",
            f"As of now {sessions} sessions and {leases} leases would end.",
        ),
        target_type="staff",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Switch the account off and end all that rests on it, in one transaction."""
    member = _active(params, tools)
    books = tools.books()
    books.staff.set_active(member.id, is_active=False, at=tools.now)
    ended = books.end_everything_of(member.id, at=tools.now)
    return Applied(
        sentence=f"{member.name} is deactivated; {ended} sessions, leases and requests ended.",
        changes=(Change(field="Account", before="active", after="deactivated"),),
    )


def _active(params: Params, tools: Tools) -> StaffMember:
    member = colleague(params.colleague, tools)
    if not member.is_active:
        raise Fault("colleague", "This account is deactivated already.")
    return member


ACTION = Action(
    key=ActionKey("staff.deactivate"),
    version=1,
    title="Deactivate a staff member",
    button="Deactivate",
    icon="user-x",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(ParamField(name="colleague", label="Colleague", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Switches an account off and ends its sessions, leases and open requests at once.",
    customer_sees="Nothing.",
    undo=ActionKey("staff.reactivate"),
    place="staff",
)
