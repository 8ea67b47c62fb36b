"""What the actions on findings share: the finding that is meant, and how it is shown without any value of a tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.domain.billing.money import worded
from console.domain.changes import Applied, Change, Preview
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import (
    Finding,
    FindingEvent,
    FindingId,
    FindingState,
    after,
    digest_of,
)
from console.ports.action_tools import Tools
from console.ports.actions import Fault, Input, ParamField

FIELD = ParamField(name="finding", label="Finding", input=Input.TEXT, most=64, is_fixed_by_link=True)
NOTE = ParamField(
    name="note",
    label="Explanation",
    input=Input.LONG_TEXT,
    least=10,
    most=1_000,
    help="For the colleague who comes next: what it is, and why it may stand.",
)
_NOBODYS = "no tenant"
NOTHING_SEEN = "Nothing: findings are the company's own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`finding` is one that stands."""

    finding: FindingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """`finding`, and a `note` that says what it is."""

    finding: FindingId
    note: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(finding=FindingId(values["finding"]))


def build_explained(values: Mapping[str, Any]) -> Explained:
    """Return typed parameters from parsed values."""
    return Explained(finding=FindingId(values["finding"]), note=values["note"].strip())


def chosen(finding: FindingId, event: FindingEvent, tools: Tools) -> tuple[Finding, FindingState]:
    """Return the finding and the state that follows; raises Fault where there is none or that is not legal now."""
    found = tools.books().findings.get(finding)
    if found is None:
        raise Fault("finding", "There is no such finding.")
    to = after(found.state, event)
    if to is None:
        raise Fault("finding", f"The finding is {_said(found.state)}; look at it again.")
    return found, to


def shown(
    finding: Finding,
    to: FindingState,
    tools: Tools,
    *,
    sentence: str,
    more: tuple[Change, ...] = (),
    warnings: tuple[str, ...] = (),
    facts: Mapping[str, int] | None = None,
) -> Preview:
    """Return the preview of a step of a finding, bound to what it says now and to whose it is."""
    return Preview(
        sentence=f"{sentence}: {titled(finding)}",
        changes=(
            Change(field="Tenant", before=None, after=_whose(finding, tools)),
            Change(field="State", before=_said(finding.state), after=_said(to)),
            *more,
        ),
        fingerprint={"finding": finding.id, "state": finding.state.value, "digest": digest_of(finding)},
        facts=dict(facts or {}),
        warnings=warnings,
        customer=NOTHING_SEEN,
        target_type="finding",
        target_id=finding.id,
    )


def stepped(tools: Tools, before: Finding, now: Finding, *, sentence: str) -> Applied:
    """Write a step of a finding; raises Fault when it moved meanwhile."""
    if not tools.books().findings.save(now):
        raise Fault("finding", "The finding moved meanwhile; look at it again.")
    return Applied(
        sentence=f"{sentence}: {titled(before)}.",
        changes=(
            Change(field="State", before=_said(before.state), after=_said(now.state)),
            Change(field="Digest", before=None, after=digest_of(before)),
        ),
        made=before.id,
    )


def titled(finding: Finding) -> str:
    """Return a finding's kind with what is at risk; nothing else of it may be shown without a lease."""
    kind = KINDS.get(finding.kind)
    title = finding.kind if kind is None else kind.title
    if finding.currency is None or not finding.at_risk_minor:
        return title
    return f"{title} ({worded(finding.at_risk_minor, finding.currency)} at risk)"


def owned(finding: Finding, tools: Tools, to: FindingState) -> Finding:
    """Return a finding in another state, owned by whoever asked."""
    return replace(finding, state=to, owner=tools.requester)


def _whose(finding: Finding, tools: Tools) -> str:
    row = None if finding.tenant is None else tools.books().directory.get(finding.tenant)
    return _NOBODYS if row is None else f"{row.name} ({row.slug})"


def _said(state: FindingState) -> str:
    return state.value.replace("_", " ")
