"""`access_policy.set`: what a tenant permits of staff's work, and how it wants to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, TenantId
from console.domain.reasons import Effect
from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule, Notify
from console.domain.trust.letters import Letter, LetterKind, Way
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, Landing, ParamField, Reach

_IMPERSONATION = {
    ImpersonationRule.ALLOWED: "Allowed",
    ImpersonationRule.CONSENT: "Only with consent",
    ImpersonationRule.REFUSED: "Refused",
}
_NOTIFY = {
    Notify.EACH: "A letter for each access",
    Notify.DIGEST: "A daily digest",
    Notify.NONE: "Nothing: the law withholds it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Both as they shall stand."""

    impersonation: str
    notify: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(impersonation=values["impersonation"], notify=values["notify"])


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the rules that there are."""
    if field == "impersonation":
        return tuple(Choice(value=rule.value, label=label) for rule, label in _IMPERSONATION.items())
    return tuple(Choice(value=rule.value, label=label) for rule, label in _NOTIFY.items()) if field == "notify" else ()


def current(_params: Mapping[str, str], tools: Tools) -> Mapping[str, str]:
    """Return what holds now."""
    _tenant, now = _standing(tools)
    return {"impersonation": _IMPERSONATION[now.impersonation], "notify": _NOTIFY[now.notify]}


def preview(params: Params, tools: Tools) -> Preview:
    """Return the rules before and after; raises Fault."""
    tenant, before, after = _checked(params, tools)
    loosens = before.loosens(after)
    return Preview(
        sentence="Change what this tenant permits of our work",
        changes=_changes(before, after),
        fingerprint={"tenant": tenant, "version": before.version},
        facts={"loosens": loosens, "silences": after.notify is Notify.NONE},
        warnings=("This permits more, or says less, than the tenant had agreed to.",) if loosens else (),
        customer="The new rules in their log, and by letter.",
        target_type="access_policy",
        target_id=tenant,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the rules and queue the letter about them; raises Fault when somebody was faster."""
    tenant, before, after = _checked(params, tools)
    books = tools.books()
    if not books.access_policies.put(tenant, after, by=tools.requester, at=tools.now):
        raise Fault("impersonation", "Somebody changed it meanwhile; look again.")
    tools.books().end_against_wish(at=tools.now)
    for way in Way if after.notify is not Notify.NONE else ():
        books.letters.add(
            Letter(
                id=tools.ids.new("ltr"),
                tenant=tenant,
                kind=LetterKind.POLICY_CHANGED,
                way=way,
                about=str(before.version + 1),
                at=tools.now,
                due_at=tools.now,
            )
        )
    return Applied(
        sentence=f"Impersonation: {_IMPERSONATION[after.impersonation]}. Letters: {_NOTIFY[after.notify]}.",
        changes=_changes(before, after),
    )


def _changes(before: AccessPolicy, after: AccessPolicy) -> tuple[Change, ...]:
    pairs = (
        ("Impersonation", _IMPERSONATION[before.impersonation], _IMPERSONATION[after.impersonation]),
        ("Letters", _NOTIFY[before.notify], _NOTIFY[after.notify]),
    )
    return tuple(Change(field=field, before=old, after=new) for field, old, new in pairs if old != new)


def _standing(tools: Tools) -> tuple[TenantId, AccessPolicy]:
    if tools.directory_row is None:
        raise Fault("impersonation", "Open a tenant first.")
    return tools.directory_row.id, tools.books().access_policies.of(tools.directory_row.id)


def _checked(params: Params, tools: Tools) -> tuple[TenantId, AccessPolicy, AccessPolicy]:
    tenant, before = _standing(tools)
    try:
        impersonation = ImpersonationRule(params.impersonation)
    except ValueError:
        raise Fault("impersonation", "Choose one of the three.") from None
    try:
        notify = Notify(params.notify)
    except ValueError:
        raise Fault("notify", "Choose one of the three.") from None
    after = replace(before, impersonation=impersonation, notify=notify)
    if after == before:
        raise Fault("impersonation", "This is what holds already.")
    if after.notify is Notify.NONE and impersonation.looseness > before.impersonation.looseness:
        raise Fault("impersonation", "Nobody would be told of it: permit more when letters go out again.")
    return tenant, before, after


ACTION = Action(
    key=ActionKey("access_policy.set"),
    version=2,
    title="Change the tenant's access policy",
    button="Change access policy",
    icon="shield-check",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="impersonation", label="Impersonation", input=Input.CHOICE),
        ParamField(name="notify", label="Letters", input=Input.CHOICE),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    current=current,
    documentation="Sets whether staff may act as the tenant's members, and how its administrators are told.",
    customer_sees="The new rules, who set them and why.",
    place="customer",
    lands=Landing.BOOKS_ALONE,
)
