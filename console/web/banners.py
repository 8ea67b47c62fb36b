"""The one state that colours a whole page: which of them outranks the others, and how it is said."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.moments import minute_of
from console.domain.tenancy import TenantStatus
from console.usecases.opened_tenant import Opened
from console.usecases.read_home import Places
from console.web import wording
from console.web.paths import path_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """A state that colours the whole page. Shape: `href` leads to the page of it, "" where there is none."""

    kind: str
    text: str
    href: str
    until: datetime | None
    exit_href: str


def banner_of(around: Places, opened: Opened | None) -> Banner | None:
    """Return what outranks everything: a freeze, then acting for a member, wherever one stands; then a suspension."""
    if around.frozen is not None:
        freeze = around.frozen
        text = f"{freeze.sentence} ({freeze.reason.reference}): reading goes on, everything else is paused."
        return Banner(kind="frozen", text=text, href="", until=None, exit_href="")
    if around.acting is not None:
        row, tenant = around.acting
        whom = "a tenant" if tenant is None else tenant.name
        return Banner(
            kind="impersonation",
            text=f"you act for a member of {whom}, {wording.MODES[row.mode]}.",
            href=path_of("impersonations.show", impersonation=row.id),
            until=row.not_after,
            exit_href=path_of("impersonations.end", impersonation=row.id),
        )
    if opened is None:
        return None
    use = opened.taint
    if use is not None:
        text = f"{use.name} broke glass here in {use.reference}, {minute_of(use.at)}: look twice."
        return Banner(kind="break_glass", text=text, href="", until=None, exit_href="")
    if opened.tenant.status is not TenantStatus.SUSPENDED:
        return None
    text = f"{opened.tenant.name} is suspended; none of its members can sign in."
    return Banner(kind="suspended", text=text, href="", until=None, exit_href="")
