"""Who calls as the product, and how what it is refused gets into the trail."""

from dataclasses import dataclass
from datetime import timedelta

from console.domain.addresses import network_of
from console.domain.entries import ActorKind, ActorRef
from console.domain.errors import NotFoundError
from console.domain.impersonations import Impersonation
from console.domain.staff import Origin
from console.ports.product import Product
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.impersonation_standing import targets_of
from console.usecases.recording import tenant_ref
from console.usecases.strangers import tell_of_stranger

_BUCKET = "product_client"
WRONG_CLIENT = "client_not_believed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTheProduct:
    """The caller does not know name and secret. Shape: `is_slowed` once its network has tried too often."""

    is_slowed: bool


def connected_product(house: House) -> Product:
    """Return the product that is connected. Raises: NotFoundError where there is none."""
    if house.product is None:
        raise NotFoundError("No product is connected here.")
    return house.product


def known_product(house: House, *, client_id: str, secret: str, origin: Origin) -> Product | NotTheProduct:
    """Return the product when it is the one that calls; every failure is counted and recorded. Raises: NotFoundError.

    Shape: whoever knows the secret gets through however often others failed: it cannot be guessed, and a stranger of
    the same network must not lock the product out.
    """
    product = connected_product(house)
    if product.is_called_by(client_id, secret):
        return product
    now, network = house.clock.now(), network_of(origin.ip)
    since = now - timedelta(minutes=house.book.limits.sign_in_window_minutes)
    with house.store.write() as unit:
        unit.throttles.lock(_BUCKET, network)
        tries = unit.throttles.count(_BUCKET, network, since=since)
        unit.throttles.hit(_BUCKET, network, at=now)
        tell_of_stranger(house, unit, "product.refused", at=now, origin=origin, error=WRONG_CLIENT)
    return NotTheProduct(is_slowed=tries >= house.book.limits.sign_in_address_tries)


def product_actor(product: Product) -> ActorRef:
    """Return the product as entries name it."""
    return ActorRef(id=product.client_id, kind=ActorKind.SERVICE, name="The product")


def refuse_product_in(
    house: House,
    unit: ControlUnit,
    product: Product,
    *,
    because: str,
    origin: Origin,
    row: Impersonation | None = None,
) -> None:
    """Record what the product was refused; a flood, which any browser can make it send, is summed up."""
    marks = {} if row is None else {
        "tenant": tenant_ref(unit, row.tenant, source="impersonation"),
        "reason": row.reason,
        "targets": targets_of(row),
        "correlation": row.id,
    }  # fmt: skip
    action = "product.refused" if row is None else "impersonation.refused"
    who = product_actor(product)
    tell_of_stranger(house, unit, action, at=house.clock.now(), origin=origin, who=who, error=because, **marks)
