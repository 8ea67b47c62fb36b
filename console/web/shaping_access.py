"""The access desk as its templates want it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from console.domain.ids import TenantId
from console.domain.moments import minute_of
from console.domain.override_register import Registered
from console.domain.recalculations import (
    BY_STAFF,
    CANARY_NOT_CURRENT,
    CANARY_WAIT_S,
    JOB_DEAD,
    MORE_LOSSES,
    TOO_MANY_FAILED,
    PlannedTenant,
    Progress,
    Sweep,
    SweepState,
    TenantState,
)
from console.domain.tenancy import DirectoryRow
from console.ports.override_register import Mark, Which
from console.usecases.offer_actions import Offer
from console.usecases.read_access import RegisterPage, SweepPage, SweepsPage
from console.web.paths import path_of
from console.web.shaping import View, minor_digits, tenant_view, with_query
from console.web.shaping_tenants import placed_links

_DAY = timedelta(days=1)
_WEEK_DAYS = 7
_LONGEST = 160
_WHICH: Mapping[Which, tuple[str, str, str]] = {
    Which.ENDS_SOON: ("End within 7 days", "Nothing ends within 7 days", "Owners are reminded a week before."),
    Which.NO_OWNER: ("Without owner", "Every override has an owner", "Somebody answers for each of them."),
    Which.REDUNDANT: ("Redundant", "No override is redundant", "Each gives something that plan and add-ons do not."),
    Which.ORPHANED: ("After cancellation", "None outlived its subscription", "No cancelled tenant has an override."),
    Which.ALL: ("All", "No override runs", "An override of a limit shows here within six hours."),
}
_MOVES: Mapping[str, frozenset[SweepState]] = {
    "entitlement.run_recalculation": frozenset({SweepState.PLANNED}),
    "entitlement.pause_recalculation": frozenset({SweepState.RUNNING}),
    "entitlement.resume_recalculation": frozenset({SweepState.PAUSED}),
    "entitlement.cancel_recalculation": frozenset(
        {SweepState.PLANNING, SweepState.PLANNED, SweepState.RUNNING, SweepState.PAUSED}
    ),
}
_WHY: Mapping[str, str] = {
    MORE_LOSSES: "A tenant would lose more than was planned, and was left as it is",
    TOO_MANY_FAILED: "Too many tenants could not be recalculated",
    CANARY_NOT_CURRENT: "One of the first tenants changed right after it was recalculated",
    JOB_DEAD: "Its job gave up; see the operations",
    BY_STAFF: "A colleague held it",
}


def which_asked(text: str) -> Which:
    """Return the part of the register that is asked for; what ends soon, unless told otherwise."""
    return Which(text) if text in set(Which) else Which.ENDS_SOON


def mark_asked(text: str) -> Mark | None:
    """Return where a page of the register begins, as `tenant:override`; None from the beginning."""
    tenant, colon, override = text[:_LONGEST].partition(":")
    return (TenantId(tenant), override) if colon else None


def register_view(page: RegisterPage) -> View:
    """Return a part of the register with its money, and the other parts with their counts."""
    address = path_of("access.register")
    here = {"which": page.which.value}
    _label, none_title, none_text = _WHICH[page.which]
    return {
        "sections": _sections("register"),
        "views": [
            {
                "label": label,
                "href": with_query(address, {"which": which.value}),
                "count": page.counts[which],
                "is_current": which is page.which,
            }
            for which, (label, _title, _text) in _WHICH.items()
        ],
        "rows": [_row(row, page) for row in page.rows],
        "next": with_query(address, {**here, "after": ":".join(page.next)}) if page.next else "",
        "first": "" if page.is_first else with_query(address, here),
        "none_title": none_title,
        "none_text": none_text,
        "totals": [
            {"currency": currency, "many": many, "minor": minor, "digits": minor_digits(currency)}
            for currency, many, minor in page.totals
        ],
        "ends_tomorrow": page.ends_tomorrow,
        "is_stopped": page.newest_at is not None and page.newest_at < page.overdue,
        "silent": _silent(page),
        "looked_at": page.looked_at,
    }


def sweeps_view(page: SweepsPage, offers: Sequence[Offer]) -> View:
    """Return the newest recalculations, and where one is planned."""
    return {
        "sections": _sections("sweeps"),
        "rows": [
            {
                **_sweep(sweep, progress),
                "planned_by": page.names.get(sweep.planned_by, sweep.planned_by),
                "href": path_of("access.sweep", sweep=sweep.id),
            }
            for sweep, progress in page.sweeps
        ],
        "actions": placed_links(offers, None, "recalculation"),
    }


def sweep_view(page: SweepPage, offers: Sequence[Offer]) -> View:
    """Return one recalculation with what may be done about it now."""
    sweep = page.sweep
    links = placed_links(offers, None, "recalculation", {"run": sweep.id})
    return {
        **_sweep(sweep, page.progress),
        "planned_by": page.planned_by,
        "is_lapsed": sweep.state is SweepState.PLANNED and sweep.expires_at <= page.now,
        "is_planning": sweep.state is SweepState.PLANNING,
        "is_planned": sweep.state is SweepState.PLANNED,
        "is_moving": sweep.state in {SweepState.RUNNING, SweepState.PAUSED},
        "waits_until": _wait(sweep, page.now),
        "looked_at": sweep.looked_at,
        "unreadable": sweep.unreadable,
        "gaining": sweep.gaining,
        "digest": sweep.digest,
        "rate": sweep.rate_per_s,
        "losers": [_tenant(each, page.tenants) for each in page.losers],
        "canaries": [_tenant(each, page.tenants) for each in page.canaries],
        "troubled": [_tenant(each, page.tenants) for each in page.troubled],
        "verbs": [link for link in links if sweep.state in _MOVES.get(link["key"], frozenset())],
        "here": path_of("access.sweep", sweep=sweep.id),
    }


def _sections(current: str) -> list[View]:
    return [
        {"label": label, "href": path_of(f"access.{name}"), "count": None, "is_current": name == current}
        for name, label in (("register", "Overrides"), ("sweeps", "Recalculations"))
    ]


def _silent(page: RegisterPage) -> str:
    """Return the planes of lines that a round passed by; empty where all were looked at, or none because no job ran."""
    passed = {row.tenant for row in page.rows if row.checked_at < page.overdue}
    return ", ".join(sorted({tenant.plane for tenant in page.tenants.values() if tenant.id in passed}))


def _row(row: Registered, page: RegisterPage) -> View:
    tenant = page.tenants.get(row.tenant)
    left = None if row.until is None else max(0, -((page.now - row.until) // _DAY))
    return {
        "tenant": None if tenant is None else tenant_view(tenant),
        "name": row.tenant if tenant is None else tenant.name,
        "href": "" if tenant is None else path_of("tenants.entitlements", slug=tenant.slug),
        "override": row.override,
        "since": row.starts_at,
        "until": row.until,
        "left": left,
        "is_over": row.until is not None and row.until <= page.now,
        "as_of": minute_of(row.checked_at) if row.checked_at < page.overdue else "",
        "is_close": left is not None and left <= _WEEK_DAYS,
        "is_closest": left is not None and left <= 1,
        "owner": page.names.get(row.owner, ""),
        "is_gone": bool(row.owner) and row.owner not in page.names,
        "minor": row.monthly_minor,
        "currency": row.currency,
        "digits": minor_digits(row.currency),
        "is_redundant": row.is_redundant,
        "is_orphaned": row.is_orphaned,
        "reminded_at": row.reminded_at,
    }


def _sweep(sweep: Sweep, progress: Progress) -> View:
    return {
        "id": sweep.id,
        "state": sweep.state.value,
        "whom": f"plan {sweep.plan}" if sweep.plan else "all tenants",
        "planned": sweep.planned,
        "losing": sweep.losing,
        "planned_at": sweep.planned_at,
        "expires_at": sweep.expires_at,
        "done": progress.done,
        "failed": progress.failed,
        "held": progress.held,
        "waiting": progress.waiting,
        "because": "" if sweep.because is None else _WHY.get(sweep.because, sweep.because),
        "started_at": sweep.started_at,
        "finished_at": sweep.finished_at,
    }


def _wait(sweep: Sweep, now: datetime) -> datetime | None:
    """Return until when the run waits after its first tenants, while it does."""
    if sweep.state is not SweepState.RUNNING or sweep.canaries_done_at is None:
        return None
    until = sweep.canaries_done_at + timedelta(seconds=CANARY_WAIT_S)
    return until if until > now else None


def _tenant(planned: PlannedTenant, tenants: Mapping[TenantId, DirectoryRow]) -> View:
    row = tenants.get(planned.tenant)
    return {
        "name": planned.tenant if row is None else row.name,
        "tenant": None if row is None else tenant_view(row),
        "href": "" if row is None else path_of("tenants.entitlements", slug=row.slug),
        "gains": planned.gains,
        "losses": planned.losses,
        "is_first": planned.is_first,
        "is_canary": planned.is_canary,
        "state": planned.state.value,
        "because": planned.because or "",
        "is_bad": planned.state in {TenantState.HELD, TenantState.FAILED},
    }
