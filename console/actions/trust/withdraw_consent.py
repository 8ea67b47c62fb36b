"""`consent.withdraw`: take a question back, or give back a consent that is no longer needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.trust.consents import Consent, ConsentState
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, Landing, ParamField, Reach

_LIVE = frozenset({ConsentState.PENDING, ConsentState.APPROVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`consent` is an id of this tenant."""

    consent: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(consent=values["consent"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be withdrawn; raises Fault."""
    consent = _consent(params, tools)
    return Preview(
        sentence="Withdraw a question for consent",
        changes=(Change(field="Consent", before=consent.state.value, after="withdrawn"),),
        fingerprint={"consent": consent.id, "version": consent.version},
        facts={"is_others": consent.staff != tools.requester},
        customer="The link in their letter says that nothing is asked any more.",
        target_type="consent",
        target_id=consent.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Withdraw it; raises Fault when it was decided meanwhile."""
    consent = _consent(params, tools)
    done = tools.books().consents.settle(consent, ConsentState.WITHDRAWN, by=tools.requester, at=tools.now)
    if not done:
        raise Fault("consent", "It was decided meanwhile; look again.")
    return Applied(
        sentence="The question is withdrawn; nothing may be done by it.",
        changes=(Change(field="Consent", before=consent.state.value, after="withdrawn"),),
    )


def _consent(params: Params, tools: Tools) -> Consent:
    tenant = None if tools.directory_row is None else tools.directory_row.id
    found = tools.books().consents.get(params.consent)
    if found is None or found.tenant != tenant:
        raise Fault("consent", "This tenant was not asked that.")
    if found.state_at(tools.now) not in _LIVE:
        raise Fault("consent", f"It is {found.state_at(tools.now).value} already.")
    return found


ACTION = Action(
    key=ActionKey("consent.withdraw"),
    version=2,
    title="Withdraw a question for consent",
    button="Withdraw",
    icon="undo-2",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="consent", label="Question", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Takes back a question for consent, or a consent that was given and is not needed.",
    customer_sees="That the question was withdrawn.",
    place="customer",
    is_beside_its_thing=True,
    lands=Landing.BOOKS_ALONE,
)
