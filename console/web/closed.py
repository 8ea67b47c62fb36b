"""The answer where a tenant is not open: 404, with the way in where only the lease is missing."""

from flask import Response

from console.domain.decisions import Deny, DenyCode
from console.domain.tenancy import DirectoryRow
from console.usecases.read_home import pages_open_to
from console.web import asking, render
from console.web.errors import STATUS
from console.web.shaping import refusal_view, tenant_view

_WITHOUT_LEASE = frozenset({DenyCode.NO_LEASE, DenyCode.LEASE_ENDED})


def closed(row: DirectoryRow | None, refusal: Deny) -> Response:
    """Return the refusal; a tenant that merely has to be opened offers a person the form that opens it.

    Shape: whoever may not find it in the directory is not told its name either.
    """
    is_nameless = "search" not in pages_open_to(asking.house(), asking.actor())
    if row is None or refusal.code not in _WITHOUT_LEASE or render.wants_json() or is_nameless:
        return render.refused(refusal)
    status = STATUS[refusal.code]
    return render.page(
        "pages/tenants/closed.html", status=status, tenant=tenant_view(row), refusal=refusal_view(refusal)
    )
