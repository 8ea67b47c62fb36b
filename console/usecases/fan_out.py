"""Take note of new messages: search finds them, and the product's go to each endpoint that wants them."""

from collections.abc import Sequence

from console.domain.addressing import addressed, wants
from console.domain.ids import DeliveryId, MessageId, PlaneId, TenantId
from console.domain.tenancy import TenantScope
from console.domain.webhooks import Message
from console.ports.webhooks import WebhookBook
from console.usecases.house import House
from console.usecases.scopes import scope_of_sender
from console.usecases.written_tenant import written_tenant

_TENANTS = 64
_MESSAGES = 200


def fan_out(house: House) -> int:
    """Take note of what waits, tenant by tenant, and return how many messages that were."""
    return sum(_fan_out(house, plane, tenant) for plane, tenant in house.webhook_fleet.unfanned(limit=_TENANTS))


def _fan_out(house: House, plane: PlaneId, tenant: TenantId) -> int:
    scope = scope_of_sender(tenant, plane, now=house.clock.now())
    noted = _noted_before(house, scope)
    with written_tenant(house, scope) as written:
        book = written.plane.webhooks
        waiting = book.unfanned(limit=_MESSAGES)
        if written.unit is None:
            waiting = [each for each in waiting if each.id in noted]
        else:
            written.unit.directory.note_messages(tenant, [each.id for each in waiting])
        return _addressed(house, book, waiting)


def _noted_before(house: House, scope: TenantScope) -> frozenset[MessageId]:
    """Write the search keys of messages elsewhere first: a key too early harms nobody, one that is missing does."""
    if house.planes.shares_control(scope.plane):
        return frozenset()
    with house.planes.read(scope) as far:
        waiting = [each.id for each in far.webhooks.unfanned(limit=_MESSAGES)]
    with house.store.write() as unit:
        unit.directory.note_messages(scope.tenant, waiting)
    return frozenset(waiting)


def _addressed(house: House, book: WebhookBook, waiting: Sequence[Message]) -> int:
    now = house.clock.now()
    endpoints = book.endpoints()
    ours = book.addressed_among([each.id for each in waiting])
    count = 0
    for message in waiting:
        deliveries = [
            addressed(message, each, id=DeliveryId(house.ids.new("whd")), at=now)
            for each in endpoints
            if message.id not in ours and wants(each, message.event_type)
        ]
        count += book.fan_out(message.id, deliveries, at=now)
    return count
