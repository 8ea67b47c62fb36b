"""Freezes for attacks: set as the kill switch sets them, past its form."""

from console.domain.freezes import Freeze, FreezeScope
from console.domain.ids import FreezeId, ReasonCode
from console.domain.leases import LeaseEnd
from console.domain.reasons import Reason
from tests.attacks.door import Door
from tests.web.cast import PEOPLE


def freeze(door: Door, scope: FreezeScope = FreezeScope.ALL, subject: str = "", name: str = "Everything") -> FreezeId:
    """Freeze, and close what lies under it; return its id."""
    house = door.cast.house
    made = FreezeId(house.ids.new("frz"))
    with house.store.write() as unit:
        now = house.clock.now()
        unit.freezes.claim()
        for lease in unit.leases.open_under(scope, subject, limit=50):
            unit.leases.end(lease.id, by=LeaseEnd.FROZEN, at=now)
        unit.freezes.add(
            Freeze(
                id=made, scope=scope, subject=subject, name=name, is_drill=False, set_by=PEOPLE["on_call"].id,
                set_at=now, reason=Reason(code=ReasonCode("CONTAINMENT"), reference="INC-2301"),
            )
        )  # fmt: skip
    return made
