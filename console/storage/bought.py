"""What the product mirrors of billing, and over it what our own mirror knows where it is fresher."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import ObjectKind
from console.domain.bought import AS_IT_IS, Bought, Supposed, bought_of, invoice_of
from console.domain.workspace import Invoice, Subscription
from console.storage.billing_tables import BillingCustomerRow, BillingObjectRow
from console.storage.guards import GuardedSession, Scoped
from console.storage.mirror_rows import shown_snapshot
from console.storage.plane_rows import shown_invoice
from console.storage.prepared import Prepared
from console.storage.rows import found
from console.storage.tenant_tables import InvoiceRow, PlanRow, SubscriptionRow

_MOST_SUBSCRIPTIONS = 200


def stored_bought(session: GuardedSession, supposing: Supposed = AS_IT_IS) -> Bought | None:
    """Return the subscription that decides what the session's tenant may use, or would; three statements.

    What it is, is read once in a unit.
    """
    if supposing is not AS_IT_IS:
        return _bought(session, supposing)
    return session.remembered("bought", lambda: _bought(session, AS_IT_IS))


def stored_subscription(session: GuardedSession) -> Subscription | None:
    """Return the subscription with its plan's name; a plan that the catalogue does not know is named by its key."""
    bought = stored_bought(session)
    if bought is None:
        return None
    name = next((row.name for row in found(session, _PLAN_NAME, plan=bought.plan_key)), None)
    return Subscription(
        plan_key=bought.plan_key,
        plan_name=name or bought.plan_key,
        status=bought.status,
        provider_customer=bought.provider_customer,
        seats=bought.seats,
        amount_minor=bought.amount_minor,
        currency=bought.currency,
        started_at=bought.started_at,
        renews_at=bought.renews_at,
        mirrored_at=bought.mirrored_at,
    )


def stored_invoices(session: GuardedSession, *, limit: int) -> Sequence[Invoice]:
    """Return the newest invoices, those too that only our mirror has heard of; two statements."""
    shown = _merged(session.scoped(_INVOICES, most=limit))
    known = {each.number for each in shown}
    unlisted = (row for row in session.scoped(_MIRRORED, most=limit) if row.number not in known)
    alone = [invoice for row in unlisted if (invoice := invoice_of(None, shown_snapshot(row))) is not None]
    return sorted((*shown, *alone), key=lambda each: (each.issued_at, each.number), reverse=True)[:limit]


def stored_invoice(session: GuardedSession, number: str) -> Invoice | None:
    """Return one invoice."""
    shown = _merged(session.scoped(_INVOICE, number=number))
    if shown:
        return shown[0]
    alone = (invoice_of(None, shown_snapshot(row)) for row in session.scoped(_MIRRORED_ONE, number=number))
    return next((each for each in alone if each is not None), None)


def stored_customers(session: GuardedSession) -> frozenset[str]:
    """Return the provider's customers that are the session's tenant; two statements.

    A customer is the tenant's while a link says so; one that was never linked or unlinked, when the product says so.
    """
    return _customers(session, next((row.provider_customer for row in session.scoped(_OWN)), None))


def _bought(session: GuardedSession, supposing: Supposed) -> Bought | None:
    own = next((_own(row) for row in session.scoped(_OWN)), None)
    return bought_of(own, _told(session, own, supposing))


def _customers(session: GuardedSession, by_product: str | None) -> frozenset[str]:
    links: dict[str, set[bool]] = {}
    for row in session.scoped(_LINKS):
        links.setdefault(row.customer, set()).add(row.unlinked_at is None)
    linked = {customer for customer, states in links.items() if True in states}
    return frozenset(linked | ({by_product} if by_product and by_product not in links else set()))


def _told(session: GuardedSession, own: Bought | None, supposing: Supposed) -> Sequence[Snapshot]:
    ours = supposing.customers(_customers(session, None if own is None else own.provider_customer))
    rows = session.scoped(_SUBSCRIPTIONS, most=_MOST_SUBSCRIPTIONS) if ours else ()
    known = [told for row in rows if row.customer in ours and (told := shown_snapshot(row)) is not None]
    return supposing.subscriptions(known, ours)


def _merged(rows: Iterable[Any]) -> list[Invoice]:
    """Return invoices with what our mirror says of each; where two of it bear one number, the fresher one counts."""
    merged: dict[str, Invoice] = {}
    for row in rows:
        number = row.own_number
        known = merged.get(number) or shown_invoice(row)
        told = None if row.canonical is None else shown_snapshot(row)
        merged[number] = invoice_of(known, told) or known
    return list(merged.values())


def _own(row: Any) -> Bought:  # noqa: ANN401  a row of any making
    return Bought(
        plan_key=row.plan_key,
        status=row.status,
        provider_customer=row.provider_customer,
        seats=row.seats,
        amount_minor=row.amount_minor,
        currency=row.currency,
        started_at=row.started_at,
        renews_at=row.renews_at,
        mirrored_at=row.mirrored_at,
    )


_TOLD = (
    BillingObjectRow.kind,
    BillingObjectRow.canonical,
    BillingObjectRow.raw,
    BillingObjectRow.api_version,
    BillingObjectRow.fetched_at,
    BillingObjectRow.is_deleted,
)
_IS_INVOICE = (BillingObjectRow.kind == ObjectKind.INVOICE.value) & BillingObjectRow.is_deleted.is_(False)
_OWN = Scoped(select(SubscriptionRow))
_PLAN_NAME = Prepared(select(PlanRow.name).where(PlanRow.key == bindparam("plan")))
_LINKS = Scoped(select(BillingCustomerRow.customer, BillingCustomerRow.unlinked_at))
_SUBSCRIPTIONS = Scoped(
    select(*_TOLD, BillingObjectRow.customer)
    .where(BillingObjectRow.kind == ObjectKind.SUBSCRIPTION.value, BillingObjectRow.is_deleted.is_(False))
    .order_by(BillingObjectRow.at.desc(), BillingObjectRow.id.desc())
    .limit(bindparam("most"))
)
_WITH_MIRROR = select(
    InvoiceRow.number.label("own_number"),
    InvoiceRow.status.label("own_status"),
    InvoiceRow.provider_status,
    InvoiceRow.amount_minor,
    InvoiceRow.currency,
    InvoiceRow.issued_at,
    InvoiceRow.due_at,
    InvoiceRow.paid_at,
    InvoiceRow.mirrored_at,
    *_TOLD,
).join(
    BillingObjectRow,
    (BillingObjectRow.tenant_id == InvoiceRow.tenant_id) & (BillingObjectRow.number == InvoiceRow.number) & _IS_INVOICE,
    isouter=True,
)
_INVOICES = Scoped(
    _WITH_MIRROR.order_by(InvoiceRow.issued_at.desc(), InvoiceRow.number.desc()).limit(bindparam("most"))
)
_INVOICE = Scoped(_WITH_MIRROR.where(InvoiceRow.number == bindparam("number")))
_MIRRORED = Scoped(
    select(*_TOLD, BillingObjectRow.number)
    .where(_IS_INVOICE)
    .order_by(BillingObjectRow.at.desc(), BillingObjectRow.id.desc())
    .limit(bindparam("most"))
)
_MIRRORED_ONE = Scoped(select(*_TOLD).where(_IS_INVOICE, BillingObjectRow.number == bindparam("number")))
