"""What happened in the demo before anybody signed in: a vendor's agent opened a bank, and security has to say why."""

from console.adapters.demo.staff import DemoPerson
from console.adapters.demo.watched import PROTECTED
from console.app.building import Building
from console.domain.ids import ReasonCode
from console.domain.leases import Lease
from console.domain.reasons import Reason
from console.domain.staff import Actor, Origin
from console.usecases.open_lease import end_lease, open_lease
from console.usecases.watch_trail import watch_trail

_TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48231")


def open_what_is_watched(building: Building, people: tuple[DemoPerson, ...]) -> None:
    """Let somebody of the vendor open the protected tenant and close it again, and let the rules see it."""
    house = building.house
    lent = next((person for person in people if person.vendor), None)
    with house.store.read() as unit:
        member = None if lent is None else unit.staff.by_email(lent.email)
        rows = [row for slug in sorted(PROTECTED) if (row := unit.directory.by_slug(slug)) is not None]
    if member is not None:
        actor = Actor(
            staff=member.id,
            person=member.person,
            name=member.name,
            email=member.email,
            roles=member.roles,
            kind=member.kind,
            origin=Origin(route="demo"),
        )
        for row in rows:
            lease = open_lease(house, actor, tenant=row.id, reason=_TICKET, minutes=None)
            if isinstance(lease, Lease):
                end_lease(house, actor, lease=lease.id)
    while building.sequencer.run_once():
        pass
    while watch_trail(house):
        pass
