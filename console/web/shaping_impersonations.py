"""Acting for members as its templates want it: the hand-over, one's own, a tenant's list, and one with its requests."""

from collections.abc import Sequence
from datetime import datetime

from console.domain.impersonations import Impersonation, Mode
from console.domain.masking import masked_email
from console.domain.product_reports import Report, ReportedOutcome
from console.domain.staff import Actor, Role
from console.usecases.hand_over import HandOff, Wish
from console.usecases.offer_actions import Offer
from console.usecases.read_impersonations import ImpersonationList, ImpersonationPage, Line, OwnImpersonation
from console.web import wording
from console.web.paths import path_of
from console.web.shaping import View, tenant_view
from console.web.shaping_tenants import placed_links

_ENDERS = frozenset({Role.SUPPORT_LEAD, Role.SECURITY_AUDITOR})
_PLACE = "impersonation"


def hand_off_view(page: HandOff, wish: Wish, *, product: str) -> View:
    """Return whom one becomes, how and until when, and what the button posts."""
    row, member = page.row, page.member
    return {
        **_row_view(row),
        "product": product,
        "member_name": "a member who is gone" if member is None else member.name,
        "member_email": "" if member is None else masked_email(member.email),
        "member_role": "" if member is None else member.role,
        "go_href": path_of("impersonations.hand_off", impersonation=row.id),
        "fields": {"client_id": wish.client_id, "state": wish.state, "code_challenge": wish.challenge},
    }


def own_view(page: OwnImpersonation, offers: Sequence[Offer]) -> View:
    """Return one's own impersonation, with the ways on that its state leaves."""
    row = page.row
    can_widen = row.ended_by is None and row.mode is Mode.READ
    return {
        **_row_view(row),
        "tenant": tenant_view(page.tenant),
        "is_running": bool(page.enter_address),
        "enter_address": page.enter_address,
        "members_href": path_of("tenants.members", slug=page.tenant.slug),
        "detail_href": path_of("impersonations.detail", slug=page.tenant.slug, impersonation=row.id),
        "end_href": path_of("impersonations.end", impersonation=row.id),
        "actions": placed_links(offers, page.tenant, _PLACE, {"impersonation": row.id}) if can_widen else [],
    }


def list_view(page: ImpersonationList, now: datetime) -> View:
    """Return a page of a tenant's impersonations."""
    slug = page.opened.tenant.slug
    rows = [_line_view(line, slug, now) for line in page.lines]
    return {
        "rows": rows,
        "older": path_of("impersonations.index", slug=slug, before=page.older) if page.older else "",
    }


def detail_view(page: ImpersonationPage, actor: Actor, now: datetime) -> View:
    """Return one impersonation with its requests, and the button that ends it where that is somebody's to press."""
    row, slug = page.line.row, page.opened.tenant.slug
    may_end = row.clock_end(now) is None and (row.staff == actor.staff or bool(actor.roles & _ENDERS))
    here = path_of("impersonations.detail", slug=slug, impersonation=row.id)
    return {
        **_line_view(page.line, slug, now),
        "reports": [_report_view(report) for report in page.reports],
        "older": f"{here}?before={page.older}" if page.older else "",
        "end_href": path_of("impersonations.end", impersonation=row.id) if may_end else "",
    }


def _line_view(line: Line, slug: str, now: datetime) -> View:
    over = line.row.clock_end(now)
    return {
        **_row_view(line.row),
        "is_running": over is None,
        "end_sentence": "" if over is None else over.sentence,
        "staff_name": line.staff_name,
        "initials": wording.initials(line.staff_name),
        "href": path_of("impersonations.detail", slug=slug, impersonation=line.row.id),
    }


def _row_view(row: Impersonation) -> View:
    return {
        "id": row.id,
        "member": row.member,
        "mode": wording.MODES[row.mode],
        "is_writing": row.mode is Mode.WRITE,
        "reason_code": row.reason.code,
        "reference": row.reason.reference,
        "started_at": row.started_at,
        "not_after": row.not_after,
        "idle_until": row.idle_until,
        "idle_minutes": row.idle_minutes,
        "ended_at": row.ended_at,
        "end_sentence": "" if row.ended_by is None else row.ended_by.sentence,
        "request": row.request or "",
        "request_href": path_of("requests.show", request_id=row.request) if row.request else "",
        "widened_href": path_of("requests.show", request_id=row.widened_by) if row.widened_by else "",
    }


def _report_view(report: Report) -> View:
    is_refused = report.outcome is ReportedOutcome.REFUSED
    return {
        "id": report.id,
        "at": report.at,
        "method": report.method,
        "route": report.route,
        "effect": report.effect.value,
        "state": "refused" if is_refused else "success",
        "status": report.status,
        "code": report.code or "",
    }
