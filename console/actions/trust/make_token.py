"""`customer_token.make`: let a customer's own programs read the customer's access log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, TenantId
from console.domain.reasons import Effect
from console.domain.trust.tokens import PREFIX, CustomerToken, token_hash
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, Landing, ParamField, Reach

_MOST_LIVE = 10
_LOG, _DECIDE = "log", "decide"
_OPENS = {
    _LOG: "the access log",
    _DECIDE: "the access log, the access policy and consents",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`opens` is log, or decide for the access policy and consents besides."""

    label: str
    opens: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(label=values["label"], opens=values["opens"])


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return what a token can open."""
    return tuple(Choice(value=key, label=label) for key, label in _OPENS.items()) if field == "opens" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the token would open; raises Fault."""
    tenant, live = _checked(params, tools)
    return Preview(
        sentence=f"Make a token with which programs of this tenant read {_OPENS[params.opens]}",
        changes=(
            Change(field="Token", before=None, after=params.label),
            Change(field="Opens", before=None, after=_OPENS[params.opens]),
        ),
        fingerprint={"tenant": tenant, "live": live},
        warnings=("Whoever holds the token reads who of us looked here, and why: give it to the tenant only.",),
        customer="A token for their log; making it stands in the log too.",
        target_type="customer_token",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the token's hash and return the token, which is shown once."""
    tenant, _live = _checked(params, tools)
    token = PREFIX + tools.ids.token()
    hashed = token_hash(token)
    if hashed is None:
        raise RuntimeError("the ids of this house make no tokens")
    made = CustomerToken(
        id=tools.ids.new("cut"),
        tenant=tenant,
        label=params.label,
        may_decide=params.opens == _DECIDE,
        made_by=tools.books().executor,  # who sees it, and may therefore never be answered by it
        made_at=tools.now,
    )
    tools.books().customer_tokens.add(made, hashed=hashed)
    return Applied(
        sentence=f"The token {params.label} is shown now and never again.",
        changes=(Change(field="Token", before=None, after=params.label),),
        shown={"Token": token},
    )


def _checked(params: Params, tools: Tools) -> tuple[TenantId, int]:
    if params.opens not in _OPENS:
        raise Fault("opens", "Choose what the token opens.")
    if tools.directory_row is None:
        raise Fault("label", "Open a tenant first.")
    tenant = tools.directory_row.id
    live = [each for each in tools.books().customer_tokens.of(tenant) if each.revoked_at is None]
    if len(live) >= _MOST_LIVE:
        raise Fault("label", f"This tenant has {_MOST_LIVE} tokens; revoke one first.")
    if any(each.label == params.label for each in live):
        raise Fault("label", "This tenant has a token of this name.")
    return tenant, len(live)


ACTION = Action(
    key=ActionKey("customer_token.make"),
    version=1,
    title="Make a customer token",
    button="Make token",
    icon="key-round",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="label", label="Name", input=Input.TEXT, help="Which program will hold it.", least=2, most=60),
        ParamField(name="opens", label="Opens", input=Input.CHOICE),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Makes a token with which a customer's programs read its access log; only the hash is kept.",
    customer_sees="That a token was made, by whom and why.",
    undo=ActionKey("customer_token.revoke"),
    place="customer",
    lands=Landing.BOOKS_ALONE,
)
