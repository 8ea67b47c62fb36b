"""Read a token that the product sends back: whose it is, or what is wrong with it, which is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.impersonations import Impersonation
from console.domain.product_tokens import TokenFault, fault_of, sid_of
from console.domain.staff import Origin
from console.ports.product import Product
from console.usecases.house import House
from console.usecases.know_product import refuse_product_in


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOfRow:
    """A token of ours, and the impersonation that it belongs to as it was a moment ago."""

    row: Impersonation
    claims: Mapping[str, object]


def row_of_token(
    house: House, product: Product, token: str, *, origin: Origin, grace_seconds: int = 0
) -> TokenOfRow | TokenFault:
    """Return the impersonation of a token; anything else is recorded as refused."""
    claims = product.keys.read(token)
    fault: TokenFault | None = TokenFault.NOT_OURS
    row: Impersonation | None = None
    if claims is not None:
        now = house.clock.now()
        fault = fault_of(
            claims, issuer=product.issuer, audience=product.client_id, now=now, grace_seconds=grace_seconds
        )
        sid = sid_of(claims)
        if sid is not None:
            with house.store.read() as unit:
                row = unit.impersonations.get(sid)
        if fault is None and row is not None and claims.get("sub") == row.member:
            return TokenOfRow(row=row, claims=claims)
    because = fault or TokenFault.NOT_OURS
    with house.store.write() as unit:
        refuse_product_in(house, unit, product, because=because.value, origin=origin, row=row)
    return because
