"""Take a provider's webhook in: verified, kept once, and queued for processing in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.entries import TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import InboundId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.jobs import JobDraft
from console.domain.staff import Origin
from console.ports.inbound import Verified
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.strangers import tell_of_stranger

PROCESS_JOB = "inbound.process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The event is kept. Shape: `is_new` is False for one that came before; then nothing was stored or queued."""

    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBelieved:
    """The call does not come from the provider, or cannot be read; nothing was stored."""

    because: str


def receive_inbound(
    house: House, *, provider: str, headers: Mapping[str, str], body: bytes, origin: Origin
) -> Received | NotBelieved:
    """Keep an authentic event, once; header names are lower case. Raises: NotFoundError for an unknown provider."""
    verifier = house.inbound_verifiers.get(provider)
    if verifier is None:
        raise NotFoundError("No such provider sends here.")
    now = house.clock.now()
    said = verifier.verified(headers, body, now=now)
    if isinstance(said, str):
        _tell(house, provider, said, origin)
        return NotBelieved(because=said)
    with house.store.write() as unit:
        is_new = keep(house, unit, provider, said, body)
    return Received(is_new=is_new)


def keep(
    house: House, unit: ControlUnit, provider: str, said: Verified, payload: bytes, *, is_fetched: bool = False
) -> bool:
    """Keep an event and queue its processing with this unit's commit; False when it came before."""
    now = house.clock.now()
    event = InboundEvent(
        id=InboundId(house.ids.new("inb")),
        provider=provider,
        account=said.account,
        is_live=said.is_live,
        event_id=said.event_id,
        event_type=said.event_type,
        object_id=said.object_id,
        customer=said.customer,
        made_at=said.made_at,
        received_at=now,
        payload=payload,
        state=InboundState.RECEIVED,
        is_fetched=is_fetched,
    )
    if not unit.inbox.add(event):
        return False
    draft = JobDraft(kind=PROCESS_JOB, key=f"inbound:{event.id}", payload={"event": event.id}, queue="inbound")
    unit.jobs.add(draft, at=now)
    return True


def _tell(house: House, provider: str, because: str, origin: Origin) -> None:
    with house.store.write() as unit:
        tell_of_stranger(
            house,
            unit,
            "inbound.refused",
            at=house.clock.now(),
            origin=origin,
            error=because,
            targets=(TargetRef(type="provider", id=provider),),
        )
