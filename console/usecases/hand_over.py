"""Hand an impersonation over to the product: by a one-use code, bound to the row, the staff session and the browser."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from console.domain.decisions import Deny, DenyCode
from console.domain.field_classes import FieldClass
from console.domain.ids import ImpersonationId
from console.domain.impersonations import Impersonation
from console.domain.product_tokens import HandOffCode, digest_of, is_challenge, is_state
from console.domain.staff import Actor
from console.domain.workspace import Member
from console.ports.planes import TenantPlane
from console.ports.product import Product
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.house import House
from console.usecases.impersonation_standing import expire_impersonation_in, targets_of, ticket_of, why_over
from console.usecases.know_product import connected_product
from console.usecases.opened_tenant import Opened, one, read_opened
from console.usecases.recording import emit, refuse, tenant_ref

_NOT_YOURS = denied(
    DenyCode.NOT_YOURS, "You began no such impersonation in this browser.", "Start one from the tenant's members."
)
_MALFORMED = denied(
    DenyCode.BAD_PARAMETER, "This is not how the product asks for a hand-over.", "Begin again from the console."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the product's way in sent along: who it is, its state, and the challenge of the browser."""

    client_id: str
    state: str
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """What the page shows before the button: whom one becomes, how, and until when."""

    opened: Opened
    row: Impersonation
    member: Member | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """Where the browser carries the code."""

    address: str


def read_hand_off(
    house: House, actor: Actor, *, impersonation: ImpersonationId, wish: Wish
) -> HandOff | Deny:  # fmt: skip
    """Return what a hand-over would do; the looking is recorded. Raises: NotFoundError without a product."""
    row = _ready(house, actor, connected_product(house), impersonation, wish)
    if isinstance(row, Deny):
        return row

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> HandOff:
        return HandOff(opened=opened, row=row, member=plane.member(row.member))

    return read_opened(house, actor, row.tenant, page="hand-off", read=read, records=one, shows=(FieldClass.NAMED,))


def hand_over(
    house: House, actor: Actor, *, impersonation: ImpersonationId, wish: Wish
) -> HandedOver | Deny:  # fmt: skip
    """Return the product's address with a fresh one-use code. Raises: NotFoundError where no product is connected."""
    product = connected_product(house)
    row = _ready(house, actor, product, impersonation, wish)
    if isinstance(row, Deny):
        return row
    code, now = house.ids.token(), house.clock.now()
    with house.store.write() as unit:
        unit.impersonations.add_code(
            HandOffCode(
                digest=digest_of(code),
                impersonation=row.id,
                session=row.session,
                challenge=wish.challenge,
                made_at=now,
                until=now + timedelta(seconds=house.book.limits.hand_off_seconds),
            )
        )
        emit(
            unit,
            actor,
            "impersonation.handed_over",
            at=now,
            tenant=tenant_ref(unit, row.tenant, source="impersonation"),
            reason=row.reason,
            targets=targets_of(row),
            correlation=row.id,
        )
    query = urlencode({"code": code, "state": wish.state})
    return HandedOver(address=f"{product.address}{product.callback}?{query}")


def _ready(
    house: House, actor: Actor, product: Product, impersonation: ImpersonationId, wish: Wish
) -> Impersonation | Deny:
    """Return the row, if this very session began it and all that it rests on stands; refusals are recorded."""
    with house.store.read() as unit:
        row = unit.impersonations.get(impersonation)
    if row is None or row.staff != actor.staff or row.session != actor.session:
        refuse(house, actor, "impersonation.refused", _NOT_YOURS)
        return _NOT_YOURS
    if wish.client_id != product.client_id or not is_state(wish.state) or not is_challenge(wish.challenge):
        return _refused(house, actor, row, _MALFORMED)
    now = house.clock.now()
    ticket = ticket_of(house, row, now=now)
    with house.store.read() as unit:
        over = why_over(house, unit, row, ticket=ticket, now=now)
    if over is None:
        return row
    with house.store.write() as unit:
        expire_impersonation_in(unit, row, by=over, now=now)
    remedy = "Start another one, where that is still allowed."
    return _refused(house, actor, row, denied(DenyCode.IMPERSONATION_ENDED, over.sentence, remedy))


def _refused(house: House, actor: Actor, row: Impersonation, refusal: Deny) -> Deny:
    with house.store.read() as unit:
        tenant = tenant_ref(unit, row.tenant, source="impersonation")
    refuse(
        house,
        actor,
        "impersonation.refused",
        refusal,
        tenant=tenant,
        reason=row.reason,
        targets=targets_of(row),
        correlation=row.id,
    )
    return refusal
