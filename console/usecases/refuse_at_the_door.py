"""Record what the gate refused before any use case was reached: strangers, forged forms, foreign hosts."""

from console.domain.decisions import DenyCode
from console.domain.entries import Authorisation, TargetRef
from console.domain.staff import Actor, Origin
from console.usecases.house import House
from console.usecases.recording import emit
from console.usecases.strangers import tell_of_stranger

ACTIONS = frozenset({"csrf.refused", "host.refused", "route.refused", "throttle.refused", "tenant.read_refused"})


def refuse_at_the_door(
    house: House, actor: Actor | None, *, action: str, code: DenyCode | None, origin: Origin, target: str = ""
) -> None:
    """Record a refusal of the gate, to a staff member or a stranger. Raises: TrailUnavailableError."""
    if action not in ACTIONS:
        raise ValueError(action)
    now = house.clock.now()
    answer = Authorisation(
        decision="deny", deny_code=None if code is None else code.value, policy_version=house.book.version
    )
    targets = (TargetRef(type="route", id=target[:200]),) if target else ()
    with house.store.write() as unit:
        if actor is None:
            tell_of_stranger(house, unit, action, at=now, origin=origin, authorisation=answer, targets=targets)
        else:
            emit(unit, actor, action, at=now, authorisation=answer, targets=targets)
