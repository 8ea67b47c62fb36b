"""The billing of an opened tenant."""

import re

from flask import Blueprint, Response, request

from console.domain.decisions import Deny
from console.domain.tenancy import DirectoryRow
from console.usecases.offer_actions import offer_actions
from console.usecases.read_billing import From, read_billing
from console.web import asking, gate, render
from console.web.closed import closed
from console.web.shaping_billing import billing_view

bp = Blueprint("billing", __name__)
_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")


@bp.get("/t/<slug>/billing")
@gate.tenant_scoped
def show(row: DirectoryRow) -> Response:
    """Show subscriptions, invoices and everything that happened to the tenant's money, in one order."""
    begin = From(invoice=_typed("before"), payment=_typed("payments"))
    page = read_billing(asking.house(), asking.actor(), tenant=row.id, begin=begin)
    if isinstance(page, Deny):
        return closed(row, page)
    view = billing_view(page, offer_actions(asking.house(), asking.actor(), tenant=row), begin=begin)
    return render.page("pages/tenants/billing.html", opened=page.opened, tab="billing", page=view)


def _typed(name: str) -> str | None:
    """Return after which invoice or payment a page begins; what is no id begins at the newest."""
    typed = request.args.get(name, "")
    return typed if _ID.fullmatch(typed) else None
