"""`finding.leave`: give a finding back to everybody."""

from dataclasses import replace

from console.actions.finding.chosen import FIELD, NOTHING_SEEN, Params, build, chosen, shown, stepped
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.reconciling.findings import FindingEvent
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would change; raises Fault."""
    finding, to = chosen(params.finding, FindingEvent.LEAVE, tools)
    return shown(finding, to, tools, sentence="Give it back")


def apply(params: Params, tools: Tools) -> Applied:
    """Write it; raises Fault when the finding moved meanwhile."""
    finding, to = chosen(params.finding, FindingEvent.LEAVE, tools)
    now = replace(finding, state=to, owner=None, repair=None)
    return stepped(tools, finding, now, sentence="Nobody looks after it now")


ACTION = Action(
    key=ActionKey("finding.leave"),
    version=1,
    title="Leave a finding",
    button="Leave",
    icon="undo-2",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Gives a finding back: it is open again, and anybody can take it.",
    customer_sees=NOTHING_SEEN,
    place="findings",
    is_beside_its_thing=True,
)
