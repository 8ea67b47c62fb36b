"""`tenant.add_note`: leave a note for the colleagues who open this tenant next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.workspace import Note
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach

_LONGEST = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`text` is plain text of at most 4,000 characters."""

    text: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(text=values["text"].strip())


def preview(params: Params, _tools: Tools) -> Preview:
    """Return the note as it would stand; raises Fault for an empty one."""
    if not params.text:
        raise Fault("text", "Write what the next person should know.")
    return Preview(
        sentence="Add a note to this tenant",
        changes=(Change(field="Note", before=None, after=params.text),),
        fingerprint={},
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the note under the requester's name."""
    note = Note(id=tools.ids.new("not"), author=tools.requester_name, text=params.text, at=tools.now)
    tools.plane().add_note(note)
    return Applied(sentence="Note added.", changes=(Change(field="Note", before=None, after=params.text),))


ACTION = Action(
    key=ActionKey("tenant.add_note"),
    version=1,
    title="Add a note",
    button="Add note",
    icon="sticky-note",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="text",
            label="Note",
            input=Input.LONG_TEXT,
            help="For colleagues only; the customer never sees it. Leave out personal data.",
            least=1,
            most=_LONGEST,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Leaves a note for the colleagues who open this tenant next.",
    customer_sees="Nothing.",
    place="notes",
)
