"""`legal_hold.set`: keep accesses of one matter out of the customer's log until a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.disclosure import LegalHold
from console.domain.ids import ActionKey, TenantId
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`until` is exclusive, start of day UTC; the matter is the reference of the reason."""

    until: date


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(until=values["until"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be kept back, and what is out already; raises Fault."""
    tenant, matter = _checked(tools)
    shown, waiting = tools.books().disclosures.count_under(tenant, matter)
    out = (f"{shown} accesses under {matter} are shown already, and stay shown.",) if shown else ()
    return Preview(
        sentence=f"Keep accesses under {matter} out of the customer's log until {params.until:%d %B %Y}",
        changes=(
            Change(field="Hold on", before=None, after=matter),
            Change(field="Until", before=None, after=day_of(params.until)),
            Change(field="Accesses kept back now", before=None, after=str(waiting)),
        ),
        fingerprint={"tenant": tenant, "matter": matter},
        facts={"days": (params.until - tools.now.date()).days},
        warnings=("What is kept back is shown when the hold is released, at the latest on its date.", *out),
        customer="Nothing while the hold stands; then the accesses, each with the moment at which it happened.",
        target_type="legal_hold",
        target_id=matter,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the hold."""
    tenant, matter = _checked(tools)
    hold = LegalHold(
        id=tools.ids.new("lgh"),
        tenant=tenant,
        reference=matter,
        until=datetime.combine(params.until, time(), tzinfo=UTC),
        set_at=tools.now,
        set_by=tools.requester,
    )
    tools.books().legal_holds.add(hold)
    return Applied(
        sentence=f"Accesses under {matter} stay out of the customer's log until {params.until:%d %B %Y}.",
        changes=(Change(field="Hold on", before=None, after=f"{matter} until {day_of(params.until)}"),),
    )


def _checked(tools: Tools) -> tuple[TenantId, str]:
    if tools.directory_row is None:
        raise Fault("until", "Open a tenant first.")
    return tools.directory_row.id, tools.reason.reference


ACTION = Action(
    key=ActionKey("legal_hold.set"),
    version=1,
    title="Set a legal hold",
    button="Set legal hold",
    icon="scale",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="until",
            label="Until",
            input=Input.DATE,
            help="Start of that day, UTC. The matter is the reference that you give as your reason.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Keeps accesses under one matter out of the customer's log until a date; two people decide.",
    customer_sees="Nothing while the hold stands, then everything that it kept back.",
    undo=ActionKey("legal_hold.release"),
    place="customer",
    lands=Landing.BOOKS_ALONE,
)
