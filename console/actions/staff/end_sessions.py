"""`staff.end_sessions`: sign a colleague out everywhere."""

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
    """Return how many sessions end; raises Fault when there are none."""
    member, sessions = _signed_in(params, tools)
    return Preview(
        sentence=f"Sign {member.name} out everywhere",
        changes=(Change(field="Sessions", before=str(sessions), after="0"),),
        fingerprint={},
        facts={"target_is_self": member.id == tools.requester},
        target_type="staff",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """End every session, and with each the leases that it opened."""
    member, sessions = _signed_in(params, tools)
    tools.books().end_sessions_of(member.id, at=tools.now)
    return Applied(
        sentence=f"{member.name} is signed out of {sessions} sessions.",
        changes=(Change(field="Sessions", before=str(sessions), after="0"),),
    )


def _signed_in(params: Params, tools: Tools) -> tuple[StaffMember, int]:
    member = colleague(params.colleague, tools)
    sessions = len(tools.books().sessions.live_of(member.id, tools.now))
    if sessions == 0:
        raise Fault("colleague", "This colleague is not signed in anywhere.")
    return member, sessions


ACTION = Action(
    key=ActionKey("staff.end_sessions"),
    version=1,
    title="Sign a staff member out everywhere",
    button="End all sessions",
    icon="log-out",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(ParamField(name="colleague", label="Colleague", input=Input.CHOICE),),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Ends every session of a colleague, and with each the leases that it opened.",
    customer_sees="Nothing.",
    place="staff",
)
