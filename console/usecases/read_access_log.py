"""Read what a tenant sees of our accesses, what it does not see yet, and what it permits: the customer's side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.decisions import Deny
from console.domain.disclosure import LegalHold
from console.domain.ids import TenantId
from console.domain.staff import Actor
from console.domain.trust.access_policy import AccessPolicy
from console.domain.trust.consents import Consent, ConsentState
from console.domain.trust.letters import Letter
from console.domain.trust.tokens import CustomerToken
from console.ports.disclosures import Disclosure
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.access_lines import ShownAccess, access_lines, pseudonym_of
from console.usecases.house import House
from console.usecases.opened_tenant import Opened, read_opened

_PAGE = 50
_WAITING = 50
_FEW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAccess:
    """An access that the customer does not see yet; `is_held` when a legal hold keeps it back, not the calendar."""

    access: ShownAccess
    due_at: datetime
    is_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedConsent:
    """A question to the tenant, the state that the clock leaves of it, and under which pseudonym it was asked."""

    consent: Consent
    state: ConsentState
    pseudonym: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPage:
    """What the customer sees. Shape: `older` is the number to go on below, None at the end."""

    opened: Opened
    shown: Sequence[ShownAccess]
    older: int | None
    waiting: Sequence[WaitingAccess]
    holds: Sequence[LegalHold]
    policy: AccessPolicy
    tokens: Sequence[CustomerToken]
    consents: Sequence[AskedConsent]
    webhook: str | None
    undelivered: Sequence[Letter]


def read_customer_page(house: House, actor: Actor, *, tenant: TenantId, before: int | None) -> CustomerPage | Deny:
    """Return the customer's side of an opened tenant. Raises: NotFoundError for an unknown tenant."""

    def read(unit: ControlUnit, opened: Opened, _plane: TenantPlane) -> CustomerPage:
        now = house.clock.now()
        shown = unit.disclosures.shown(tenant, before=before, limit=_PAGE + 1)
        holds = unit.legal_holds.of(tenant)
        webhook = unit.letters.webhook(tenant)
        return CustomerPage(
            opened=opened,
            shown=access_lines(house, unit, shown[:_PAGE]),
            older=shown[_PAGE - 1].number if len(shown) > _PAGE else None,
            waiting=_waiting(house, unit, unit.disclosures.waiting(tenant, limit=_WAITING), holds, now),
            holds=[hold for hold in holds if hold.stands(now)],
            policy=unit.access_policies.of(tenant),
            tokens=unit.customer_tokens.of(tenant),
            consents=[
                AskedConsent(consent=each, state=each.state_at(now), pseudonym=pseudonym_of(house, tenant, each.staff))
                for each in unit.consents.of_tenant(tenant, limit=_FEW)
            ],
            webhook=None if webhook is None else webhook.url,
            undelivered=unit.letters.given_up(tenant, limit=_FEW),
        )

    return read_opened(house, actor, tenant, page="customer", read=read, records=_records)


def _records(page: CustomerPage) -> int:
    lists = (page.shown, page.waiting, page.holds, page.tokens, page.consents, page.undelivered)
    return sum(len(each) for each in lists)


def _waiting(
    house: House, unit: ControlUnit, waiting: Sequence[Disclosure], holds: Sequence[LegalHold], now: datetime
) -> list[WaitingAccess]:
    until = {hold.reference: hold.until for hold in holds if hold.stands(now)}
    return [
        WaitingAccess(
            access=line,
            due_at=max(line.disclosure.due_at, until.get(line.disclosure.reference, line.disclosure.due_at)),
            is_held=line.disclosure.reference in until,
        )
        for line in access_lines(house, unit, waiting)
    ]
