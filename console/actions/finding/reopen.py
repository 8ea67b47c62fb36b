"""`finding.reopen`: take back what was said of a finding, or its waiver."""

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
    finding, to = chosen(params.finding, FindingEvent.REOPEN, tools)
    return shown(finding, to, tools, sentence="Open it again")


def apply(params: Params, tools: Tools) -> Applied:
    """Write it; raises Fault when the finding moved meanwhile."""
    finding, to = chosen(params.finding, FindingEvent.REOPEN, tools)
    now = replace(finding, state=to, owner=None, explanation=None, waived_until=None, waived_by=None)
    return stepped(tools, finding, now, sentence="It is open again")


ACTION = Action(
    key=ActionKey("finding.reopen"),
    version=1,
    title="Open a finding again",
    button="Open again",
    icon="undo-2",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Ends an explanation or a waiver before its time: the finding is open again.",
    customer_sees=NOTHING_SEEN,
    place="findings",
    is_beside_its_thing=True,
)
