"""One finding on a page: both values side by side, the one safe button, the steps by hand, and its history."""

from collections.abc import Mapping, Sequence

from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer
from console.usecases.read_findings import FindingPage, TenantFindings
from console.web.paths import path_of
from console.web.shaping import View, entry_events, with_query
from console.web.shaping_reconciliation import finding_row
from console.web.shaping_tenants import action_href

_SIDES = {
    "P-M": ("Our mirror", "The provider"),
    "M-E": ("What the product reads", "What it ought to be"),
    "U-M": ("What was used", "What was billed"),
    "C-E": ("The override", "The plan"),
    "cash": ("The payout", "What is in it"),
    "books": ("Now", "As closed"),
    "events": ("The inbox", "The provider"),
    "P": ("On our side", "At the provider"),
}
_ELSE = ("Here", "There")


def finding_view(page: FindingPage, offers: Sequence[Offer], titles: Mapping[str, str]) -> View:
    """Return one finding with its values."""
    finding, kind = page.finding, page.line.kind
    row = None if page.opened is None else page.opened.tenant
    ours, theirs = _SIDES.get(kind.compares, _ELSE) if kind else _ELSE
    repair = page.repair
    return {
        **finding_row(page.line, is_opened=True),
        "key": page.line.key,
        "digest": page.digest,
        "sides": [{"label": ours, "value": finding.ours}, {"label": theirs, "value": finding.theirs}],
        "differs": finding.differs.replace("_", " "),
        "objects": list(finding.objects),
        "evidence": [{"name": _named(name), "value": value} for name, value in sorted(finding.evidence.items())],
        "repair_offer": None
        if repair is None
        else {
            "title": repair.title,
            "button": repair.button,
            "icon": repair.icon,
            "may_ask": repair.may_ask,
            "href": action_href(
                row if repair.tenant is not None else None,
                repair.action,
                **{**repair.params, "repairs": repair.finding},
            ),
        },
        "waiting_href": path_of("requests.show", request_id=page.waiting.id) if page.waiting else "",
        "waiting_state": page.waiting.state.value if page.waiting else "",
        "waiver_href": path_of("requests.show", request_id=page.waiver.id) if page.waiver else "",
        "explanation": finding.explanation or "",
        "resolved_href": path_of("reconciliation.run", reconciliation=finding.resolved_by)
        if finding.resolved_by
        else "",
        "resolved_at": finding.resolved_at,
        "last_seen_at": finding.last_seen_at,
        "run_href": path_of("reconciliation.run", reconciliation=finding.last_run),
        "steps": [
            {
                "button": offer.action.button,
                "icon": offer.action.icon,
                "href": action_href(None, offer.action.key, finding=finding.id, finding_digest=page.digest),
            }
            for offer in offers
            if offer.action.key in page.steps
        ],
        "history": entry_events(page.history, titles, is_linked=False),
    }


def _named(name: str) -> str:
    """Return what a piece of evidence is called: in words, unless it is an id."""
    if any(letter.isdigit() for letter in name):
        return name
    words = name.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def tenant_findings_view(page: TenantFindings, row: DirectoryRow) -> View:
    """Return the findings of an opened tenant, with both values."""
    address = path_of("findings.index", slug=row.slug)
    return {
        "rows": [
            {**finding_row(line, is_opened=True), "ours": finding.ours, "theirs": finding.theirs}
            for line, finding in page.findings
        ],
        "next": with_query(address, {"after": page.next}) if page.next else "",
    }
