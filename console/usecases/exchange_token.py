"""Give the product a short token: for a one-use code, or for the token before it; all that it rests on is read anew."""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from console.domain.impersonations import Impersonation, ImpersonationEnd, shown_name
from console.domain.product_tokens import CodeFault, HandOffCode, Party, challenge_of, claims_of, digest_of
from console.domain.reasons import ReferenceVerdict
from console.domain.staff import Origin
from console.ports.product import Product
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.impersonation_standing import (
    expire_impersonation_in,
    holder_of,
    targets_of,
    ticket_of,
    why_over,
)
from console.usecases.know_product import refuse_product_in
from console.usecases.read_token import TokenOfRow, row_of_token
from console.usecases.recording import emit_as, tenant_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A fresh token. Units: `seconds` that it lives."""

    token: str
    seconds: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotIssued:
    """Why there is no token, in words for the product's log; nothing was given."""

    because: str
    sentence: str


_WRONG_CODE = "This code is unknown, spent or out of time; start again from the console."


def exchange_code(house: House, product: Product, *, code: str, verifier: str, origin: Origin) -> Issued | NotIssued:
    """Return the first token for a one-use code. Raises: OutsideError when the ticket system is silent.

    Shape: 1 the code and what it stands for; 2 it is spent, whatever comes of it; 3 browser, clock and session fit;
    4 all that the impersonation rests on still stands.
    """
    digest = digest_of(code)
    # 1
    with house.store.read() as unit:
        kept = unit.impersonations.code(digest)
        row = None if kept is None else unit.impersonations.get(kept.impersonation)
    if kept is None or row is None:
        with house.store.write() as unit:
            refuse_product_in(house, unit, product, because=CodeFault.UNKNOWN.value, origin=origin)
        return NotIssued(because=CodeFault.UNKNOWN.value, sentence=_WRONG_CODE)
    ticket = ticket_of(house, row, now=house.clock.now())
    with house.store.write() as unit:
        now = house.clock.now()
        row = unit.impersonations.get(row.id) or row
        # 2
        is_first = unit.impersonations.spend(digest, now)
        # 3
        fault = _fault_of(kept, row, verifier, now=now) if is_first else CodeFault.SPENT
        if fault is not None:
            refuse_product_in(house, unit, product, because=fault.value, origin=origin, row=row)
            return NotIssued(because=fault.value, sentence=_WRONG_CODE)
        # 4
        return _issued(house, unit, product, row, "impersonation.entered", ticket=ticket, origin=origin)


def renew_token(house: House, product: Product, *, token: str, origin: Origin) -> Issued | NotIssued:
    """Return the next token for one that is good, or was a token's life ago. Raises: OutsideError."""
    grace = house.book.limits.token_seconds
    read = row_of_token(house, product, token, origin=origin, grace_seconds=grace)
    if not isinstance(read, TokenOfRow):
        return NotIssued(because=read.value, sentence="This token is not good for another one.")
    ticket = ticket_of(house, read.row, now=house.clock.now())
    with house.store.write() as unit:
        row = unit.impersonations.get(read.row.id) or read.row
        return _issued(house, unit, product, row, "impersonation.renewed", ticket=ticket, origin=origin)


def over_in(
    house: House,
    unit: ControlUnit,
    product: Product,
    row: Impersonation,
    over: ImpersonationEnd,
    *,
    origin: Origin,
) -> None:
    """Write that an impersonation is over, if nobody has, and that the product was refused because of it."""
    expire_impersonation_in(unit, row, by=over, now=house.clock.now())
    refuse_product_in(house, unit, product, because=over.value, origin=origin, row=row)


def _fault_of(kept: HandOffCode, row: Impersonation, verifier: str, *, now: datetime) -> CodeFault | None:
    if not kept.made_at <= now < kept.until:
        return CodeFault.EXPIRED
    if not compare_digest(challenge_of(verifier) or "", kept.challenge):
        return CodeFault.VERIFIER
    # A second factor gives the session another key; a code that was made before it is not worth keeping.
    return None if kept.session == row.session else CodeFault.EXPIRED


def _issued(
    house: House,
    unit: ControlUnit,
    product: Product,
    row: Impersonation,
    action: str,
    *,
    ticket: ReferenceVerdict,
    origin: Origin,
) -> Issued | NotIssued:
    now = house.clock.now()
    over = why_over(house, unit, row, ticket=ticket, now=now)
    if over is not None:
        over_in(house, unit, product, row, over, origin=origin)
        return NotIssued(because=over.value, sentence=over.sentence)
    jti = house.ids.new("jti")
    claims = claims_of(
        row, _party(unit, product, row), now=now, seconds=house.book.limits.token_seconds, jti=jti
    )  # fmt: skip
    emit_as(
        unit,
        holder_of(unit, row),
        action,
        at=now,
        origin=origin,
        tenant=tenant_ref(unit, row.tenant, source="impersonation"),
        reason=row.reason,
        targets=targets_of(row),
        correlation=row.id,
        facts={"jti": jti, "mode": row.mode.value},
    )
    seconds = int(str(claims["exp"])) - int(str(claims["iat"]))
    return Issued(token=product.keys.signed(claims), seconds=seconds, scope=row.mode.scope)


def _party(unit: ControlUnit, product: Product, row: Impersonation) -> Party:
    member = unit.staff.get(row.staff)
    return Party(
        issuer=product.issuer,
        audience=product.client_id,
        tenant=unit.directory.external_id(row.tenant) or row.tenant,
        actor=product.pseudonym(row.staff),
        actor_name="Staff" if member is None else shown_name(member.name, member.roles),
    )
