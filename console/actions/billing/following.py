"""What access follows when links or mirror change: said in one way by every action on billing."""

from collections.abc import Sequence
from dataclasses import replace

from console.actions.billing import ledger
from console.domain.access_changes import AT_ONCE, access_effect, behind, loss_warnings
from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import Invoice, ObjectKind, Subscription
from console.domain.bought import AS_IT_IS, Supposed
from console.domain.changes import AccessEffect
from console.domain.effective_store import Effects, what_if
from console.ports.action_tools import Tools

_OWING = frozenset({"past_due", "unpaid", "incomplete"})
_MOST_LISTED = 500
_PAGE = 100
NOTHING = Effects(rows=())


def effects_of(tools: Tools, supposing: Supposed) -> Effects:
    """Return what the tenant gains and loses once links and mirror say what is supposed."""
    plane = tools.plane()
    return what_if(plane.inputs(), plane.inputs(supposing), tools.now)


def followed(tools: Tools, effects: Effects, *, when: str = AT_ONCE, beside: str = "") -> AccessEffect:
    """Return what a preview says of access, with what the product reads wrong today and this puts right."""
    plane = tools.plane()
    also = behind(plane.effective_set(), plane.inputs(), tools.now)
    return access_effect(effects, when=when, also=also, beside=beside)


def losses(effects: Effects, *, when: str = AT_ONCE) -> tuple[str, ...]:
    """Return the warning of what is lost, none where nothing is."""
    return loss_warnings(effects, when=when)


def ended(tools: Tools, subscription: Subscription) -> Supposed:
    """Return what the mirror says once a subscription has ended at the provider."""
    return _told(tools, replace(subscription, status="canceled", ended_at=tools.now))


def settled(tools: Tools, invoice: Invoice, *, left_minor: int) -> Supposed:
    """Return what the mirror says once so much of an invoice is left to pay.

    Shape: a provider calls an owing subscription active again with its last open invoice; with any other nothing moves.
    """
    held = ledger.maybe(tools, Subscription, invoice.subscription)
    if left_minor or held is None or held.status not in _OWING:
        return AS_IT_IS
    owed = (each for each in ledger.invoices_of(tools, held) if each.status == "open" and each.remaining_minor)
    if any(each.id != invoice.id for each in owed):
        return AS_IT_IS
    return _told(tools, replace(held, status="active"))


def at_provider(tools: Tools, customers: Sequence[str]) -> tuple[tuple[Snapshot, ...], bool]:
    """Return the subscriptions that the provider lists for customers, and whether that is all of them.

    Raises: OutsideError when the provider does not answer.
    """
    found: list[Snapshot] = []
    for customer in customers:
        after: str | None = None
        while True:
            page = tools.provider.page(ObjectKind.SUBSCRIPTION, customer=customer, after=after, limit=_PAGE)
            found += page.items
            if len(found) >= _MOST_LISTED or page.unreadable:
                return tuple(found), False
            after = page.after
            if after is None:
                break
    return tuple(found), True


def _told(tools: Tools, subscription: Subscription) -> Supposed:
    return Supposed(told=(Snapshot(thing=subscription, raw={}, api_version="", fetched_at=tools.now),))
