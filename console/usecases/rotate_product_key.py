"""Give the product's tokens a new signing key, from the operator's shell only."""

from console.domain.decisions import Deny, NeedsStepUp
from console.domain.entries import TargetRef
from console.domain.staff import Actor
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.know_product import connected_product
from console.usecases.recording import authorised, emit, refuse

_LOCK = "product_key"


def rotate_product_key(house: House, actor: Actor) -> str | Deny | NeedsStepUp:
    """Return the id of the new key. Raises: NotFoundError where no product is connected.

    Shape: the entry is written first and kept only if the key could be made. Where the database breaks off in the
    commit itself the key stands without it, and whoever asked is told that it may have been done (UncertainError).
    """
    now = house.clock.now()
    decision = ask(house, query(actor, "product.rotate_key", now=now))
    refusal = refusal_of(decision)
    if refusal is not None:
        refuse(house, actor, "product.rotate_refused", refusal)
        return refusal
    product = connected_product(house)
    with house.store.write() as unit:
        unit.throttles.lock(_LOCK, product.client_id)  # else two at once take the older key's file from each other
        emit(
            unit,
            actor,
            "product.key_rotated",
            at=now,
            authorisation=authorised(house, decision),
            targets=(TargetRef(type="product", id=product.client_id),),
        )
        return product.keys.rotate()
