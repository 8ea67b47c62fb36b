"""Opening and closing the house: which policy and settings are in force, and whether every quorum can be met."""

from console.domain.entries import SYSTEM_ACTOR
from console.domain.staff import Role
from console.ports.store import ControlUnit
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
        return _unmet(house, unit)


def stop_house(house: House) -> None:
    """Record an orderly stop."""
    with house.store.write() as unit:
        emit_as(unit, SYSTEM_ACTOR, "server.stopped", at=house.clock.now())


def _unmet(house: House, unit: ControlUnit) -> tuple[str, ...]:
    held: dict[Role, int] = {role: len(unit.staff.eligible((role,))) for role in Role}
    warnings = []
    for key, rule in house.book.actions.items():
        for tier, needs in rule.tiers.items():
            for need in needs:
                people = sum(held[role] for role in need.roles)
                if people <= need.count:
                    warnings.append(
                        f"{key}: tier {tier} needs {need.count} of {need.name} besides the requester; {people} exist."
                    )
    return tuple(warnings)
