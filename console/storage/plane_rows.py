"""Rows of a plane as the domain knows them."""

from console.domain.ids import MemberId
from console.domain.workspace import Invoice, Member, Note, Subscription
from console.storage.own_tables import InvoiceMirrorRow, NoteRow
from console.storage.tenant_tables import InvoiceRow, MemberRow, SubscriptionRow


def shown_member(row: MemberRow) -> Member:
    """Return a member."""
    return Member(
        id=MemberId(row.id),
        name=row.name,
        email=row.email,
        phone=row.phone,
        role=row.role,
        is_active=row.is_active,
        joined_at=row.joined_at,
        last_seen_at=row.last_seen_at,
    )


def shown_subscription(row: SubscriptionRow, *, plan_name: str | None) -> Subscription:
    """Return a subscription; a plan that the catalogue does not know is named by its key."""
    return Subscription(
        plan_key=row.plan_key,
        plan_name=plan_name or row.plan_key,
        status=row.status,
        provider_customer=row.provider_customer,
        seats=row.seats,
        amount_minor=row.amount_minor,
        currency=row.currency,
        renews_at=row.renews_at,
        mirrored_at=row.mirrored_at,
    )


def shown_invoice(row: InvoiceRow, mirror: InvoiceMirrorRow | None) -> Invoice:
    """Return an invoice; what the provider said to us wins over an older mirror of the product."""
    newer = mirror if mirror is not None and mirror.mirrored_at >= row.mirrored_at else None
    return Invoice(
        number=row.number,
        status=row.status if newer is None else newer.status,
        provider_status=row.provider_status if newer is None else newer.status,
        amount_minor=row.amount_minor,
        currency=row.currency,
        issued_at=row.issued_at,
        due_at=row.due_at,
        paid_at=row.paid_at if newer is None else newer.paid_at,
        mirrored_at=row.mirrored_at if newer is None else newer.mirrored_at,
    )


def shown_note(row: NoteRow) -> Note:
    """Return a note."""
    return Note(id=row.id, author=row.author, text=row.text, at=row.at)
