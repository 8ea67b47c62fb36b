"""`staff.set_country`: in which country a colleague works, as customers are told in their access logs."""

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
    """`country` is an ISO 3166 code of two letters, or empty where it is not to be told."""

    colleague: StaffId
    country: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(colleague=StaffId(values["colleague"]), country=values["country"].upper())


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the accounts that this can be done to."""
    return colleague_choices(tools, active=True) if field == "colleague" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the country before and after; raises Fault when it is the same."""
    member, before = _checked(params, tools)
    return Preview(
        sentence=f"Note in which country {member.name} works",
        changes=_changes(before, params),
        fingerprint={"staff": member.id, "country": before or ""},
        customer="The country beside the pseudonym of this colleague, also of accesses before today.",
        target_type="staff",
        target_id=member.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Note it, or forget it."""
    member, before = _checked(params, tools)
    tools.books().disclosures.set_country(member.id, params.country or None)
    return Applied(
        sentence=f"Customers read {params.country or 'no country'} beside {member.name}'s pseudonym.",
        changes=_changes(before, params),
    )


def _changes(before: str | None, params: Params) -> tuple[Change, ...]:
    return (Change(field="Country", before=before, after=params.country or None),)


def _checked(params: Params, tools: Tools) -> tuple[StaffMember, str | None]:
    member = colleague(params.colleague, tools)
    before = tools.books().disclosures.countries([member.id]).get(member.id)
    if before == (params.country or None):
        raise Fault("country", "This is what is noted already.")
    return member, before


ACTION = Action(
    key=ActionKey("staff.set_country"),
    version=1,
    title="Note a staff member's country",
    button="Set country",
    icon="flag",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(
        ParamField(name="colleague", label="Colleague", input=Input.CHOICE),
        ParamField(
            name="country",
            label="Country",
            input=Input.TEXT,
            help="Where they work, as a code of two letters; empty tells customers none.",
            most=2,
            pattern="[A-Za-z]{2}",
            pattern_example="DE",
            is_required=False,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Notes in which country a colleague works; customers read it beside the pseudonym in their logs.",
    customer_sees="The country, beside a pseudonym.",
    place="staff",
)
