"""What a tenant may use at a moment, why, and what changes next, as its template wants it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from console.domain.effective_changes import Upcoming, said
from console.domain.effective_store import Standing
from console.domain.entitlements import Access, Condition, ConditionKind, Entitlement, Grant, GrantSource
from console.domain.moments import day_of, minute_of
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer
from console.usecases.read_entitlements import EntitlementPage
from console.web.paths import path_of
from console.web.shaping import View, minor_digits
from console.web.shaping_tenants import action_href, action_links, is_offered, placed_links

OVERRIDE = "entitlement.override"
END_OVERRIDE = "entitlement.end_override"
OWN = "entitlement.assign_owner"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
SLIDE_DAYS = 366
_DAY = timedelta(days=1)
_WARN_PERCENT, _FULL_PERCENT = 80, 100
_SOURCES = {
    GrantSource.DEFAULT: ("circle-dashed", "Default"),
    GrantSource.PLAN: ("package", "Plan"),
    GrantSource.CONTRACT: ("file-text", "Contract"),
    GrantSource.TRIAL: ("timer", "Trial"),
    GrantSource.ADD_ON: ("plus", "Add-on"),
    GrantSource.OVERRIDE: ("sliders-horizontal", "Override"),
}
_ACCESS = {
    Access.GRANTED: ("Granted", "ok", "circle-check"),
    Access.GRANTED_IN_GRACE: ("In grace", "warn", "hourglass"),
    Access.SOFT_EXCEEDED: ("Above included", "warn", "triangle-alert"),
    Access.HARD_EXCEEDED: ("Above the limit", "stop", "octagon-alert"),
    Access.DENIED: ("Denied", "stop", "ban"),
}
_CONDITIONS = {
    ConditionKind.GRACE: ("warn", "In grace"),
    ConditionKind.READ_ONLY: ("warn", "Read-only: nothing may grow"),
    ConditionKind.BLOCKED: ("stop", "Access is blocked"),
    ConditionKind.COVERAGE_ENDED: ("stop", "What was paid for has ended"),
}
_STANDS = {
    Standing.MISSING: ("Nothing stored yet", "warn", "circle-dashed"),
    Standing.ENDED: ("Past its end", "stop", "timer"),
    Standing.OUTDATED: ("Out of date", "stop", "history"),
    Standing.CURRENT: ("Up to date", "ok", "circle-check"),
}
_PAYING = frozenset({"active", "trialing"})


def moment_asked(at: str, days: str, now: datetime) -> tuple[datetime | None, str]:
    """Return the moment that a page is asked for (None is now), and what is wrong with what was asked."""
    if at.strip():
        try:
            moment = datetime.fromisoformat(at.strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return None, "Write a moment like 2026-12-01T00:00, in UTC."
        is_known = EARLIEST <= moment < LATEST
        return (moment, "") if is_known else (None, "Choose a moment between 1970 and 2200.")
    if not days.strip():
        return None, ""
    digits = days.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(SLIDE_DAYS))):
        return None, f"Choose a number of days up to {SLIDE_DAYS}."
    shift = max(-SLIDE_DAYS, min(SLIDE_DAYS, int(days)))
    return (now + shift * _DAY, "") if shift else (None, "")


def entitlements_view(page: EntitlementPage, offers: Sequence[Offer], fault: str) -> View:
    """Return every feature with value, use, and what decides it; and the moments at which that changes."""
    row = page.opened.tenant
    can_override, can_end = is_offered(offers, OVERRIDE), is_offered(offers, END_OVERRIDE)
    return {
        "at": page.at,
        "is_now": page.is_now,
        "here": path_of("tenants.entitlements", slug=row.slug),
        "typed": f"{page.at:%Y-%m-%dT%H:%M}",
        "days": (page.at - page.now + _DAY / 2) // _DAY,
        "most_days": SLIDE_DAYS,
        "fault": fault,
        "notices": _notices(page),
        "stops": [_stop(each, row, page.now) for each in page.upcoming],
        "rows": [
            _entitlement(entitlement, page, can_override=can_override, can_end=can_end, can_own=is_offered(offers, OWN))
            for entitlement in page.entitlements
        ],
        "warnings": [_use_warning(each) for each in page.entitlements if (each.used_percent or 0) >= _WARN_PERCENT],
        "actions": _actions(page, offers) if page.is_now else [],
        "told": _told(page, offers) if page.is_now else None,
    }


def _told(page: EntitlementPage, offers: Sequence[Offer]) -> View:
    """Return what the product reads, and what recalculating it would change."""
    word, kind, icon = _STANDS[page.standing]
    is_offered_here = page.standing is not Standing.CURRENT or page.effects.rows
    return {
        "word": word,
        "kind": kind,
        "icon": icon,
        "version": None if page.stored is None else page.stored.version,
        "computed_at": None if page.stored is None else page.stored.computed_at,
        "valid_until": None if page.stored is None else page.stored.valid_until,
        "rows": [
            {"name": row.name, "before": row.before or "nothing", "after": row.after or "nothing", "why": row.because}
            for row in page.effects.rows
        ],
        "links": placed_links(offers, page.opened.tenant, "stored_access") if is_offered_here else [],
    }


def _actions(page: EntitlementPage, offers: Sequence[Offer]) -> list[View]:
    has_override = any(
        _is_running(grant, page.at) for each in page.entitlements for grant in (*each.winners, *_lost(each))
    )
    links = action_links(offers, page.opened.tenant, place="entitlements")
    return [link for link in links if link["key"] not in {END_OVERRIDE, OWN} or has_override]


def _notices(page: EntitlementPage) -> list[View]:
    found = [_condition(condition) for condition in page.conditions]
    if page.subscription is not None and page.subscription not in _PAYING:
        words = page.subscription.replace("_", " ")
        text = "Plan, contract and add-ons count while grace lasts; an overdue payment with no grace set takes nothing."
        found.append({"kind": "info", "title": f"The subscription is {words}", "text": text})
    return found


def _condition(condition: Condition) -> View:
    kind, title = _CONDITIONS[condition.kind]
    until = "with no end set" if condition.until is None else f"until {_moment(condition.until)}"
    return {"kind": kind, "title": title, "text": f"{condition.cause}, {until}."}


def _stop(change: Upcoming, row: DirectoryRow, now: datetime) -> View:
    return {
        "at": change.at,
        "days": (change.at - now) // _DAY,
        "href": path_of("tenants.entitlements", slug=row.slug, at=change.at.isoformat().replace("+00:00", "Z")),
        "changes": [
            {"name": each.after.feature.name, "before": said(each.before), "after": said(each.after)}
            for each in change.changes
        ],
    }


def _entitlement(
    entitlement: Entitlement, page: EntitlementPage, *, can_override: bool, can_end: bool, can_own: bool
) -> View:
    live = [grant for grant in entitlement.winners if _is_running(grant, page.at)] if page.is_now else []
    feature, row = entitlement.feature, page.opened.tenant
    word, kind, icon = _ACCESS[entitlement.access]
    return {
        "name": feature.name,
        "key": feature.key,
        "value": feature.worded(entitlement.value),
        "policy": feature.policy.value,
        "owner": feature.owner,
        "access": {"word": word, "kind": kind, "icon": icon, "is_plain": entitlement.access is Access.GRANTED},
        "unit_price": feature.unit_price_minor,
        "currency": feature.currency,
        "digits": minor_digits(feature.currency),
        "is_overridden": any(_is_running(grant, page.at) for grant in entitlement.winners),
        "until": page.ends.get(feature.key),
        "sources": _chain(entitlement),
        "use": _use(entitlement),
        "override_href": action_href(row, OVERRIDE, feature=feature.key) if can_override and page.is_now else "",
        "own_href": action_href(row, OWN, override=live[0].id) if live and can_own and not live[0].owner else "",
        "end_href": action_href(row, END_OVERRIDE, override=live[0].id) if live and can_end else "",
    }


def _use(entitlement: Entitlement) -> View | None:
    """Return the use of a counted feature, where it is known."""
    if entitlement.usage is None:
        return None
    return {
        "used": entitlement.usage.used,
        "limit": entitlement.soft or 0,
        "as_of": entitlement.usage.as_of,
        "stops": _stops(entitlement),
        "warning": _use_word(entitlement),
    }


def _stops(entitlement: Entitlement) -> str:
    """Return in words what happens at the limit: nothing more, more within bounds, or more as overage."""
    hard = entitlement.hard
    if entitlement.frozen_by is not None:
        return "may not grow while the tenant is read-only"
    if hard is None:
        return "soft: use goes on above it and is counted"
    if hard == entitlement.soft:
        return "hard: use stops there"
    return f"soft up to {entitlement.feature.worded(hard)}, where use stops"


def _use_word(entitlement: Entitlement) -> str:
    percent = entitlement.used_percent
    if percent is None or percent < _WARN_PERCENT:
        return ""
    return f"{percent} % used" if percent < _FULL_PERCENT else f"{percent} %: used up"


def _use_warning(entitlement: Entitlement) -> View:
    usage, feature = entitlement.usage, entitlement.feature
    used = "" if usage is None else feature.worded(usage.used)
    is_full = (entitlement.used_percent or 0) >= _FULL_PERCENT
    return {
        "name": feature.name,
        "text": f"{used} of {feature.worded(entitlement.value)} ({entitlement.used_percent} %)",
        "kind": "stop" if entitlement.access is Access.HARD_EXCEEDED else "warn",
        "word": "Above the limit" if entitlement.access is Access.HARD_EXCEEDED else "Used up" if is_full else "80 %",
    }


def _lost(entitlement: Entitlement) -> list[Grant]:
    return [lost.grant for lost in entitlement.losers]


def _is_running(grant: Grant, at: datetime) -> bool:
    return grant.source is GrantSource.OVERRIDE and grant.is_live(at)


def _chain(entitlement: Entitlement) -> list[View]:
    winners = [_source(grant, entitlement, reason=_until(grant), is_winner=True) for grant in entitlement.winners]
    losers = [_source(lost.grant, entitlement, reason=lost.why, is_winner=False) for lost in entitlement.losers]
    return [*winners, *losers]


def _source(grant: Grant, entitlement: Entitlement, *, reason: str, is_winner: bool) -> View:
    icon, word = _SOURCES[grant.source]
    is_said = grant.source is GrantSource.CONTRACT or grant.label.casefold().startswith(word.casefold())
    value = entitlement.feature.worded(grant.value)
    return {
        "icon": icon,
        "label": grant.label if is_said else f"{word}: {grant.label}",
        "value": _OPS.get(grant.op.value, "{}").format(value) if grant.source is GrantSource.OVERRIDE else value,
        "reason": reason,
        "is_winner": is_winner,
    }


_OPS = {"add": "+ {}", "grant": "joins with {}", "deny": "denies it"}


def _until(grant: Grant) -> str:
    if grant.source is GrantSource.DEFAULT:
        return "nothing else grants it"
    since = f"since {day_of(grant.starts_at)}"
    return since if grant.end is None else f"{since}, until {_moment(grant.end)}"


def _moment(moment: datetime) -> str:
    return minute_of(moment)
