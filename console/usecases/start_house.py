"""Opening and closing the house: which policy and settings are in force, and whether every quorum can be met."""

from console.domain.entries import SYSTEM_ACTOR
from console.usecases.examine_house import Level, quorums
from console.usecases.house import House
from console.usecases.recording import emit_as


def start_house(house: House, *, settings_digest: str) -> tuple[str, ...]:
    """Record the start; return a warning for every quorum that today's staff cannot meet."""
    now = house.clock.now()
    with house.store.write() as unit:
        emit_as(unit, SYSTEM_ACTOR, "server.started", at=now)
        emit_as(
            unit,
            SYSTEM_ACTOR,
            "policy.loaded",
            at=now,
            facts={"version": house.book.version, "rules": len(house.book.rules)},
        )
        emit_as(unit, SYSTEM_ACTOR, "settings.loaded", at=now, facts={"digest": settings_digest})
        return tuple(found.sentence for found in quorums(house, unit) if found.level is Level.WARN)


def stop_house(house: House) -> None:
    """Record an orderly stop."""
    with house.store.write() as unit:
        emit_as(unit, SYSTEM_ACTOR, "server.stopped", at=house.clock.now())
