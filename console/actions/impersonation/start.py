"""`impersonation.start`: act for one member inside the product, reading only, for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ImpersonationId, MemberId
from console.domain.impersonations import Impersonation, Mode
from console.domain.reasons import Effect
from console.domain.workspace import Member
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach
from console.ports.impersonations import Grounds

_MOST_MINUTES = 480  # of the field; how many are allowed stands in policies/limits.toml
_TAG = "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`member` is an id of this tenant. Units: minutes."""

    member: MemberId
    minutes: int


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(member=MemberId(values["member"]), minutes=values["minutes"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return for whom, how and how long; raises Fault."""
    member, grounds = _member(params, tools), _grounds(params, tools)
    until = _until(params, tools.now, grounds)
    spent = () if grounds.consent is None else (Change(field="Consent", before="approved", after="used up"),)
    return Preview(
        sentence=f"Act for one member for {params.minutes} minutes, reading only",
        changes=(
            Change(field="Acts for", before=None, after=f"member {member.id}"),
            Change(field="Mode", before=None, after="reads only"),
            Change(field="For at most", before=None, after=f"{params.minutes} minutes"),
            *spent,
        ),
        fingerprint={"member": member.id, "consent": "" if grounds.consent is None else grounds.consent.id},
        facts={
            "minutes": params.minutes,
            "member_is_staff": _is_staff(member, tools),
            "is_impersonating": grounds.running is not None,
            "tenant_refuses": not grounds.tenant_allows,
            "is_other_reason": grounds.lease is None
            or (grounds.lease.reason.code, grounds.lease.reason.reference)
            != (tools.reason.code, tools.reason.reference.strip()),
        },
        warnings=(
            (
                f"It ends at {until:%H:%M} UTC at the latest, after {grounds.idle_minutes} idle minutes, and with your "
                "lease, your session or the ticket. It is not extended."
            ),
            "Passwords, keys, payouts, exports, invitations, deletion and legal terms stay out of reach.",
        ),
        customer="Who acted for which member, when, why, and every request that was made.",
        target_type="member",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Begin it; nobody has gone anywhere yet: the hand-off is a step of its own."""
    member, grounds = _member(params, tools), _grounds(params, tools)
    if grounds.session is None or grounds.lease is None:
        raise Fault("member", "Open the tenant in a browser: an impersonation lives and dies with that session.")
    row = Impersonation(
        id=ImpersonationId(tools.ids.new("imp")),
        staff=tools.requester,
        session=grounds.session,
        lease=grounds.lease.id,
        tenant=grounds.lease.tenant,
        member=member.id,
        mode=Mode.READ,
        reason=grounds.lease.reason,
        request=tools.request,
        widened_by=None,
        started_at=tools.now,
        last_used_at=tools.now,
        not_after=_until(params, tools.now, grounds),
        idle_minutes=grounds.idle_minutes,
    )
    if not tools.books().begin_impersonation(row):
        raise Fault("member", "You act for a member already; end that first.")
    if not tools.books().spend_consent(row, Mode.READ, at=tools.now):
        raise Fault("member", "The customer's consent was used or taken back meanwhile; ask for another.")
    return Applied(
        sentence=f"Acts for member {member.id} until {row.not_after:%H:%M} UTC, reading only.",
        changes=(Change(field="Acts for", before=None, after=f"member {member.id}"),),
        made=row.id,
    )


def _member(params: Params, tools: Tools) -> Member:
    member = tools.plane().member(params.member)
    if member is None:
        raise Fault("member", "This tenant has no such member.")
    if not member.is_active:
        raise Fault("member", "This member is deactivated; the product would not let them in either.")
    return member


def _grounds(params: Params, tools: Tools) -> Grounds:
    grounds = tools.books().impersonation_grounds(params.member, at=tools.now)
    if not grounds.is_connected:
        raise Fault("member", "No product is connected to this console; the operator sets [product].")
    return grounds


def _until(params: Params, now: datetime, grounds: Grounds) -> datetime:
    agreed = params.minutes if grounds.consent is None else min(params.minutes, grounds.consent.minutes)
    wanted = now + timedelta(minutes=agreed)
    return wanted if grounds.lease is None else min(wanted, grounds.lease.not_after)


def _is_staff(member: Member, tools: Tools) -> bool:
    """Return whether the address is a colleague's, also with a tag that mail servers drop."""
    local, at, domain = member.email.rpartition("@")
    plain = f"{local.partition(_TAG)[0]}{at}{domain}"
    return any(tools.books().staff.by_email(address) is not None for address in {member.email, plain})


ACTION = Action(
    key=ActionKey("impersonation.start"),
    version=2,
    title="Act as a member",
    button="Act as this member",
    icon="user-check",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="member", label="Member", input=Input.TEXT, most=64, is_fixed_by_link=True),
        ParamField(
            name="minutes",
            label="How long",
            input=Input.INTEGER,
            unit="minutes",
            least=1,
            most=_MOST_MINUTES,
            help="It ends by itself, and with your lease; it is not extended.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Lets the product show what one member sees, to one named staff member, reading only, for a while.",
    customer_sees="Who acted for which member, when, why, and every request that was made.",
    place="members",
    is_beside_its_thing=True,
    lands=Landing.BOOKS,
)
