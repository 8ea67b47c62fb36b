"""Tell the product whether a token still stands, from everything that it rests on, at this very moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.impersonations import Impersonation
from console.domain.product_tokens import TokenFault, fault_of
from console.domain.staff import Origin
from console.ports.product import Product
from console.usecases.exchange_token import over_in
from console.usecases.house import House
from console.usecases.impersonation_standing import (
    end_impersonation_in,
    holder_of,
    ticket_of,
    why_over,
)
from console.usecases.know_product import refuse_product_in
from console.usecases.read_token import TokenOfRow, row_of_token

_TOUCH = timedelta(seconds=1)
_LONG_GRACE_SECONDS = 86_400  # whoever wants out gets out, however old the token; and an end is told by its word
_SENTENCES = {
    TokenFault.NOT_OURS: "This is no token of ours.",
    TokenFault.FOREIGN: "This token was made for somebody else.",
    TokenFault.FUTURE: "This token is from the future: look at the clocks.",
    TokenFault.EXPIRED: "This token is out of time; exchange it for the next one.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """The token stands. Shape: `row` as it is now, idle clock moved where a person did something."""

    row: Impersonation
    claims: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactive:
    """The token does not stand, and why. Shape: `ended_by` is "" where only the token is bad."""

    ended_by: str
    sentence: str


def introspect_token(
    house: House, product: Product, *, token: str, is_activity: bool, origin: Origin
) -> Active | Inactive:
    """Return whether a token stands. Raises: OutsideError when the ticket system is silent: nothing is granted then.

    Shape: only what a person did moves the clocks: of the impersonation, and of the lease and session it rests on.
    """
    read = row_of_token(house, product, token, origin=origin, grace_seconds=_LONG_GRACE_SECONDS)
    if not isinstance(read, TokenOfRow):
        return Inactive(ended_by="", sentence=_SENTENCES[read])
    now = house.clock.now()
    ticket = ticket_of(house, read.row, now=now)
    with house.store.read() as unit:
        row = unit.impersonations.get(read.row.id) or read.row
        over = why_over(house, unit, row, ticket=ticket, now=now)
    if over is not None:
        with house.store.write() as unit:
            over_in(house, unit, product, row, over, origin=origin)
        return Inactive(ended_by=over.value, sentence=over.sentence)
    if fault_of(read.claims, issuer=product.issuer, audience=product.client_id, now=now) is not None:
        with house.store.write() as unit:
            refuse_product_in(house, unit, product, because=TokenFault.EXPIRED.value, origin=origin, row=row)
        return Inactive(ended_by="", sentence=_SENTENCES[TokenFault.EXPIRED])
    return Active(row=_touched(house, row, now) if is_activity else row, claims=read.claims)


def revoke_token(house: House, product: Product, *, token: str, origin: Origin) -> None:
    """End the impersonation of a token by hand; what is none of ours, or over, is left as it is."""
    read = row_of_token(house, product, token, origin=origin, grace_seconds=_LONG_GRACE_SECONDS)
    if not isinstance(read, TokenOfRow):
        return
    with house.store.write() as unit:
        end_impersonation_in(unit, holder_of(unit, read.row), read.row, now=house.clock.now(), origin=origin)


def _touched(house: House, row: Impersonation, now: datetime) -> Impersonation:
    if now - row.last_used_at < _TOUCH:
        return row
    with house.store.write() as unit:
        unit.sessions.touch(row.session, now)  # in the order in which they end, so that nobody waits in a circle
        unit.impersonations.touch(row.id, now)
        unit.leases.touch(row.lease, now)
        return unit.impersonations.get(row.id) or row
