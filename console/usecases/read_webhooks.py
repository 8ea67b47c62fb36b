"""A tenant's webhooks as staff see them: endpoints and their health, deliveries, attempts, dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from console.domain.decisions import Deny
from console.domain.entries import TargetRef
from console.domain.errors import NotFoundError
from console.domain.field_classes import FieldClass, shown
from console.domain.header_redaction import redacted_headers
from console.domain.ids import DeliveryId, EndpointId, TenantId
from console.domain.redaction import masked_answer, masked_payload
from console.domain.replays import Run
from console.domain.staff import Actor
from console.domain.webhooks import Attempt, DeadLetters, Delivery, Endpoint, EndpointKey, Health, Message
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.ports.webhooks import DeliveryFilter
from console.usecases.house import House
from console.usecases.opened_tenant import Opened, read_opened
from console.usecases.read_replays import planners

HEALTH_HOURS = 24
_MOST_ENDPOINTS = 20  # whose health is drawn; a tenant with more sees the others without
_MOST_ATTEMPTS = 50
_MOST_GROUPS = 200
_MOST_TYPES = 200
_LATEST = 15
_RUNS = 5
_PAGE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLine:
    """An endpoint with what came of its attempts in the last hours, and how many deliveries it has lost."""

    endpoint: Endpoint
    health: Sequence[Health]
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksPage:
    """The first page of a tenant's webhooks."""

    opened: Opened
    lines: Sequence[EndpointLine]
    dead: Sequence[DeadLetters]
    runs: Sequence[Run]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPage:
    """One endpoint: its keys, its health, what it was last told, and what it never got."""

    opened: Opened
    endpoint: Endpoint
    keys: Sequence[EndpointKey]
    health: Sequence[Health]
    deliveries: Sequence[Delivery]
    dead: Sequence[DeadLetters]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesPage:
    """One keyset page of deliveries; `older` is the last one shown, to go on after it."""

    opened: Opened
    deliveries: Sequence[Delivery]
    older: DeliveryId | None
    endpoints: Sequence[Endpoint]
    event_types: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """One delivery with every attempt; the payload is masked before it comes here, None once it has expired."""

    opened: Opened
    delivery: Delivery
    endpoint: Endpoint | None
    message: Message | None
    payload: str | None
    payload_bytes: int
    attempts: Sequence[Attempt]
    siblings: Sequence[Delivery]
    endpoints: Mapping[EndpointId, Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersPage:
    """Exhausted deliveries by endpoint and by the way they failed."""

    opened: Opened
    dead: Sequence[DeadLetters]
    endpoints: Sequence[Endpoint]


def read_endpoints(house: House, actor: Actor, *, tenant: TenantId) -> WebhooksPage | Deny:
    """Return a tenant's endpoints with their health. Raises: NotFoundError for an unknown tenant."""
    now = house.clock.now()

    def read(unit: ControlUnit, opened: Opened, plane: TenantPlane) -> WebhooksPage:
        book = plane.webhooks
        runs = book.runs(limit=_RUNS)
        dead = book.dead_letters(limit=_MOST_GROUPS)
        lines = [
            EndpointLine(
                endpoint=endpoint,
                health=book.health(endpoint.id, since=now - timedelta(hours=HEALTH_HOURS), until=now)
                if number < _MOST_ENDPOINTS
                else (),
                dead=sum(group.count for group in dead if group.endpoint == endpoint.id),
            )
            for number, endpoint in enumerate(book.endpoints())
        ]
        return WebhooksPage(opened=opened, lines=lines, dead=dead, runs=runs, names=planners(unit, runs))

    return read_opened(house, actor, tenant, page="webhooks", read=read, records=_of_webhooks)


def read_endpoint(house: House, actor: Actor, *, tenant: TenantId, endpoint: EndpointId) -> EndpointPage | Deny:
    """Return one endpoint. Raises: NotFoundError for an unknown tenant or endpoint."""
    now = house.clock.now()

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> EndpointPage:
        book = plane.webhooks
        found = book.endpoint(endpoint)
        if found is None:
            raise NotFoundError("There is no such endpoint on this tenant.")
        return EndpointPage(
            opened=opened,
            endpoint=found,
            keys=book.keys(endpoint, now=now),
            health=book.health(endpoint, since=now - timedelta(hours=HEALTH_HOURS), until=now),
            deliveries=book.deliveries(DeliveryFilter(endpoint=endpoint), before=None, limit=_LATEST),
            dead=[group for group in book.dead_letters(limit=_MOST_GROUPS) if group.endpoint == endpoint],
        )

    about = (TargetRef(type="webhook_endpoint", id=endpoint),)
    return read_opened(house, actor, tenant, page="endpoint", read=read, records=_of_endpoint, about=about)


def read_deliveries(
    house: House, actor: Actor, *, tenant: TenantId, which: DeliveryFilter, before: DeliveryId | None
) -> DeliveriesPage | Deny:
    """Return one page of deliveries, newest first. Raises: NotFoundError for an unknown tenant."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> DeliveriesPage:
        book = plane.webhooks
        found = book.deliveries(which, before=before, limit=_PAGE + 1)
        return DeliveriesPage(
            opened=opened,
            deliveries=found[:_PAGE],
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
            endpoints=book.endpoints(with_deleted=True),
            event_types=book.event_types(limit=_MOST_TYPES),
        )

    return read_opened(house, actor, tenant, page="deliveries", read=read, records=lambda page: len(page.deliveries))


def read_delivery(house: House, actor: Actor, *, tenant: TenantId, delivery: DeliveryId) -> DeliveryPage | Deny:
    """Return one delivery with its attempts. Raises: NotFoundError for an unknown tenant or delivery."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> DeliveryPage:
        book = plane.webhooks
        found = book.delivery(delivery)
        if found is None:
            raise NotFoundError("There is no such delivery on this tenant.")
        message = book.message(found.message)
        payload = None if message is None else message.payload
        endpoints = {endpoint.id: endpoint for endpoint in book.endpoints(with_deleted=True)}
        return DeliveryPage(
            opened=opened,
            delivery=found,
            endpoint=endpoints.get(found.endpoint),
            message=message,
            payload=None if payload is None else masked_payload(payload),
            payload_bytes=0 if payload is None else len(payload),
            attempts=[_scrubbed(each) for each in book.attempts(delivery, limit=_MOST_ATTEMPTS)],
            siblings=[other for other in book.deliveries_of(found.message) if other.id != found.id],
            endpoints=endpoints,
        )

    about = (TargetRef(type="webhook_delivery", id=delivery),)
    return read_opened(
        house, actor, tenant, page="delivery", read=read, records=lambda page: 1 + len(page.attempts),
        shows=(FieldClass.BUSINESS, FieldClass.MIXED), about=about,
    )  # fmt: skip


def _scrubbed(attempt: Attempt) -> Attempt:
    """Return an attempt as it may be read: a receiver can answer with anything, with what it was sent too."""
    answer = shown("plane_webhook_attempt.got_body", attempt.got_body)
    return replace(
        attempt,
        error=shown("plane_webhook_attempt.error", attempt.error),
        got_body=None if answer is None else masked_answer(answer),
        sent_headers=redacted_headers(attempt.sent_headers),
        got_headers=redacted_headers(attempt.got_headers),
    )


def read_dead_letters(house: House, actor: Actor, *, tenant: TenantId) -> DeadLettersPage | Deny:
    """Return what gave up, grouped. Raises: NotFoundError for an unknown tenant."""

    def read(_unit: ControlUnit, opened: Opened, plane: TenantPlane) -> DeadLettersPage:
        book = plane.webhooks
        return DeadLettersPage(
            opened=opened,
            dead=book.dead_letters(limit=_MOST_GROUPS),
            endpoints=book.endpoints(with_deleted=True),
        )

    return read_opened(house, actor, tenant, page="dead letters", read=read, records=lambda page: len(page.dead))


def _of_webhooks(page: WebhooksPage) -> int:
    return len(page.lines) + len(page.dead) + len(page.runs)


def _of_endpoint(page: EndpointPage) -> int:
    return 1 + len(page.keys) + len(page.deliveries) + len(page.dead)
