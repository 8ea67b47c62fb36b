"""What is frozen, what was, and how long the drills took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.decisions import Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.freezes import Freeze, Sighting
from console.domain.ids import FreezeId, StaffId
from console.domain.staff import Actor
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse

_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezesPage:
    """Every freeze that stands, the newest that are over, the newest drills, and who set them.

    Shape: `sightings` are of drills only; `vendors` says how many active people each has.
    """

    now: datetime
    standing: Sequence[Freeze]
    newest: Sequence[Freeze]
    sightings: Mapping[FreezeId, Sequence[Sighting]]
    names: Mapping[StaffId, str]
    vendors: Sequence[tuple[str, int]]


def read_freezes(house: House, actor: Actor) -> FreezesPage | Deny:
    """Return the page of the kill switch, recorded as one look."""
    decision = ask(house, query(actor, "freeze.read", now=house.clock.now()))
    targets = (TargetRef(type="page", id="freezes", name="freezes"),)
    if isinstance(decision, Deny):
        refuse(house, actor, "freeze.read_refused", decision, targets=targets)
        return decision
    with house.store.write() as unit:
        now = house.clock.now()
        standing, newest = unit.freezes.standing(), unit.freezes.newest(limit=_SHOWN)
        emit(
            unit,
            actor,
            "freeze.read",
            at=now,
            authorisation=authorised(house, decision),
            targets=targets,
            exposure=Exposure(records=len(newest), fields=("freeze",)),
        )
        people = {who for each in (*standing, *newest) for who in (each.set_by, each.lifted_by) if who is not None}
        return FreezesPage(
            now=now,
            standing=standing,
            newest=newest,
            sightings={each.id: unit.freezes.sightings(each.id) for each in newest if each.is_drill},
            names={staff: member.name for staff, member in unit.staff.many(people).items()},
            vendors=unit.staff.vendors(),
        )
