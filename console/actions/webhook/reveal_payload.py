"""`webhook.reveal_payload`: show the whole payload of one message, and what receivers answered, for a short while."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.webhook.deliveries import message_of
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, MessageId
from console.domain.reasons import Effect
from console.domain.redaction import redacted_text
from console.ports.action_tools import Tools
from console.ports.actions import Action, Input, ParamField, Reach

_LONGEST = 100_000
_MOST_DELIVERIES, _MOST_ANSWERS = 10, 5
_LABEL = "Payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`message` is an id of this tenant."""

    message: MessageId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(message=MessageId(values["message"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return how large the payload is, without a word of it; raises Fault."""
    message, payload = message_of(tools, params.message, field="message")
    return Preview(
        sentence=f"Show the payload of one {message.event_type} and its answers for {tools.shown_seconds} seconds",
        changes=(
            Change(
                field=_LABEL,
                before=f"{len(payload):,} bytes, masked",
                after=f"shown to you for {tools.shown_seconds} s",
            ),
        ),
        fingerprint={"message": message.id},
        customer="That this message was looked at, by whom and why, in the access log.",
        target_type="message",
        target_id=message.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Return the cleartext for the person who asked; it is never stored."""
    message, payload = message_of(tools, params.message, field="message")
    text = payload[:_LONGEST].decode("utf-8", errors="replace")
    return Applied(
        sentence=f"Payload of message {message.id} shown for {tools.shown_seconds} seconds.",
        shown={_LABEL: text, **_answers(tools, message.id)},
    )


def _answers(tools: Tools, message: MessageId) -> Mapping[str, str]:
    """Return the beginning of the newest answers, without what is a secret in them."""
    book = tools.plane().webhooks
    return {
        f"Answer to attempt {attempt.number} of {delivery.id}": redacted_text(attempt.got_body)
        for delivery in book.deliveries_of(message)[:_MOST_DELIVERIES]
        for attempt in book.attempts(delivery.id, limit=_MOST_ANSWERS)
        if attempt.got_body
    }


ACTION = Action(
    key=ActionKey("webhook.reveal_payload"),
    version=2,
    title="Reveal a payload",
    button="Reveal payload",
    icon="eye",
    effect=Effect.READ,
    reach=Reach.TENANT,
    fields=(ParamField(name="message", label="Message", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Shows the whole payload of one message and what receivers answered for a short while, and counts "
    "against the reveal budget.",
    customer_sees="Who looked at which message, when and why.",
    place="delivery",
    budget="reveals",
)
