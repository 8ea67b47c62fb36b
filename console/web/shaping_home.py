"""The work queue, the search results, the palette and the lease form, as their templates want them."""

from collections.abc import Iterable, Sequence
from typing import Any

from console.domain.decisions import Deny
from console.domain.leases import Lease
from console.domain.reasons import Effect, ReasonRule
from console.domain.reconciling.findings import FindingState
from console.domain.tenancy import DirectoryRow, SearchKind
from console.ports.actions import Reach
from console.ports.leases import TenantBudget
from console.ports.outbox import Notice
from console.usecases.offer_actions import Offer
from console.usecases.open_lease import LeaseOffer
from console.usecases.read_findings import FindingCounts
from console.usecases.read_home import Home
from console.usecases.search_directory import SearchAnswer
from console.web.forms.leases import LeaseForm
from console.web.forms.posted import field_faults
from console.web.paths import path_of
from console.web.shaping import View, refusal_view, request_queue, tenant_view, with_query
from console.web.shaping_reviews import coverage_view

_EFFECTS = {Effect.READ: "reading", Effect.WRITE: "writing", Effect.DANGEROUS: "asking for dangerous actions"}
_MATCHES = {
    SearchKind.ID: "tenant id",
    SearchKind.SLUG: "slug",
    SearchKind.NAME: "name",
    SearchKind.DOMAIN: "domain",
    SearchKind.MEMBER_EMAIL: "a member's e-mail matches",
    SearchKind.INVOICE: "invoice number",
    SearchKind.CUSTOMER: "billing customer id",
    SearchKind.MESSAGE: "webhook message id",
}
_MOST = 99  # counted no further
_NOTICE_ICONS = {
    "approval_wanted": "inbox",
    "approved": "badge-check",
    "rejected": "circle-x",
    "executed": "circle-check",
    "stale": "git-compare-arrows",
    "revoked": "ban",
    "failed": "octagon-alert",
    "expired": "timer",
    "break_glass": "siren",
    "drill": "siren",
    "review_due": "eye",
    "review_overdue": "eye",
    "override_ends": "calendar-clock",
    "webhook_endpoint": "webhook",
    "reconciliation_stopped": "scale",
    "signal": "siren",
    "emergency_sign_in": "siren",
    "tampering": "siren",
}
_NOTICE_WORDS = {"approval_wanted": "Your vote is wanted", "stale": "Out of date", "break_glass": "Break-glass"}
_ID_END = 6  # enough to tell two requests of a day apart


def home_view(home: Home) -> View:
    """Return the work queue."""
    return {
        "waiting": request_queue(home.waiting, is_own=False),
        "mine": request_queue(home.mine, is_own=True),
        "leases": lease_queue(home.leases),
        "notices": notice_queue(home.notices),
        "budget": budget_view(home.budget, per_hour=home.tenants_per_hour, per_day=home.tenants_per_day),
        "may_open": home.may_open,
        "findings": findings_view(home.findings),
        "signals": signals_line(home.signals),
        "reviews": None if home.reviews is None else coverage_view(home.reviews),
        "owed": {"count": len(home.owed), "due_at": home.owed[0]} if home.owed else None,
    }


def notice_queue(notices: Iterable[Notice]) -> list[View]:
    """Return notices as a queue, each with the icon and the word of its kind and the end of its request's id."""
    return [
        {
            "href": n.path,
            "title": n.sentence,
            "meta": _notice_meta(n),
            "icon": _NOTICE_ICONS.get(n.kind, "info"),
            "initials": "",
            "hue": 0,
            "state": "",
            "until": None,
            "at": n.at,
        }
        for n in notices
    ]


def _notice_meta(notice: Notice) -> list[str]:
    _place, _, request = notice.path.partition("/requests/")
    word = _NOTICE_WORDS.get(notice.kind, notice.kind.replace("_", " ").replace(".", " ").capitalize())
    return [word, f"request …{request[-_ID_END:]}"] if request else [word]


def findings_view(counts: FindingCounts | None) -> View | None:
    """Return how many findings somebody took, and how many nobody took yet, each with where they are."""
    if counts is None:
        return None
    address = path_of("reconciliation.findings")
    lines = (
        ("Mine, to be decided", counts.mine, {"owner": "me"}),
        ("Open, with no owner", counts.nobodys, {"state": FindingState.OPEN.value}),
    )
    return {
        "is_none": not counts.mine and not counts.nobodys,
        "lines": [
            {"label": label, "count": f"{count}+" if count >= _MOST else f"{count}", "href": with_query(address, query)}
            for label, count, query in lines
        ],
        "href": path_of("reconciliation.index"),
    }


def signals_line(waiting: int | None) -> View | None:
    """Return how many signals wait for somebody's word, with where they are."""
    if waiting is None:
        return None
    return {"count": f"{waiting}+" if waiting >= _MOST else f"{waiting}", "href": path_of("signals.index")}


def lease_queue(leases: Iterable[tuple[Lease, DirectoryRow | None]]) -> list[View]:
    """Return open leases with their countdowns, the one that ends first on top."""
    found = sorted((pair for pair in leases if pair[1] is not None), key=lambda pair: pair[0].until)
    return [
        {
            "href": path_of("tenants.overview", slug=row.slug),
            "title": row.name,
            "meta": [row.slug, lease.reason.reference],
            "icon": "building-2",
            "initials": row.initials,
            "hue": row.hue,
            "state": "",
            "until": lease.until,
            "at": None,
        }
        for lease, row in found
        if row is not None
    ]


def budget_view(budget: TenantBudget, *, per_hour: int, per_day: int) -> View:
    """Return how many distinct tenants were opened, against what is permitted."""
    return {
        "hour": budget.last_hour,
        "hour_most": per_hour + budget.extra,
        "day": budget.last_day,
        "day_most": per_day + budget.extra,
        "extra": budget.extra,
        "hour_left": max(0, per_hour + budget.extra - budget.last_hour),
        "day_left": max(0, per_day + budget.extra - budget.last_day),
    }


def search_view(answer: SearchAnswer, *, typed: str) -> View:
    """Return the hits with the word that says how each matched."""
    rows = [
        tenant_view(hit.tenant) | {"matched": _MATCHES[hit.matched], "is_open": hit.tenant.id in answer.opened}
        for hit in answer.hits
    ]
    return {
        "typed": typed,
        "fault": answer.terms.fault or "",
        "rows": rows,
        "is_cut": answer.is_cut,
        "is_asked": bool(typed.strip()),
    }


def only_exact_hit(answer: SearchAnswer) -> DirectoryRow | None:
    """Return the tenant when exactly one matched, by something other than a piece of its name, and it is not open."""
    if len(answer.hits) != 1 or answer.hits[0].matched is SearchKind.NAME:
        return None
    row = answer.hits[0].tenant
    return None if row.id in answer.opened else row


def lease_view(offer: LeaseOffer, typed: LeaseForm, *, refusal: Deny | None = None) -> View:
    """Return the form that opens a tenant: what each reason permits, how long, and what the customer is told."""
    found = {**(field_faults(refusal) if refusal is not None else {}), **typed.faults}
    faults = {name: found[name] for name in dict.fromkeys([*_LABELS, *found]) if name in found}
    chosen = typed.code or offer.reasons[0].code
    return {
        "tenant": tenant_view(offer.tenant),
        "action": path_of("leases.create", slug=offer.tenant.slug),
        "reasons": [reason_option(rule, is_lease=True) for rule in offer.reasons],
        "examples": _examples(offer.reasons),
        "typed": {"code": chosen, "reference": typed.reference, "note": typed.note, "minutes": typed.minutes},
        "faults": faults,
        "errors": error_list(faults, _LABELS),
        "refusal": refusal_view(refusal) if refusal is not None and not refusal.field else None,
        "budget": budget_view(offer.budget, per_hour=offer.tenants_per_hour, per_day=offer.tenants_per_day),
        "open_leases": lease_queue(offer.open_leases),
        "most_leases": offer.leases_per_person,
        "current_until": offer.current.until if offer.current is not None else None,
        "longest": max(rule.lease_minutes for rule in offer.reasons),
    }


_LABELS = {"reason_code": "Reason", "reason_reference": "Reference", "reason_note": "Note", "minutes": "Minutes"}


def error_list(faults: dict[str, str], labels: dict[str, str]) -> list[View]:
    """Return faults for the summary above a form."""
    return [{"name": name, "label": labels.get(name, name), "text": text} for name, text in faults.items()]


def reason_option(rule: ReasonRule, *, is_lease: bool) -> View:
    """Return one reason as a radio card: what it demands and permits, how long, what the customer is told."""
    demands = f"{rule.reference_label.capitalize()} like {rule.reference_example}" + (
        ", and a note." if rule.note_required else "."
    )
    permits = f"{_permits(rule)}, {rule.lease_minutes} min." if is_lease else ""
    told = f"Customer: {rule.customer_notice[:1].lower()}{rule.customer_notice[1:]}"
    text = " ".join(part for part in (demands, permits, told) if part)
    return {"value": rule.code, "label": rule.label, "help": text, "is_disabled": False}


def _permits(rule: ReasonRule) -> str:
    effects = [_EFFECTS[effect] for effect in Effect if effect in rule.effects]
    return f"Permits {effects[0]} only" if len(effects) == 1 else f"Permits {', '.join(effects[:-1])} and {effects[-1]}"


def _examples(rules: Sequence[ReasonRule]) -> str:
    return ", ".join(f"{rule.reference_example} ({rule.reference_label})" for rule in rules[:3])


def palette_groups(
    *,
    pages: Iterable[tuple[str, str, str]],
    tenants: Iterable[View],
    offers: Iterable[Offer],
    opened: DirectoryRow | None,
    typed: str,
) -> list[View]:
    """Return what the palette lists: matching tenants, pages (label, icon, href) and actions, empty groups left out."""
    needle = typed.casefold()
    groups: list[View] = [
        {
            "label": "Tenants",
            "items": [
                {
                    "label": t["name"],
                    "href": t["href"] if t["is_open"] else t["lease_href"],
                    "icon": "building-2",
                    "hint": f"{t['slug']} · {'open' if t['is_open'] else 'open with a reason'}",
                }
                for t in tenants
            ],
        },
        {
            "label": f"Actions on {opened.name}" if opened else "Actions",
            "items": [
                _palette_action(offer, opened)
                for offer in offers
                if needle in f"{offer.action.title} {offer.action.key}".casefold()
                and not offer.action.is_beside_its_thing
            ],
        },
        {
            "label": "Pages",
            "items": [
                {"label": label, "href": href, "icon": icon, "hint": "page"}
                for label, icon, href in pages
                if needle in label.casefold()
            ],
        },
    ]
    return [group for group in groups if group["items"]]


def _palette_action(offer: Offer, opened: DirectoryRow | None) -> dict[str, Any]:
    action = offer.action
    href = (
        path_of("actions.create", slug=opened.slug, key=action.key)
        if action.reach is Reach.TENANT and opened is not None
        else path_of("actions.create_control", key=action.key)
    )
    return {"label": action.title, "href": href, "icon": action.icon, "hint": action.key}
