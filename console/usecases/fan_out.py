"""Address the messages that the product wrote in its own transactions: a delivery for each endpoint that wants them."""

from console.domain.addressing import addressed, wants
from console.domain.ids import DeliveryId, PlaneId, TenantId
from console.usecases.house import House
from console.usecases.scopes import scope_of_sender
from console.usecases.written_tenant import written_tenant

_TENANTS = 64
_MESSAGES = 200


def fan_out(house: House) -> int:
    """Address what waits, tenant by tenant, and return how many messages that were."""
    return sum(_fan_out(house, plane, tenant) for plane, tenant in house.webhook_fleet.unfanned(limit=_TENANTS))


def _fan_out(house: House, plane: PlaneId, tenant: TenantId) -> int:
    now = house.clock.now()
    with written_tenant(house, scope_of_sender(tenant, plane, now=now)) as written:
        book = written.plane.webhooks
        endpoints = book.endpoints()
        count = 0
        for message in book.unfanned(limit=_MESSAGES):
            deliveries = [
                addressed(message, each, id=DeliveryId(house.ids.new("whd")), at=now)
                for each in endpoints
                if wants(each, message.event_type)
            ]
            count += book.fan_out(message.id, deliveries, at=now)
    return count
