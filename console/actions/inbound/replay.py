"""`inbound.replay`: process an event of a provider once more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId, InboundId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach

JOB = "inbound.process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`event` is an event of the inbox."""

    event: InboundId


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(event=InboundId(values["event"]))


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would be processed again; raises Fault."""
    event = _settled(params, tools)
    return Preview(
        sentence=f"Process {event.event_type} of {event.provider} again",
        changes=(Change(field="Event", before=event.state.value, after=InboundState.RECEIVED.value),),
        fingerprint={"event": event.id, "version": event.version},
        warnings=(
            (
                "What the event says is not believed: the provider is asked for the object as it is now, and the "
                "mirror follows only where that is newer."
            ),
        ),
        customer="Access that follows what the provider says now.",
        target_type="inbound_event",
        target_id=event.id,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Open the event again; the job that processes it is queued with the outcome."""
    event = _settled(params, tools)
    if not tools.books().inbox.reopen(event):
        raise Fault("event", "The event moved meanwhile; look at it again.")
    return Applied(
        sentence=f"{event.event_type} is processed again.",
        changes=(Change(field="Event", before=event.state.value, after=InboundState.RECEIVED.value),),
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that processes the event."""
    key = f"inbound:{params.event}:{execution}"
    return (JobDraft(kind=JOB, key=key, payload={"event": params.event}, queue="inbound"),)


def _settled(params: Params, tools: Tools) -> InboundEvent:
    event = tools.books().inbox.get(params.event)
    if event is None:
        raise Fault("event", "The inbox has no such event.")
    if event.state is InboundState.RECEIVED:
        raise Fault("event", "This event waits to be processed already.")
    return event


ACTION = Action(
    key=ActionKey("inbound.replay"),
    version=1,
    title="Process a provider's event again",
    button="Process again",
    icon="inbox",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(ParamField(name="event", label="Event", input=Input.TEXT, most=64, is_fixed_by_link=True),),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Processes an event of the inbox once more: the object is asked for afresh at the provider.",
    customer_sees="Access that follows what the provider says.",
    place="inbound",
)
