"""What the customer sees, as its template and its feed want it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.domain.tenancy import DirectoryRow
from console.domain.trust.access_log import AccessLine
from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule, Notify
from console.domain.trust.consents import ConsentState
from console.usecases.access_lines import ShownAccess
from console.usecases.customer_policy import OFFERED, PolicySheet
from console.usecases.decide_consent import Question
from console.usecases.offer_actions import Offer
from console.usecases.read_access_log import AskedConsent, CustomerPage
from console.usecases.serve_access_log import LogPage
from console.web.paths import path_of
from console.web.shaping import View
from console.web.shaping_tenants import action_href, action_links, is_offered

_IMPERSONATION = {
    ImpersonationRule.ALLOWED: "Allowed",
    ImpersonationRule.CONSENT: "Only with consent",
    ImpersonationRule.REFUSED: "Refused",
}
_NOTIFY = {
    Notify.EACH: "A letter for each access",
    Notify.DIGEST: "A daily digest",
    Notify.NONE: "None: the law withholds it",
}
_MODES = {"read": "Look only", "write": "Look and change"}
_OPENS = {True: "log, policy and consents", False: "log"}


def customer_view(page: CustomerPage, offers: Sequence[Offer]) -> View:
    """Return the customer's side of a tenant."""
    row = page.opened.tenant
    is_trusted = is_offered(offers, "legal_hold.set")  # who handles legal matters; others would only talk
    may_revoke, may_release = is_offered(offers, "customer_token.revoke"), is_offered(offers, "legal_hold.release")
    return {
        "rows": [_row(each) for each in page.shown],
        "older": path_of("customer.show", slug=row.slug, before=page.older) if page.older else "",
        "waiting": [
            {**_row(each.access), "due_at": each.due_at, "because": "legal hold" if each.is_held else "delay"}
            for each in page.waiting
            if is_trusted or not each.is_held
        ],
        "holds": [
            {
                "reference": hold.reference,
                "until": hold.until,
                "set_at": hold.set_at,
                "release": action_href(row, "legal_hold.release", hold=hold.id) if may_release else "",
            }
            for hold in page.holds
            if is_trusted
        ],
        "policy": policy_words(page.policy),
        "tokens": [
            {
                "label": token.label,
                "opens": _OPENS[token.may_decide],
                "made_at": token.made_at,
                "used_at": token.used_at,
                "revoked_at": token.revoked_at,
                "revoke": action_href(row, "customer_token.revoke", token=token.id)
                if may_revoke and token.revoked_at is None
                else "",
            }
            for token in page.tokens
        ],
        "consents": [_consent(each, row, offers) for each in page.consents],
        "webhook": page.webhook or "",
        "undelivered": [
            {"kind": letter.kind.value.replace("_", " "), "way": letter.way.value, "at": letter.at,
             "because": letter.because or ""}
            for letter in page.undelivered
        ],
        "actions": action_links(offers, row, place="customer"),
    }  # fmt: skip


def policy_words(policy: AccessPolicy) -> View:
    """Return an access policy in words."""
    return {
        "impersonation": _IMPERSONATION[policy.impersonation],
        "notify": _NOTIFY[policy.notify],
        "is_set": policy.version > 0,
    }


def feed_page(page: LogPage) -> dict[str, Any]:
    """Return one page of the feed."""
    return {
        "tenant": page.tenant,
        "slug": page.slug,
        "lines": [feed_line(each) for each in page.lines],
        "after": page.after,
        "has_more": page.has_more,
    }


def feed_line(each: ShownAccess) -> dict[str, Any]:
    """Return one line of the feed; moments are RFC 3339 in UTC."""
    line, shown_at = each.line, each.disclosure.shown_at
    return {
        "number": each.disclosure.number,
        "at": line.at.isoformat(),
        "shown_at": None if shown_at is None else shown_at.isoformat(),
        "did": line.did,
        "reason": {"code": line.reason_code, "label": line.reason, "reference": line.reference or None},
        "staff": line.staff,
        "country": line.country,
        "objects": [{"kind": thing.kind, "id": thing.id} for thing in line.objects],
        "minutes": line.minutes,
        "outcome": line.outcome,
        "entry": line.entry,
        "position": line.position,
    }


def _row(each: ShownAccess) -> View:
    line = each.line
    return {
        "number": each.disclosure.number,
        "at": line.at,
        "shown_at": each.disclosure.shown_at,
        "did": line.did,
        "reason": line.reason,
        "reference": line.reference,
        "staff": line.staff,
        "country": line.country or "",
        "objects": _objects(line),
        "minutes": line.minutes,
        "outcome": line.outcome,
    }


def _objects(line: AccessLine) -> str:
    return ", ".join(f"{thing.kind.replace('_', ' ')} {thing.id}" for thing in line.objects)


def _consent(each: AskedConsent, row: DirectoryRow, offers: Sequence[Offer]) -> View:
    consent = each.consent
    is_live = each.state in {ConsentState.PENDING, ConsentState.APPROVED}
    can = is_live and is_offered(offers, "consent.withdraw")
    return {
        "what": consent.what,
        "staff": each.pseudonym,
        "state": each.state.value,
        "mode": consent.mode,
        "minutes": consent.minutes,
        "reference": consent.reference,
        "until": _until(each),
        "decided_at": consent.decided_at,
        "withdraw": action_href(row, "consent.withdraw", consent=consent.id) if can else "",
    }


def _until(each: AskedConsent) -> datetime | None:
    """Return which clock runs for a question: to be answered, or to begin; None when none does."""
    clocks = {ConsentState.PENDING: each.consent.decide_by, ConsentState.APPROVED: each.consent.use_by}
    return clocks.get(each.state)


def question_view(question: Question, link: str, *, fault: str, is_late: bool) -> View:
    """Return a question as an administrator reads it; `can_answer` while it is open."""
    consent = question.consent
    return {
        "tenant": question.tenant.name,
        "what": consent.what,
        "staff": question.staff,
        "reason": question.reason,
        "reference": consent.reference,
        "member": consent.member or "",
        "mode": _MODES.get(consent.mode, consent.mode),
        "minutes": consent.minutes,
        "decide_by": consent.decide_by,
        "use_by": consent.use_by,
        "state": question.state.value,
        "can_answer": question.state is ConsentState.PENDING,
        "is_late": is_late,
        "fault": fault,
        "action": path_of("customer_links.decide", link=link),
    }


def question_told(question: Question) -> dict[str, Any]:
    """Return a question as a program reads it."""
    consent = question.consent
    return {
        "id": consent.id,
        "what": consent.what,
        "staff": question.staff,
        "reason": {"code": consent.reason_code, "label": question.reason, "reference": consent.reference},
        "member": consent.member,
        "mode": consent.mode,
        "minutes": consent.minutes,
        "asked_at": consent.asked_at.isoformat(),
        "decide_by": consent.decide_by.isoformat(),
        "use_by": consent.use_by.isoformat(),
        "used_at": None if consent.used_at is None else consent.used_at.isoformat(),
        "state": question.state.value,
    }


def policy_sheet(sheet: PolicySheet, link: str, *, fault: str) -> View:
    """Return the rules with a form to change them."""
    return {
        "tenant": sheet.tenant.name,
        "impersonation": [
            {"value": rule.value, "label": label, "is_chosen": rule is sheet.policy.impersonation}
            for rule, label in _IMPERSONATION.items()
        ],
        "notify": [
            {"value": way.value, "label": _NOTIFY[way], "is_chosen": way is sheet.policy.notify} for way in OFFERED
        ],
        "now": policy_words(sheet.policy),
        "is_changed": sheet.is_changed,
        "fault": fault,
        "action": path_of("customer_links.set_policy", link=link),
    }


def policy_told(policy: AccessPolicy) -> dict[str, Any]:
    """Return the rules as a program reads them."""
    return {
        "impersonation": policy.impersonation.value,
        "notify": policy.notify.value,
        "version": policy.version,
    }
