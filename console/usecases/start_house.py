"""Opening and closing the house: which policy and settings are in force, and whether every quorum can be met."""

from datetime import datetime

from console.domain.canonical import parse_canonical
from console.domain.entries import SYSTEM_ACTOR
from console.domain.staff import Role
from console.ports.store import ControlUnit
from console.ports.trail import EntryFilter
from console.usecases.examine_house import Level, quorums
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.recording import emit_as

_TOLD = (Role.ADMINISTRATOR, Role.SECURITY_AUDITOR)
_SHOWN = 12


def start_house(house: House, *, settings_digest: str) -> tuple[str, ...]:
    """Record the start; return a warning for every quorum that today's staff cannot meet."""
    now = house.clock.now()
    with house.store.write() as unit:
        emit_as(unit, SYSTEM_ACTOR, "server.started", at=now)
        _note_change_of_policy(house, unit, now)
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


def _note_change_of_policy(house: House, unit: ControlUnit, now: datetime) -> None:
    """Record that another policy is in force than at the last start, and tell those who answer for it."""
    last = unit.reader.page(EntryFilter(action="policy.loaded"), before=None, limit=1)
    before = _loaded(last[0].body) if last else None
    if before is None or before[0] == house.book.version:
        return
    version, rules = before
    facts = {"before": version, "after": house.book.version, "rules_before": rules, "rules": len(house.book.rules)}
    emit_as(unit, SYSTEM_ACTOR, "policy.changed", at=now, facts=facts)
    sentence = f"The policy in force changed from {version[:_SHOWN]} to {house.book.version[:_SHOWN]}."
    for member in unit.staff.eligible(_TOLD):
        tell(house, unit, member.id, kind="policy_changed", sentence=sentence, path="/policy", at=now)


def _loaded(body: bytes) -> tuple[str, int] | None:
    read = parse_canonical(body)
    facts = read.get("facts") if isinstance(read, dict) else None
    if not isinstance(facts, dict):
        return None
    return str(facts.get("version", "")), int(str(facts.get("rules", 0)))
