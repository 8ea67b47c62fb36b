"""The customers' door: who comes with a tenant's own token or a signed link, how often, and what is recorded of it."""

from dataclasses import dataclass
from datetime import timedelta

from console.domain.addresses import network_of
from console.domain.entries import ActorKind, ActorRef, TargetRef
from console.domain.ids import MemberId
from console.domain.staff import Origin
from console.domain.tenancy import DirectoryRow
from console.domain.trust.links import Link, LinkKind, link_of
from console.domain.trust.tokens import CustomerToken, token_hash
from console.domain.workspace import ADMINISTRATOR_ROLES
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.recording import row_ref
from console.usecases.scopes import scope_of_sender, tenant_data
from console.usecases.strangers import tell_of_stranger

_BUCKET, _LINKS = "customer_read", "customer_link"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program of one tenant, known by its token."""

    token: CustomerToken
    row: DirectoryRow

    @property
    def ref(self) -> ActorRef:
        """Return how entries name it."""
        return ActorRef(id=self.token.id, kind=ActorKind.CUSTOMER, name=f"Program “{self.token.label}” of the customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKnown:
    """No live token; which part is wrong is not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooOften:
    """The token is good and was used too often. Units: seconds to wait."""

    wait_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAllowed:
    """The token is good and opens the log only."""


def caller_in(house: House, unit: ControlUnit, given: str, origin: Origin) -> Caller | NotKnown | TooOften:
    """Return who calls, counted in the open unit; a refusal leaves its entry."""
    now = house.clock.now()
    hashed = token_hash(given)
    token = None if hashed is None else unit.customer_tokens.by_hash(hashed)
    row = None if token is None else unit.directory.get(token.tenant)
    if token is None or row is None or token.revoked_at is not None:
        because = "revoked" if token is not None and token.revoked_at is not None else "unknown token"
        targets = () if token is None else (TargetRef(type="customer_token", id=token.id),)
        tell_of_stranger(house, unit, "customer.refused", at=now, origin=origin, error=because, targets=targets)
        return NotKnown()
    unit.throttles.lock(_BUCKET, token.id)
    if unit.throttles.count(_BUCKET, token.id, since=now - _MINUTE) >= house.book.limits.customer_reads_per_minute:
        target = (TargetRef(type="customer_token", id=token.id),)
        tell_of_stranger(house, unit, "customer.refused", at=now, origin=origin, error="too often", targets=target)
        return TooOften()
    unit.throttles.hit(_BUCKET, token.id, at=now)
    unit.customer_tokens.used(token.id, at=now)
    return Caller(token=token, row=row)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotByProgram:
    """The token is good, and this takes an administrator: one of us has seen every token.

    Shape: `code` is stable, `sentence` says why.
    """

    code: str
    sentence: str


def not_by_program(
    house: House, unit: ControlUnit, caller: Caller, refusal: NotByProgram, *, origin: Origin, consent: str = ""
) -> NotByProgram:
    """Record that a program was refused what an administrator has to do, and return the refusal."""
    targets = [TargetRef(type="customer_token", id=caller.token.id)]
    if consent:
        targets.append(TargetRef(type="consent", id=consent))
    because = refusal.code.replace("_", " ")
    refuse_customer_in(house, unit, caller.ref, caller.row, because=because, origin=origin, targets=tuple(targets))
    return refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """An administrator of one tenant behind a signed link, still one at this moment."""

    link: Link
    row: DirectoryRow

    @property
    def ref(self) -> ActorRef:
        """Return how entries name them: by the id, for their name is the tenant's."""
        return ActorRef(id=self.link.member, kind=ActorKind.CUSTOMER, name="An administrator of the customer")


def guest_of(house: House, given: str, kind: LinkKind, origin: Origin) -> Guest | NotKnown | TooOften:
    """Return who follows a link, counted per network; a refusal leaves its entry. Raises: OutsideError."""
    now, network = house.clock.now(), network_of(origin.ip)
    with house.store.write() as unit:
        unit.throttles.lock(_LINKS, network)
        tries = unit.throttles.count(_LINKS, network, since=now - _MINUTE)
        unit.throttles.hit(_LINKS, network, at=now)
        if tries >= house.book.limits.customer_reads_per_minute:
            tell_of_stranger(house, unit, "customer.refused", at=now, origin=origin, error="too often")
            return TooOften()
        link = link_of(given, house.fingerprints.of, now=now)
        row = None if link is None or link.kind is not kind else unit.directory.get(link.tenant)
        if link is None or row is None:
            tell_of_stranger(house, unit, "customer.refused", at=now, origin=origin, error="no such link")
            return NotKnown()
    if not is_administrator(house, row, link.member):
        with house.store.write() as unit:
            tell_of_stranger(house, unit, "customer.refused", at=now, origin=origin, error="no administrator any more")
        return NotKnown()
    return Guest(link=link, row=row)


def refuse_customer_in(
    house: House,
    unit: ControlUnit,
    who: ActorRef,
    row: DirectoryRow,
    *,
    because: str,
    origin: Origin,
    targets: tuple[TargetRef, ...] = (),
) -> None:
    """Record that somebody whom we know at the customer asked for what cannot be, once it is no use to them."""
    tell_of_stranger(
        house,
        unit,
        "customer.refused",
        at=house.clock.now(),
        origin=origin,
        who=who,
        tenant=row_ref(row, source="link"),
        error=because,
        targets=targets,
    )


def is_administrator(house: House, row: DirectoryRow, member: MemberId) -> bool:
    """Return whether somebody answers for a tenant now, as its own plane says. Raises: OutsideError."""
    scope = scope_of_sender(row.id, row.plane, now=house.clock.now())
    with house.store.read() as unit, tenant_data(house, unit, scope) as plane:
        found = plane.member(member)
    return found is not None and found.is_active and found.role in ADMINISTRATOR_ROLES
