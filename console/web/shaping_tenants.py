"""The workspace of an opened tenant, as its templates want it."""

from collections.abc import Iterable, Mapping, Sequence

from console.domain.tenancy import DirectoryRow
from console.domain.workspace import Invoice
from console.ports.trail import StoredEntry
from console.usecases.health import Symptom, Weight
from console.usecases.latest_changes import Thing
from console.usecases.offer_actions import Offer
from console.usecases.read_requests import Line
from console.usecases.read_tenant import MemberLine, NotesPage, Overview, Paged
from console.web import wording
from console.web.paths import path_of
from console.web.shaping import View, entry_events, entry_row, minor_digits, request_queue, with_query

_WEIGHTS = {Weight.STOP: "stop", Weight.WARN: "warn", Weight.OK: "ok"}
_CHANGED = {
    Thing.ACCOUNT: "building-2",
    Thing.SUBSCRIPTION: "package",
    Thing.INVOICE: "receipt",
    Thing.ENDPOINT: "webhook",
}
REVEAL = "member.reveal"
ACT_AS = "impersonation.start"


def overview_view(page: Overview, offers: Sequence[Offer], titles: Mapping[str, str]) -> View:
    """Return the overview: what is wrong first, each with the one action that mends it."""
    row = page.opened.tenant
    lines = [Line(request=r, tenant=row, title=titles.get(r.action, r.action)) for r in page.requests]
    return {
        "symptoms": [_symptom(symptom, row, offers) for symptom in page.symptoms],
        "account": page.account,
        "status": page.account.status.value,
        "subscription": page.subscription,
        "digits": 2 if page.subscription is None else minor_digits(page.subscription.currency),
        "member_count": page.member_count,
        "invoices": [_invoice(invoice) for invoice in page.invoices],
        "requests": request_queue(lines, is_own=True),
        "events": _lately(page, titles),
        "offers": action_links(offers, row),
    }


def _lately(page: Overview, titles: Mapping[str, str]) -> list[View]:
    """Return what happened to a tenant among what staff did, newest first; neither crowds the other out."""
    events = [
        *entry_events(page.entries, titles, is_linked=False),
        *({
            "at": change.at,
            "icon": _CHANGED[change.thing],
            "kind": "warn" if change.is_trouble else "",
            "title": change.title,
            "who": "",
            "text": change.text,
            "href": "",
            "known_at": None,
        } for change in page.changes),
    ]  # fmt: skip
    return sorted(events, key=lambda event: event["at"], reverse=True)


def action_links(offers: Iterable[Offer], row: DirectoryRow | None, *, place: str = "") -> list[View]:
    """Return the allowed actions as links, all or those that belong to one page."""
    return [
        {
            "label": offer.action.title,
            "button": offer.action.button,
            "icon": offer.action.icon,
            "effect": offer.action.effect.value,
            "key": offer.action.key,
            "text": offer.action.documentation,
            "href": action_href(row, offer.action.key),
        }
        for offer in offers
        if not any(field.is_fixed_by_link for field in offer.action.fields)
        and (place == offer.action.place or (not place and not offer.action.is_beside_its_thing))
    ]


def action_href(row: DirectoryRow | None, key: str, **params: str) -> str:
    """Return the address of an action's form, filled in as far as the page knows."""
    if row is None:
        return with_query(path_of("actions.create_control", key=key), params)
    return with_query(path_of("actions.create", slug=row.slug, key=key), params)


def placed_links(
    offers: Iterable[Offer], row: DirectoryRow | None, place: str, known: Mapping[str, str] | None = None
) -> list[View]:
    """Return the allowed actions of one place as links, with those parameters filled in that the page knows."""
    known = known or {}
    return [
        {
            "label": offer.action.title,
            "button": offer.action.button,
            "icon": offer.action.icon,
            "effect": offer.action.effect.value,
            "key": offer.action.key,
            "text": offer.action.documentation,
            "href": action_href(
                row,
                offer.action.key,
                **{field.name: known[field.name] for field in offer.action.fields if known.get(field.name)},
            ),
        }
        for offer in offers
        if offer.action.place == place
        and all(known.get(f.name) for f in offer.action.fields if f.is_fixed_by_link and f.is_required)
    ]


def members_view(page: Paged, offers: Sequence[Offer], *, minutes: int) -> View:
    """Return members with every personal field masked, and where a reveal or acting for one would start."""
    row = page.opened.tenant
    reveal = action_href(row, REVEAL) if is_offered(offers, REVEAL) else ""
    act_as = action_href(row, ACT_AS) if is_offered(offers, ACT_AS) else ""
    members = [item for item in page.items if isinstance(item, MemberLine)]
    return {
        "reveal": f"{reveal}?member=" if reveal else "",
        "act_as": act_as,
        "minutes": minutes,
        "rows": [
            {
                "id": m.id,
                "name": m.name,
                "initials": wording.initials(m.name),
                "email": m.email,
                "phone": m.phone,
                "role": m.role,
                "state": "active" if m.is_active else "deactivated",
                "joined_at": m.joined_at,
                "last_seen_at": m.last_seen_at,
            }
            for m in members
        ],
        "older": path_of("tenants.members", slug=row.slug, after=page.older) if page.older else "",
        "actions": action_links(offers, row, place="members"),
    }


def notes_view(page: NotesPage, offers: Sequence[Offer]) -> View:
    """Return a page of notes and where one is added."""
    notes = [
        {"author": n.author, "initials": wording.initials(n.author), "text": n.text, "at": n.at} for n in page.notes
    ]
    row = page.opened.tenant
    older = path_of("tenants.notes", slug=row.slug, before=page.older) if page.older else ""
    return {"notes": notes, "older": older, "actions": action_links(offers, row, place="notes")}


def tenant_entries_view(page: Paged, titles: Mapping[str, str]) -> View:
    """Return this tenant's entries."""
    row = page.opened.tenant
    entries = [item for item in page.items if isinstance(item, StoredEntry)]
    return {
        "rows": [entry_row(entry, titles, is_linked=False) for entry in entries],
        "older": path_of("tenants.entries", slug=row.slug, before=page.older) if page.older else "",
    }


def _symptom(symptom: Symptom, row: DirectoryRow, offers: Sequence[Offer]) -> View:
    offer = next((offer for offer in offers if offer.action.key == symptom.action), None)
    return {
        "kind": _WEIGHTS[symptom.weight],
        "title": symptom.title,
        "sentence": symptom.sentence,
        "button": offer.action.button if offer else "",
        "icon": offer.action.icon if offer else "",
        "href": action_href(row, offer.action.key, **dict(symptom.params)) if offer else "",
    }


def _invoice(invoice: Invoice) -> View:
    return {
        "number": invoice.number,
        "status": invoice.status,
        "provider": invoice.provider_status,
        "agrees": invoice.status == invoice.provider_status,
        "minor": invoice.amount_minor,
        "currency": invoice.currency,
        "digits": minor_digits(invoice.currency),
        "due_at": invoice.due_at,
        "paid_at": invoice.paid_at,
        "mirrored_at": invoice.mirrored_at,
    }


def is_offered(offers: Iterable[Offer], key: str) -> bool:
    """Return whether an action is among those that are offered."""
    return any(offer.action.key == key for offer in offers)
