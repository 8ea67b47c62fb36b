"""Rows of a plane as the domain knows them."""

from typing import Any

from console.domain.ids import MemberId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.workspace import Invoice, Member, Note


def shown_member(row: Any) -> Member:  # noqa: ANN401  a row of any making
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


def shown_invoice(row: Any) -> Invoice:  # noqa: ANN401  a row of any making
    """Return an invoice as the product mirrors it."""
    return Invoice(
        number=row.own_number,
        status=row.own_status,
        provider_status=row.provider_status,
        amount_minor=row.amount_minor,
        currency=row.currency,
        issued_at=row.issued_at,
        due_at=row.due_at,
        paid_at=row.paid_at,
        mirrored_at=row.mirrored_at,
    )


def shown_note(row: Any) -> Note:  # noqa: ANN401  a row of any making
    """Return a note."""
    return Note(id=row.id, author=row.author, text=row.text, at=row.at)


def shown_product_job(row: Any) -> ProductJob:  # noqa: ANN401  a row of any making
    """Return a job of the product."""
    return ProductJob(
        id=row.id,
        kind=row.kind,
        queue=row.queue,
        state=ProductJobState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        run_at=row.run_at,
        finished_at=row.finished_at,
        last_error=row.last_error,
    )
