"""`finding.take`: look after a finding, so that everybody sees who does."""

from console.actions.finding.chosen import FIELD, NOTHING_SEEN, Params, build, chosen, owned, shown, stepped
from console.domain.changes import Applied, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.reconciling.findings import FindingEvent
from console.ports.action_tools import Tools
from console.ports.actions import Action, Reach


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would change; raises Fault."""
    finding, to = chosen(params.finding, FindingEvent.TAKE, tools)
    return shown(finding, to, tools, sentence="Look after it")


def apply(params: Params, tools: Tools) -> Applied:
    """Write it; raises Fault when the finding moved meanwhile."""
    finding, to = chosen(params.finding, FindingEvent.TAKE, tools)
    now = owned(finding, tools, to)
    return stepped(tools, finding, now, sentence="You look after it")


ACTION = Action(
    key=ActionKey("finding.take"),
    version=1,
    title="Take a finding",
    button="Take",
    icon="user-check",
    effect=Effect.WRITE,
    reach=Reach.CONTROL,
    fields=(FIELD,),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Makes the person who asks the owner of a finding; it is in progress from then on.",
    customer_sees=NOTHING_SEEN,
    place="findings",
    is_beside_its_thing=True,
)
