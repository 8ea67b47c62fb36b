"""`customer_token.revoke`: a token of a customer's programs opens nothing any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.trust.tokens import CustomerToken
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`token` is an id of this tenant, never the token itself."""

    token: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(token=values["token"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return which token would go; raises Fault."""
    token = _token(params, tools)
    return Preview(
        sentence=f"Revoke the token {token.label}",
        changes=(Change(field="Token", before=token.label, after="revoked"),),
        fingerprint={"token": token.id},
        customer="Programs that use it are refused from then on.",
        target_type="customer_token",
        target_id=token.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Revoke it; raises Fault when somebody was faster."""
    token = _token(params, tools)
    if not tools.books().customer_tokens.revoke(token.id, token.tenant, at=tools.now):
        raise Fault("token", "Somebody revoked it meanwhile.")
    return Applied(
        sentence=f"The token {token.label} opens nothing any more.",
        changes=(Change(field="Token", before=token.label, after="revoked"),),
    )


def _token(params: Params, tools: Tools) -> CustomerToken:
    tenant = None if tools.directory_row is None else tools.directory_row.id
    known = () if tenant is None else tools.books().customer_tokens.of(tenant)
    found = next((each for each in known if each.id == params.token), None)
    if found is None:
        raise Fault("token", "This tenant has no such token.")
    if found.revoked_at is not None:
        raise Fault("token", "This token is revoked already.")
    return found


ACTION = Action(
    key=ActionKey("customer_token.revoke"),
    version=1,
    title="Revoke a customer token",
    button="Revoke",
    icon="ban",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="token", label="Token", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Ends a token of a customer's programs, at once.",
    customer_sees="That the token was revoked, by whom and why.",
    place="customer",
    is_beside_its_thing=True,
    lands=Landing.BOOKS_ALONE,
)
