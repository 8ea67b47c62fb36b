"""`freeze.set`: end every elevated session and pause everything that is not reading, at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.freeze.freezes import PLACE, already, lies_over, named, scope_choices, tell
from console.domain.changes import Applied, Change, Preview
from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import ActionKey, FreezeId
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_COUNTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`subject` is an address, a vendor's name or a slug; empty over everything."""

    scope: FreezeScope
    subject: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    if values["scope"] not in set(FreezeScope):
        raise Fault("scope", "Choose whom or what to freeze.")
    return Params(scope=FreezeScope(values["scope"]), subject=(values.get("subject") or "").strip().casefold())


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the scopes."""
    return scope_choices() if field == "scope" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what stops; raises Fault."""
    subject, name = named(params.scope, params.subject, tools)
    if already(params.scope, subject, tools):
        raise Fault("subject", "This is frozen already.")
    tenants = len(tools.books().leases.open_under(params.scope, subject, limit=_COUNTED))
    acting = len(tools.books().impersonations.open_under(params.scope, subject, limit=_COUNTED))
    return Preview(
        sentence=f"Freeze: {name}",
        changes=(
            Change(field="Opened tenants and impersonations", before=None, after="ended"),
            Change(field="Everything that is not reading", before="possible", after="paused"),
        ),
        fingerprint={},
        facts={"target_is_self": lies_over(params.scope, subject, tools.requester, tools)},
        # counts are no changes: whoever opens one more tenant must not hold the freeze up
        warnings=(
            (
                f"It takes effect on the very next request. As of now {_many(tenants)} opened tenants would be closed "
                f"and {_many(acting)} impersonations ended."
            ),
            "Nobody has to agree to it; lifting it needs a second person.",
        ),
        target_type="freeze",
        target_id=subject or "all",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Wait for what is being executed, then freeze."""
    subject, name = named(params.scope, params.subject, tools)
    if already(params.scope, subject, tools):
        raise Fault("subject", "This is frozen already.")
    freeze = Freeze(
        id=FreezeId(tools.ids.new("frz")),
        scope=params.scope,
        subject=subject,
        name=name,
        is_drill=False,
        reason=tools.reason,
        set_by=tools.requester,
        set_at=tools.now,
    )
    stopped = tools.books().freeze(freeze)
    tell(tools, kind="frozen", sentence=f"{tools.requester_name} froze: {name} ({tools.reason.reference}).")
    rest = "" if stopped.is_all else "; what else is open is dead as well and is written down within a minute"
    return Applied(
        sentence=(
            f"{freeze.sentence}; {stopped.leases} opened tenants were closed and "
            f"{stopped.impersonations} impersonations ended{rest}."
        ),
        changes=(Change(field="Frozen", before=None, after=name),),
    )


def _many(counted: int) -> str:
    return f"{counted} or more" if counted == _COUNTED else str(counted)


ACTION = Action(
    key=ActionKey("freeze.set"),
    version=2,
    title="Freeze",
    button="Freeze",
    icon="octagon-alert",
    effect=Effect.DANGEROUS,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="scope", label="What to freeze", input=Input.CHOICE),
        ParamField(
            name="subject",
            label="Who or which",
            input=Input.TEXT,
            help="An address, a vendor's name or a tenant's slug; empty for everything.",
            most=254,
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation=(
        "Ends every elevated session and pauses everything that is not reading: of one person, one vendor, one tenant, "
        "or all. It takes one person; lifting it takes two."
    ),
    customer_sees="Nothing.",
    undo=ActionKey("freeze.lift"),
    place=PLACE,
)
