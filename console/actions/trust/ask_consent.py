"""`consent.ask`: ask a tenant's administrators to permit one described access."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, MemberId, TenantId
from console.domain.moments import minute_of
from console.domain.reasons import Effect
from console.domain.trust.consents import Consent, ConsentState
from console.domain.trust.letters import Letter, LetterKind, Way
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, Landing, ParamField, Reach

_MODES = {"read": "look only", "write": "look and change"}
_LONGEST_MINUTES = 30
_MOST_OPEN = 3
_ASKED = 20
_ADDRESS = re.compile(r"://|\bwww\.|\bmailto:", re.IGNORECASE)
_USE_FACTOR = 2  # what is approved may begin within twice the time in which it had to be answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`member` is empty for the workspace as a whole. Units: minutes of access, hours in which to answer."""

    what: str
    member: str
    mode: str
    minutes: int
    answer_hours: int


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(
        what=values["what"],
        member=values["member"],
        mode=values["mode"],
        minutes=values["minutes"],
        answer_hours=values["answer_hours"],
    )


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the kinds of access."""
    return tuple(Choice(value=key, label=label) for key, label in _MODES.items()) if field == "mode" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return the question as the administrators will read it; raises Fault."""
    tenant = _checked(params, tools)
    until = tools.now + timedelta(hours=params.answer_hours)
    return Preview(
        sentence="Ask the tenant's administrators for consent",
        changes=(
            Change(field="What they read", before=None, after=params.what),
            Change(field="Kind of access", before=None, after=_MODES[params.mode]),
            Change(field="For", before=None, after=f"{params.minutes} minutes"),
            Change(field="Answer until", before=None, after=minute_of(until)),
        ),
        fingerprint={"tenant": tenant, "member": params.member},
        facts={"hours": params.answer_hours},
        warnings=("Silence is a refusal.",),
        customer="A letter to its administrators with this question and a link to answer it.",
        target_type="consent",
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the question and queue its letters, in one transaction."""
    tenant = _checked(params, tools)
    wait = timedelta(hours=params.answer_hours)
    consent = Consent(
        id=tools.ids.new("cns"),
        tenant=tenant,
        staff=tools.requester,
        what=params.what,
        member=MemberId(params.member) if params.member else None,
        mode=params.mode,
        reason_code=tools.reason.code,
        reference=tools.reason.reference,
        minutes=params.minutes,
        asked_at=tools.now,
        decide_by=tools.now + wait,
        use_by=tools.now + _USE_FACTOR * wait,
    )
    books = tools.books()
    books.consents.add(consent)
    for way in Way:
        books.letters.add(
            Letter(
                id=tools.ids.new("ltr"),
                tenant=tenant,
                kind=LetterKind.CONSENT,
                way=way,
                about=consent.id,
                at=tools.now,
                due_at=tools.now,
            )
        )
    return Applied(
        sentence=f"The tenant's administrators are asked until {minute_of(consent.decide_by)}.",
        changes=(Change(field="Consent", before=None, after="asked"),),
        made=consent.id,
    )


def _checked(params: Params, tools: Tools) -> TenantId:
    if _ADDRESS.search(params.what):
        raise Fault("what", "Leave addresses out: the letter holds one link, and it is ours.")
    if params.mode not in _MODES:
        raise Fault("mode", "Choose the kind of access.")
    if tools.directory_row is None:
        raise Fault("what", "Open a tenant first.")
    tenant = tools.directory_row.id
    mine = tools.books().consents.of_staff(tools.requester, tenant, limit=_ASKED)
    waiting = [each for each in mine if each.state_at(tools.now) is ConsentState.PENDING]
    if len(waiting) >= _MOST_OPEN:
        raise Fault("what", f"{_MOST_OPEN} of your questions wait for this tenant's answer; withdraw one first.")
    return tenant


ACTION = Action(
    key=ActionKey("consent.ask"),
    version=1,
    title="Ask for consent",
    button="Ask for consent",
    icon="circle-help",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="what",
            label="What you want to do",
            input=Input.LONG_TEXT,
            help="In words that the customer understands: they decide by this sentence.",
            least=20,
            most=500,
        ),
        ParamField(
            name="member",
            label="As which member",
            input=Input.TEXT,
            help="The member's id; empty for the workspace as a whole.",
            most=64,
            is_required=False,
        ),
        ParamField(name="mode", label="Kind of access", input=Input.CHOICE),
        ParamField(name="minutes", label="For", input=Input.INTEGER, unit="minutes", least=1, most=_LONGEST_MINUTES),
        ParamField(name="answer_hours", label="Answer within", input=Input.INTEGER, unit="hours", least=1, most=168),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Asks a tenant's administrators to permit one described access; silence refuses it.",
    customer_sees="The question, who asks by pseudonym, why, what and how long, and a link to answer it.",
    undo=ActionKey("consent.withdraw"),
    place="customer",
    lands=Landing.BOOKS_ALONE,
)
