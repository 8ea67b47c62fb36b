"""Accounting periods as their templates want them: the list, and one with its checklist, files and difference."""

from collections.abc import Collection, Mapping, Sequence

from console.domain.billing.money import worded
from console.domain.ids import StaffId
from console.domain.moments import day_of, minute_of
from console.domain.periods import Period, PeriodEvent, PeriodState, SealedFile
from console.usecases.offer_actions import Offer
from console.usecases.read_periods import PeriodPage, PeriodsPage
from console.web.paths import path_of
from console.web.shaping import View
from console.web.shaping_reconciliation import section_views
from console.web.shaping_tenants import action_href

_WORDS = {
    PeriodState.OPEN: "Not prepared",
    PeriodState.PREPARING: "Being prepared",
    PeriodState.SOFT_CLOSED: "Prepared",
    PeriodState.CLOSED: "Closed",
    PeriodState.REOPENED: "Reopened",
}
_MARKS = {
    PeriodState.OPEN: ("", "circle-dashed"),
    PeriodState.PREPARING: ("info", "loader"),
    PeriodState.SOFT_CLOSED: ("info", "list-checks"),
    PeriodState.CLOSED: ("ok", "lock"),
    PeriodState.REOPENED: ("warn", "lock-open"),
}
_WANTED = {"period.prepare": frozenset({PeriodState.OPEN, PeriodState.REOPENED, PeriodState.SOFT_CLOSED}),
           "period.close": frozenset({PeriodState.SOFT_CLOSED}),
           "period.reopen": frozenset({PeriodState.CLOSED})}  # fmt: skip
_EVENTS = {PeriodEvent.CLOSE: "Closed", PeriodEvent.REOPEN: "Reopened"}
_NEXT = {
    PeriodState.OPEN: "period.prepare",
    PeriodState.REOPENED: "period.prepare",
    PeriodState.SOFT_CLOSED: "period.close",
}
_CSV = ".csv"


def periods_view(page: PeriodsPage, pages: Collection[str]) -> View:
    """Return one row for each month."""
    return {
        "views": section_views("periods", pages),
        "running": page.running,
        "rows": [
            {
                "id": each.id,
                "href": path_of("periods.show", period=each.id),
                "state": _state(each),
                "tenants": each.tenants if each.files else None,
                "prepared": _by(each.prepared_by, page.names),
                "prepared_at": each.prepared_at,
                "closed": _by(each.closed_by, page.names),
                "closed_at": each.closed_at,
                "reopened": each.times_reopened,
            }
            for each in page.periods
        ],
    }


def period_view(page: PeriodPage, offers: Sequence[Offer], pages: Collection[str]) -> View:
    """Return one period: what is done, what is missing, what was written."""
    period = page.period
    return {
        "id": period.id,
        "name": f"{period.since:%B %Y}",
        "state": _state(period),
        "since": period.since,
        "until": period.until,
        "checks": _checks(page, pages),
        "actions": _actions(period, offers, is_over=page.is_over),
        "digest": period.digest or "",
        "tenants": period.tenants,
        "is_moving": period.state is PeriodState.PREPARING,
        "files": [_file(each, period, may_take=page.may_take) for each in period.files],
        "agreements": [
            {
                "what": _EVENTS[each.event],
                "at": each.at,
                "asked_by": each.asked_by.name,
                "agreed_by": ", ".join(one.name for one in each.agreed_by) or "nobody else",
            }
            for each in reversed(period.agreements)
        ],
        "difference": _difference(period) if period.times_reopened and period.files != period.previous else [],
    }


def _checks(page: PeriodPage, pages: Collection[str]) -> list[View]:
    period, names = page.period, page.names
    earlier = page.earlier
    is_prepared = period.state in {PeriodState.SOFT_CLOSED, PeriodState.CLOSED}
    lines = [
        (page.is_over, "The month is over", f"Its end: {day_of(period.until)}, 00:00 UTC", ""),
        (
            earlier is None or earlier.state is PeriodState.CLOSED,
            "The month before is closed" if earlier is not None else "The books begin with this month",
            "" if earlier is None else f"{earlier.id}: {_WORDS[earlier.state].lower()}",
            "" if earlier is None else path_of("periods.show", period=earlier.id),
        ),
        (
            is_prepared,
            "Everything is frozen and counted",
            f"{period.tenants:,} tenants, by {_by(period.prepared_by, names)}" if is_prepared else "",
            "",
        ),
        (
            page.compared_at is not None and page.compared_at >= period.until,
            "All tenants were compared with the provider since",
            "" if page.compared_at is None else f"Last up to {minute_of(page.compared_at)}",
            "",
        ),
        (
            page.waiting == 0,
            "No finding waits for finance",
            "" if page.waiting == 0 else f"{page.waiting:,} to repair, explain or waive",
            path_of("reconciliation.findings") if page.waiting and "findings" in pages else "",
        ),
        (
            period.state is PeriodState.CLOSED,
            "Another person agreed to the close",
            _agreed(period) if period.state is PeriodState.CLOSED else "",
            "",
        ),
    ]
    return [{"is_done": done, "title": title, "text": text, "href": href} for done, title, text, href in lines]


def _actions(period: Period, offers: Sequence[Offer], *, is_over: bool) -> list[View]:
    return [
        {
            "button": offer.action.button,
            "icon": offer.action.icon,
            "href": action_href(None, offer.action.key, period=period.id),
            "is_next": offer.action.key == _NEXT.get(period.state),
        }
        for offer in offers
        if period.state in _WANTED.get(offer.action.key, frozenset()) and is_over
    ]


def _file(file: SealedFile, period: Period, *, may_take: bool) -> View:
    return {
        "name": file.name,
        "rows": file.rows,
        "totals": [worded(minor, currency) for currency, minor in file.totals.items()],
        "sha256": file.sha256,
        "size": file.size,
        "href": path_of("periods.take", period=period.id, name=file.name) if may_take else "",
    }


def _difference(period: Period) -> list[View]:
    """Return rows and totals of each file before the period was reopened, and now."""
    then = {each.name: _figures(each) for each in period.previous}
    return [
        {
            "label": each.name.removesuffix(_CSV).replace("_", " "),
            "before": then.get(each.name),
            "after": _figures(each),
            "unit": "",
            "delta": "",
            "note": "",
        }
        for each in period.files
        if each.name.endswith(_CSV)
    ]


def _figures(file: SealedFile) -> str:
    return ", ".join((f"{file.rows:,} rows", *(worded(minor, currency) for currency, minor in file.totals.items())))


def _state(period: Period) -> View:
    kind, icon = _MARKS[period.state]
    return {"word": _WORDS[period.state], "kind": kind, "icon": icon}


def _agreed(period: Period) -> str:
    """Return who asked for the close and who agreed, as the period keeps it."""
    last = next((each for each in reversed(period.agreements) if each.event is PeriodEvent.CLOSE), None)
    if last is None:
        return "closed before periods kept who agreed; its request says it"
    return f"asked for by {last.asked_by.name}, agreed by {', '.join(each.name for each in last.agreed_by) or 'nobody'}"


def _by(who: StaffId | None, names: Mapping[StaffId, str]) -> str:
    return "" if who is None else names.get(who, who)
