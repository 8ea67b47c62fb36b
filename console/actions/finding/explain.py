"""`finding.explain`: say what a finding is, so that nobody looks for it again."""

from dataclasses import replace

from console.actions.finding.chosen import (
    FIELD,
    NOTE,
    NOTHING_SEEN,
    Explained,
    build_explained,
    chosen,
    owned,
    shown,
    stepped,
)
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.reconciling.findings import FindingEvent
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach


def preview(params: Explained, tools: Tools) -> Preview:
    """Return what would change; raises Fault."""
    finding, to = chosen(params.finding, FindingEvent.EXPLAIN, tools)
    return shown(finding, to, tools, sentence="Explain it")


def apply(params: Explained, tools: Tools) -> Applied:
    """Write it; raises Fault when the finding moved meanwhile."""
    finding, to = chosen(params.finding, FindingEvent.EXPLAIN, tools)
    now = replace(owned(finding, tools, to), explanation=params.note)
    return stepped(tools, finding, now, sentence="It is explained")


ACTION = Action(
    key=ActionKey("finding.explain"),
    version=1,
    title="Explain a finding",
    button="Explain",
    icon="sticky-note",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(FIELD, NOTE),
    build=build_explained,
    preview=preview,
    apply=apply,
    documentation="Notes what a finding is. It opens again by itself as soon as it says anything else.",
    customer_sees=NOTHING_SEEN,
    place="findings",
    is_beside_its_thing=True,
)
