"""The billing of an opened tenant, as its template wants it."""

from collections.abc import Mapping, Sequence

from console.domain.billing.dunning import DunningState, dunning_of
from console.domain.billing.money import exponent, worded
from console.domain.billing.objects import Invoice, ObjectKind, Payment, Subscription
from console.domain.billing.writes import Operation, WriteState
from console.domain.ids import ActionKey
from console.domain.reconciling.catalogue import KINDS
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import Offer
from console.usecases.read_billing import BillingPage, From, Happening, paid_for
from console.web.paths import path_of
from console.web.shaping import View
from console.web.shaping_tenants import action_href, placed_links

_ICONS = {
    ObjectKind.SUBSCRIPTION: "refresh-cw",
    ObjectKind.INVOICE: "receipt",
    ObjectKind.PAYMENT: "badge-check",
    ObjectKind.REFUND: "undo-2",
    ObjectKind.CREDIT_NOTE: "receipt",
    ObjectKind.DISPUTE: "flag",
}
_WRITES = {
    WriteState.WANTED: ("info", "hourglass", "Waits to be sent"),
    WriteState.SENT: ("warn", "loader", "Sent, not confirmed"),
    WriteState.DONE: ("ok", "circle-check", "Done"),
    WriteState.REFUSED: ("stop", "ban", "Refused"),
}
_SHOWN_ABOVE = {ObjectKind.SUBSCRIPTION, ObjectKind.INVOICE, ObjectKind.PAYMENT}
_OPERATIONS = {
    Operation.REFUND: "Refund",
    Operation.CREDIT: "Credit note",
    Operation.APPLY: "Apply a payment",
    Operation.CANCEL: "Cancel a subscription",
    Operation.NAME: "Name the tenant at the customer",
}
_DUNNING = {
    DunningState.RETRYING: ("warn", "refresh-cw", "Tried again"),
    DunningState.GIVEN_UP: ("stop", "ban", "Given up"),
}


def billing_view(page: BillingPage, offers: Sequence[Offer], *, begin: From) -> View:
    """Return what is paid for, what was asked and paid, what we asked of the provider, and what does not agree."""
    row = page.opened.tenant
    return {
        "heard_at": page.heard_at,
        "links": [{"customer": link.customer, "since": link.linked_at} for link in page.links],
        "subscriptions": [
            _subscription(each.thing) for each in page.subscriptions if isinstance(each.thing, Subscription)
        ],
        "invoices": [
            {**_invoice(each.thing), "is_deleted": each.is_deleted, "ways": _of_invoice(each.thing, offers, row)}
            for each in page.invoices.shown
            if isinstance(each.thing, Invoice)
        ],
        "payments": [
            {
                **_payment(each.thing, page.numbers),
                "is_deleted": each.is_deleted,
                "ways": [] if each.is_deleted else _of_payment(each.thing, offers, row),
            }
            for each in page.payments.shown
            if isinstance(each.thing, Payment)
        ],
        "older": _older(row, page.invoices.older, before=page.invoices.older, payments=begin.payment),
        "older_payments": _older(row, page.payments.older, payments=page.payments.older, before=begin.invoice),
        "dunning": _dunning(page),
        "happenings": [_happening(each) for each in page.happenings],
        "writes": [
            {
                "what": _OPERATIONS[each.operation],
                "subject": each.subject,
                "amount": worded(each.amount_minor, each.currency) if each.currency and each.amount_minor else "",
                "mark": _mark(_WRITES[each.state]),
                "at": each.wanted_at,
                "error": each.error or "",
                "result": each.result_id or "",
            }
            for each in page.writes
        ],
        "holds": [
            {
                "dispute": each.dispute,
                "amount": worded(each.amount_minor, each.currency),
                "outcome": each.outcome or "open",
            }
            for each in page.holds
        ],
        "findings": [
            {
                "title": KINDS[each.kind].title if each.kind in KINDS else each.kind,
                "ours": each.ours,
                "theirs": each.theirs,
                "href": path_of("findings.show", slug=row.slug, finding=each.id),
            }
            for each in page.findings
        ],
        "findings_href": path_of("findings.index", slug=row.slug),
        "offers": placed_links(offers, row, "billing"),
    }  # fmt: skip


def _dunning(page: BillingPage) -> View:
    """Return how far the provider has come with collecting what is owed; empty where nothing was tried in vain."""
    shown = (each.thing for each in page.newest if not each.is_deleted)
    found = dunning_of(each for each in shown if isinstance(each, Invoice))
    if found.state is DunningState.NONE:
        return {}
    return {
        "mark": _mark(_DUNNING[found.state]),
        "attempts": found.attempts,
        "next_at": found.next_attempt_at,
        "invoices": len(found.invoices),
    }


def _subscription(thing: Subscription) -> View:
    return {
        "id": thing.id,
        "plan": ", ".join(each.plan or each.price for each in thing.items),
        "quantity": sum(each.quantity or 0 for each in thing.items),
        "status": thing.status,
        "from": thing.period_from,
        "until": thing.period_until,
        "ends": thing.ends_at_period_end,
    }


def _invoice(thing: Invoice) -> View:
    return {
        "id": thing.id,
        "number": thing.number or thing.id,
        "status": thing.status,
        "total": thing.total_minor,
        "remaining": thing.remaining_minor,
        "currency": thing.currency,
        "exponent": exponent(thing.currency),
        "issued_at": thing.issued_at,
        "due_at": thing.due_at,
        "paid_at": thing.paid_at,
        "dunning": dunning_of((thing,)).sentence(),
    }


def _of_invoice(thing: Invoice, offers: Sequence[Offer], row: DirectoryRow) -> list[View]:
    named = {"invoice": thing.number} if thing.number else {"kind": ObjectKind.INVOICE.value, "object": thing.id}
    credit = {"invoice": thing.id, "currency": thing.currency}
    return _ways(offers, row, ("billing.issue_credit", credit)) or _ways(offers, row, ("billing.resync", named))


def _payment(thing: Payment, numbers: Mapping[str, str]) -> View:
    return {
        "id": thing.id,
        "pays": paid_for(thing, numbers),
        "status": thing.status.replace("_", " "),
        "amount": thing.captured_minor or thing.amount_minor,
        "refunded": thing.refunded_minor,
        "currency": thing.currency,
        "exponent": exponent(thing.currency),
        "made_at": thing.created_at,
        "paid_at": thing.paid_at,
    }


def _of_payment(thing: Payment, offers: Sequence[Offer], row: DirectoryRow) -> list[View]:
    named = {"payment": thing.id, "currency": thing.currency}
    return _ways(offers, row, ("billing.refund", named)) if thing.captured_minor else []


def _older(row: DirectoryRow, older: str | None, **begin: str | None) -> str:
    """Return where older ones of one list stand, with the other as it is; empty where there are none."""
    return path_of("billing.show", slug=row.slug, **begin) if older else ""


def _happening(each: Happening) -> View:
    return {
        "at": each.at,
        "icon": _ICONS[each.kind],
        "what": each.what,
        "amount": worded(each.minor, each.currency) if each.minor else "",
        "status": each.status.replace("_", " "),
        "why": each.why,
        "id": each.id if each.kind not in _SHOWN_ABOVE else "",
    }


def _ways(offers: Sequence[Offer], row: DirectoryRow, *ways: tuple[str, Mapping[str, str]]) -> list[View]:
    """Return links to those of some actions on one thing that are offered, filled in as far as the page knows."""
    known = {offer.action.key: offer.action for offer in offers}
    return [
        {"button": known[key].button, "icon": known[key].icon, "href": action_href(row, key, **params)}
        for key, params in ((ActionKey(name), params) for name, params in ways)
        if key in known
    ]


def _mark(mark: tuple[str, str, str]) -> View:
    kind, icon, word = mark
    return {"kind": kind, "icon": icon, "word": word}
