"""`example.mark_reviewed`: leave a note that somebody has looked this tenant over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.workspace import Note
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`on` is the day of the review, not in the future."""

    on: date


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(on=values["on"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return the note as it would stand; raises Fault for a day that has not come."""
    if params.on > tools.now.date():
        raise Fault("on", "Choose today or an earlier day.")
    return Preview(
        sentence=f"Mark as reviewed on {params.on.isoformat()}",
        changes=(Change(field="Reviewed", before=None, after=params.on.isoformat()),),
        fingerprint={},
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the note."""
    text = f"Reviewed on {params.on.isoformat()}."
    tools.plane().add_note(Note(id=tools.ids.new("not"), author=tools.requester_name, text=text, at=tools.now))
    return Applied(sentence=text)


ACTION = Action(
    key=ActionKey("example.mark_reviewed"),
    version=1,
    title="Mark as reviewed",
    button="Mark reviewed",
    icon="check",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(ParamField(name="on", label="Reviewed on", input=Input.DATE),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Leaves a note that somebody has looked this tenant over.",
    customer_sees="Nothing.",
)
