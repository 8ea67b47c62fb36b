"""Reconciliation as its templates want it: what stands by kind, runs and their progress, the queue of findings."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from console.domain.billing.money import worded
from console.domain.ids import StaffId, TenantId
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Direction, FindingState, RepairClass
from console.domain.reconciling.runs import KindTotal, Reconciliation, RunState
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer
from console.usecases.read_findings import FindingLine, FindingsPage
from console.usecases.read_reconciliation import KindLine, RunPage, RunsPage
from console.web.forms.findings import FILTERS, FindingsForm
from console.web.paths import path_of
from console.web.shaping import View, tenant_view, with_query
from console.web.shaping_replays import duration
from console.web.shaping_tenants import placed_links

CLASSES: Mapping[RepairClass, tuple[str, str, str]] = {
    RepairClass.SAFE: ("ok", "refresh-cw", "Safe repair"),
    RepairClass.AGENT: ("info", "user-check", "One person"),
    RepairClass.FINANCE: ("warn", "users", "Finance, two people"),
    RepairClass.INVESTIGATE: ("", "search", "Look into it"),
}
DIRECTIONS: Mapping[Direction, str] = {
    Direction.WE_LOSE: "we lose",
    Direction.CUSTOMER_LOSES: "the customer loses",
    Direction.NOBODY: "nobody loses",
}
STATES: Mapping[FindingState, tuple[str, str, str]] = {
    FindingState.IN_FLIGHT: ("info", "hourglass", "On its way"),
    FindingState.OPEN: ("warn", "circle-dot", "Open"),
    FindingState.IN_PROGRESS: ("info", "user-check", "In progress"),
    FindingState.EXPLAINED: ("", "circle-check", "Explained"),
    FindingState.WAIVED: ("", "calendar-clock", "Waived"),
    FindingState.RESOLVED: ("ok", "circle-check", "Resolved"),
}
RUN_STATES: Mapping[RunState, tuple[str, str, str]] = {
    RunState.QUEUED: ("info", "hourglass", "Queued"),
    RunState.PULLING: ("info", "loader", "Asking the provider"),
    RunState.COMPARING: ("info", "loader", "Comparing"),
    RunState.SETTLING: ("info", "loader", "Settling"),
    RunState.DONE: ("ok", "circle-check", "Done"),
    RunState.STOPPED: ("stop", "octagon-alert", "Stopped"),
    RunState.CANCELLED: ("", "circle-slash", "Cancelled"),
    RunState.FAILED: ("stop", "octagon-alert", "Failed"),
}
_FIGURES = (
    ("tenants", "Tenants compared"),
    ("looked_twice", "Differences looked at twice"),
    ("vanished", "Gone on the second look"),
    ("opened", "New findings"),
    ("resolved", "Resolved"),
    ("healed", "Repaired by itself"),
)
_FULL = 100
_MOST_KINDS = 40
_START, _CANCEL = "reconciliation.start", "reconciliation.cancel"
_DAYS_FROM = timedelta(hours=48)


def section_views(current: str, pages: Collection[str]) -> list[View]:
    """Return the pages of reconciliation, of which those that may be opened."""
    return [
        {"label": label, "href": path_of(endpoint), "count": None, "is_current": name == current}
        for name, label, endpoint in (
            ("reconciliation", "Overview", "reconciliation.index"),
            ("findings", "Findings", "reconciliation.findings"),
            ("periods", "Periods", "periods.index"),
        )
        if name in pages
    ]


def runs_view(page: RunsPage, offers: Sequence[Offer], pages: Collection[str]) -> View:
    """Return what stands by kind, and the runs."""
    commonest = _commonest(page.totals)
    return {
        "views": section_views("reconciliation", pages),
        "kinds": kind_rows(commonest, is_linked="findings" in pages),
        "rarer": len(page.totals) - len(commonest),
        "findings_href": path_of("reconciliation.findings") if "findings" in pages else "",
        "at_risk": _at_risk(page.totals),
        "count": sum(line.total.count for line in page.totals),
        "running": None if page.running is None else run_row(page.running, page.tenants, {}),
        "rows": [run_row(run, page.tenants, page.names) for run in page.runs],
        "older": with_query(path_of("reconciliation.index"), {"before": page.older}) if page.older else "",
        "offers": [each for each in placed_links(offers, None, "reconciliation") if each["key"] == _START],
    }


def run_view(page: RunPage, offers: Sequence[Offer], pages: Collection[str]) -> View:
    """Return one run: how far it is, what it pulled and saw, and whether that is what the run before saw."""
    run = page.run
    tenants = {} if page.tenant is None else {page.tenant.id: page.tenant}
    names = {} if run.started_by is None or page.started_by is None else {run.started_by: page.started_by}
    known = {"run": run.id}
    return {
        **run_row(run, tenants, names),
        "percent": page.percent,
        "is_open": run.is_open,
        "because": run.because or "",
        "figures": live_run_view(run),
        "names": [{"key": key, "label": label} for key, label in _FIGURES],
        "pulled": [{"name": f"{name.replace('_', ' ')}s", "count": many} for name, many in page.pulled.items()],
        "kinds": kind_rows(page.kinds, is_linked="findings" in pages),
        "at_risk": _at_risk(page.kinds),
        "window_from": run.window_from,
        "window_until": run.window_until,
        "rules": run.rules_version,
        "inputs_digest": run.inputs_digest or "",
        "findings_digest": run.findings_digest or "",
        "is_same": page.is_same_as_previous,
        "previous_href": path_of("reconciliation.run", reconciliation=run.previous) if run.previous else "",
        "request_href": path_of("requests.show", request_id=run.request) if run.request else "",
        "progress_href": path_of("reconciliation.progress", reconciliation=run.id),
        "events_href": path_of("reconciliation.events", reconciliation=run.id),
        "offers": [
            each
            for each in placed_links(offers, None, "reconciliation", known)
            if run.is_open and each["key"] == _CANCEL
        ],
    }


def live_run_view(run: Reconciliation) -> dict[str, str | int]:
    """Return the figures of a run that move, and its state."""
    figures: dict[str, str | int] = {name: run.counts.get(name, 0) for name, _label in _FIGURES}
    total = run.tenants_total or 1
    done = min(_FULL, run.counts.get("tenants", 0) * _FULL // total) if run.is_open else _FULL
    pulled = sum(many for name, many in run.counts.items() if name.startswith("pulled."))
    return {**figures, "objects": pulled, "done": done, "state": run.state.value}


def run_row(run: Reconciliation, tenants: Mapping[TenantId, DirectoryRow], names: Mapping[StaffId, str]) -> View:
    """Return one run as a list shows it."""
    kind, icon, word = RUN_STATES[run.state]
    row = None if run.tenant is None else tenants.get(run.tenant)
    found = sum(total.count for total in run.found.values())
    return {
        "id": run.id,
        "href": path_of("reconciliation.run", reconciliation=run.id),
        "state": run.state.value,
        "mark": {"word": word, "kind": kind, "icon": icon},
        "scope": "All tenants" if run.tenant is None else (row.name if row is not None else run.tenant),
        "queued_at": run.queued_at,
        "took": "" if run.began_at is None or run.finished_at is None else duration(run.finished_at - run.began_at),
        "by": "the schedule" if run.started_by is None else names.get(run.started_by, ""),
        "tenants": run.counts.get("tenants", 0),
        "found": found,
        "healed": run.counts.get("healed", 0),
    }


def _commonest(lines: Sequence[KindLine]) -> Sequence[KindLine]:
    """Return the kinds with the most findings, as many as a page bears, in their order."""
    kept = {line.key for line in sorted(lines, key=lambda line: -line.total.count)[:_MOST_KINDS]}
    return [line for line in lines if line.key in kept]


def kind_rows(lines: Sequence[KindLine], *, is_linked: bool) -> list[View]:
    """Return kinds with how many there are, a bar beside the largest, and what is at risk by currency."""
    most = max((line.total.count for line in lines), default=1)
    return [
        {
            "key": line.key,
            "number": line.kind.number if line.kind else 0,
            "title": line.kind.title if line.kind else line.key,
            "sentence": line.kind.sentence if line.kind else "This kind is no longer in the catalogue.",
            "repair": _mark(CLASSES[line.kind.repair]) if line.kind else None,
            "count": line.total.count,
            "share": max(1, line.total.count * _FULL // most),
            "at_risk": _worded(line.total),
            "href": with_query(path_of("reconciliation.findings"), {"kind": line.key}) if is_linked else "",
        }
        for line in lines
    ]


def findings_view(page: FindingsPage, form: FindingsForm, pages: Collection[str]) -> View:
    """Return one page of the queue with its filters as chips."""
    address = path_of("reconciliation.findings")
    presets: tuple[tuple[str, dict[str, str]], ...] = (
        ("Not resolved", {}),
        ("Mine", {"owner": "me"}),
        ("Open", {"state": FindingState.OPEN.value}),
        ("Older than a week", {"age": "7"}),
        ("Waived", {"state": FindingState.WAIVED.value}),
        ("Resolved", {"state": FindingState.RESOLVED.value}),
    )
    return {
        "views": section_views("findings", pages),
        "presets": [
            {"label": label, "href": with_query(address, query), "count": None, "is_current": form.typed == query}
            for label, query in presets
        ],
        "rows": [finding_row(line) for line in page.findings],
        "next": with_query(address, {**form.typed, "after": page.next}) if page.next else "",
        "first": with_query(address, form.typed) if form.after else "",
        "clear_href": address,
        "chips": [
            {
                "key": name,
                "value": form.said[name],
                "remove_href": with_query(address, {key: text for key, text in form.typed.items() if key != name}),
            }
            for name in FILTERS
            if name in form.typed and name not in form.faults
        ],
        "faults": form.faults,
        "typed": {name: form.typed.get(name, "") for name in FILTERS},
        "kinds": _choices("Every kind", {key: f"{kind.number} {kind.title}" for key, kind in KINDS.items()}),
        "states": _choices("Not resolved", {state.value: word for state, (_kind, _icon, word) in STATES.items()}),
    }


def finding_row(line: FindingLine, *, is_opened: bool = False) -> View:
    """Return a finding as a list shows it: nothing of the tenant but its directory row."""
    if line.tenant is None:
        href = path_of("reconciliation.finding", stray=line.id)
    else:
        href = path_of("findings.show", slug=line.tenant.slug, finding=line.id)
    return {
        "id": line.id,
        "href": href,
        "title": line.kind.title if line.kind else line.key,
        "sentence": line.kind.sentence if line.kind else "",
        "number": line.kind.number if line.kind else 0,
        "repair": _mark(CLASSES[line.kind.repair]) if line.kind else None,
        "tenant": None if line.tenant is None or is_opened else tenant_view(line.tenant),
        "state": _mark(STATES[line.state]),
        "at_risk": worded(line.at_risk_minor, line.currency) if line.currency and line.at_risk_minor else "",
        "direction": DIRECTIONS[line.direction],
        "age": age(line.age),
        "first_seen_at": line.first_seen_at,
        "owner": "you" if line.is_mine else line.owner or "",
        "reopened": line.times_reopened,
        "waived_until": line.waived_until,
    }


def age(span: timedelta) -> str:
    """Return how long a finding has stood."""
    if span >= _DAYS_FROM:
        return f"{span.days} days"
    return duration(span) if span >= timedelta(minutes=1) else "just now"


def _mark(mark: tuple[str, str, str]) -> View:
    kind, icon, word = mark
    return {"kind": kind, "icon": icon, "word": word}


def _choices(unset: str, known: Mapping[str, str]) -> list[View]:
    return [{"value": value, "label": label} for value, label in {"": unset, **known}.items()]


def _worded(total: KindTotal) -> list[str]:
    return [worded(minor, currency) for currency, minor in total.at_risk.items()]


def _at_risk(lines: Sequence[KindLine]) -> list[str]:
    sums: dict[str, int] = {}
    for line in lines:
        for currency, minor in line.total.at_risk.items():
            sums[currency] = sums.get(currency, 0) + minor
    return [worded(minor, currency) for currency, minor in sorted(sums.items())]
