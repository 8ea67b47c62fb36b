"""Compare what providers say they made with what came: what never came is fetched, and marked as such."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from console.domain.entries import SYSTEM_ACTOR, Exposure, TargetRef
from console.domain.jobs import Job
from console.ports.inbound import InboundVerifier, ListedEvent, ProviderEvents, Verified
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.job_outcomes import Done
from console.usecases.receive_inbound import keep
from console.usecases.recording import emit_as

GAPS_JOB = "inbound.find_gaps"
GAPS_EVERY_S = 900
LOOKS_BACK = timedelta(days=4)  # Stripe tries for three days; after that nothing comes by itself
STILL_COMING = timedelta(minutes=10)
_PAGE = 100
_MOST_PAGES = 100


def find_gaps(house: House, _job: Job) -> Done:
    """Fetch into the inbox what every provider made and never delivered. Raises: OutsideError."""
    for provider, events in sorted(house.provider_events.items()):
        verifier = house.inbound_verifiers.get(provider)
        if verifier is not None:
            _fill(house, provider, events, verifier)
    return Done()


def _fill(house: House, provider: str, events: ProviderEvents, verifier: InboundVerifier) -> None:
    now = house.clock.now()
    for page in listed_pages(events, since=now - LOOKS_BACK):
        due = [event for event in page if event.made_at <= now - STILL_COMING]
        with house.store.read() as unit:
            missing = missing_of(unit, provider, due, verifier)
        if missing:
            _fetch(house, provider, missing)


def listed_pages(events: ProviderEvents, *, since: datetime) -> Iterable[Sequence[ListedEvent]]:
    """Yield the provider's list, each page behind the last event of the one before; what brings nothing new ends it.

    Shape: by the event, not by its moment, which providers round to a second that may hold more than a page.
    """
    seen: set[str] = set()
    last: str | None = None
    for _ in range(_MOST_PAGES):
        page = [event for event in events.since(since, limit=_PAGE, after=last) if event.event_id not in seen]
        if not page:
            return
        yield page
        seen.update(event.event_id for event in page)
        last = page[-1].event_id


def missing_of(
    unit: ControlUnit, provider: str, listed: Iterable[ListedEvent], verifier: InboundVerifier
) -> list[tuple[Verified, bytes]]:
    """Return those listed events that the inbox never saw, with what each says of itself."""
    by_account: dict[tuple[str, bool], dict[str, tuple[Verified, bytes]]] = defaultdict(dict)
    for event in listed:
        said = verifier.listed(event)
        if isinstance(said, Verified):
            by_account[said.account, said.is_live][said.event_id] = (said, event.payload)
    missing = []
    for (account, is_live), said_by_id in by_account.items():
        known = unit.inbox.known(provider, account, is_live, sorted(said_by_id))
        missing += [pair for event_id, pair in said_by_id.items() if event_id not in known]
    return missing


def _fetch(house: House, provider: str, missing: Iterable[tuple[Verified, bytes]]) -> None:
    with house.store.write() as unit:
        kept = sum(keep(house, unit, provider, said, payload, is_fetched=True) for said, payload in missing)
        if kept:
            emit_as(
                unit,
                SYSTEM_ACTOR,
                "inbound.gap_found",
                at=house.clock.now(),
                exposure=Exposure(records=kept),
                targets=(TargetRef(type="provider", id=provider),),
            )
