"""Record what strangers are refused: each of the first in a minute, the rest of a flood as one entry with a count."""

from datetime import datetime
from typing import Any

from console.domain.addresses import network_of
from console.domain.decisions import DenyCode
from console.domain.entries import STRANGER, ActorRef, Authorisation
from console.domain.staff import Origin
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.recording import emit_as

_TOLD, _COUNTED = "stranger_told", "stranger_counted"


def tell_of_stranger(
    house: House,
    unit: ControlUnit,
    action: str,
    *,
    at: datetime,
    origin: Origin,
    who: ActorRef = STRANGER,
    **marks: Any,  # noqa: ANN401  fields of EntryDraft
) -> None:
    """Write one entry, or count where this network has filled its minute; `sum_up_strangers` writes the count."""
    key = f"{action} {network_of(origin.ip)}"
    unit.throttles.lock(_TOLD, key)
    told = unit.throttles.count(_TOLD, key, since=_minute(at))
    if told >= house.book.limits.stranger_entries_per_minute:
        unit.throttles.hit(_COUNTED, key, at=at)
        return
    unit.throttles.hit(_TOLD, key, at=at)
    emit_as(unit, who, action, at=at, origin=origin, **marks)


def sum_up_strangers(house: House) -> int:
    """Write one entry for each flood whose minute is over; return how many."""
    now = house.clock.now()
    answer = Authorisation(decision="deny", deny_code=DenyCode.THROTTLED.value, policy_version=house.book.version)
    with house.store.write() as unit:
        unit.throttles.take(_TOLD, before=_minute(now))
        floods = unit.throttles.take(_COUNTED, before=_minute(now))
        for key, count in sorted(floods.items()):
            action, _, network = key.partition(" ")
            facts = {"refused": action, "network": network, "count": count}
            emit_as(unit, STRANGER, "throttle.summed", at=now, authorisation=answer, facts=facts)
    return len(floods)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
