"""The double read: a tenant's objects are asked for again, and only what is still there, word for word, is believed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta

from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind
from console.domain.errors import UnreadableObjectError
from console.domain.reconciling.books import ObjectRef, TenantBooks
from console.domain.reconciling.findings import Candidate, FindingId
from console.domain.reconciling.runs import AGELESS, How, Reconciliation
from console.ports.billing import ProviderPage
from console.ports.inbound import Verified
from console.usecases.assemble_books import ProviderSide
from console.usecases.find_gaps import listed_pages
from console.usecases.house import House
from console.usecases.note_findings import Seen

_NOT_FETCHED = frozenset({ObjectKind.PRICE})  # the whole catalogue was pulled, and nothing in it moves by itself
_MOST_LOOKS = 4
_AT_ONCE = 100

Look = Callable[[], Sequence[Candidate]]


def looked_again(first: Sequence[Candidate], look: Look) -> Sequence[Candidate]:
    """Return what two looks in a row said in the same words; while the provider works, more than two may be needed.

    Two lists are never read at one moment: a payment between them makes sums differ, but not twice in the same way.
    """
    before, same = first, list[Candidate]()
    for _ in range(_MOST_LOOKS):
        now = persisting(before, look())
        said = {each.id: each for each in before}
        same = [each for each in now if _words(each) == _words(said[each.id])]
        if len(same) == len(now):
            break
        before = now
    return same


def _words(candidate: Candidate) -> tuple[object, ...]:
    return candidate.ours, candidate.theirs, candidate.at_risk_minor, candidate.currency, dict(candidate.params)


def listed_again(
    house: House, run: Reconciliation, customers: Iterable[str], wanted: Iterable[ObjectRef]
) -> ProviderSide:
    """Return what the provider has of some customers now, what was made meanwhile too, and what else is wanted.

    Raises: OutsideError when it is silent.
    """
    fresh = ProviderSide()
    for customer in customers:
        for page in _pages(house, run, customer):
            objects = {(each.kind, each.thing.id): each.thing for each in page.items if not each.is_deleted}
            unreadable = {(each.kind, each.id): each.why for each in page.unreadable}
            fresh = ProviderSide(
                objects={**fresh.objects, **objects}, unreadable={**fresh.unreadable, **unreadable}
            )  # fmt: skip
    listed = {*fresh.objects, *fresh.unreadable}
    return fetched_again(house, fresh, (ref for ref in wanted if ref not in listed))


def _pages(house: House, run: Reconciliation, customer: str) -> Iterator[ProviderPage]:
    found = house.provider.fetch(ObjectKind.CUSTOMER, customer)
    yield ProviderPage(items=() if found is None else (found,), after=None)
    for kind in (each for each in OF_CUSTOMERS if each is not ObjectKind.CUSTOMER):
        since = None if kind in AGELESS else run.window_from
        after, is_over = None, False
        while not is_over:
            page = house.provider.page(kind, customer=customer, since=since, after=after, limit=_AT_ONCE)
            yield page
            after, is_over = page.after, page.after is None


def told_of_lately(house: House, *, since: datetime) -> frozenset[str]:
    """Return the objects about which providers made an event since then: the mirror may be about to follow."""
    told: set[str] = set()
    for provider, events in sorted(house.provider_events.items()):
        verifier = house.inbound_verifiers.get(provider)
        if verifier is None:
            continue
        said = (verifier.listed(event) for page in listed_pages(events, since=since) for event in page)
        told |= {each.object_id for each in said if isinstance(each, Verified) and each.object_id is not None}
    return frozenset(told)


def named_objects(candidates: Iterable[Candidate], *sides: Mapping[ObjectRef, object]) -> list[ObjectRef]:
    """Return what candidates name, and what hangs on it or on which it hangs, in order.

    A payment that was made between two lists changes its invoice too: both are asked for again.
    """
    ids = {name for candidate in candidates for name in candidate.objects}
    known: dict[ObjectRef, object] = {}
    for side in sides:
        known |= side
    named = {ref for ref in known if ref[1] in ids}
    touched = {name for ref in named for name in _mentions(known[ref])}
    near = {ref for ref, thing in known.items() if ref[1] in touched or not ids.isdisjoint(_mentions(thing))}
    return sorted(
        (ref for ref in named | near if ref[0] not in _NOT_FETCHED), key=lambda ref: (ref[0].value, ref[1])
    )  # fmt: skip


def fetched_again(house: House, side: ProviderSide, wanted: Iterable[ObjectRef]) -> ProviderSide:
    """Return a side with some objects as the provider has them now. Raises: OutsideError when it is silent."""
    objects, unreadable = dict(side.objects), dict(side.unreadable)
    for kind, thing in wanted:
        objects.pop((kind, thing), None)
        unreadable.pop((kind, thing), None)
        try:
            snapshot = house.provider.fetch(kind, thing)
        except UnreadableObjectError as broken:
            unreadable[kind, thing] = str(broken.facts.get("why", broken))
            continue
        if snapshot is not None and not snapshot.is_deleted:
            objects[kind, thing] = snapshot.thing
    return ProviderSide(objects=objects, unreadable=unreadable, digests=side.digests)


def persisting(first: Sequence[Candidate], second: Sequence[Candidate]) -> list[Candidate]:
    """Return what was seen both times, as it was seen the second time."""
    again = {candidate.id for candidate in first}
    return [candidate for candidate in second if candidate.id in again]


def taken_as(candidate: Candidate, books: TenantBooks, *, before: frozenset[FindingId], window: timedelta) -> Seen:
    """Return how a candidate that persisted counts: passing states wait for the next run, young ones for their event.

    Shape: `before` are the sightings of the run before over the same ground.
    """
    if candidate.settles and candidate.id not in before:
        return Seen(candidate=candidate, how=How.SETTLING)
    is_young = candidate.happened_at is None or books.now - candidate.happened_at < window
    is_waited_for = not books.pending.isdisjoint(candidate.objects)
    return Seen(candidate=candidate, how=How.IN_FLIGHT if is_young and is_waited_for else How.SEEN)


def _mentions(thing: object) -> set[str]:
    """Return the texts that may be ids within an object: its own fields, and those of its parts."""
    found: set[str] = set()
    for each in fields(thing) if is_dataclass(thing) else ():
        value = getattr(thing, each.name)
        if isinstance(value, str):
            if each.name not in {"id", "customer"}:
                found.add(value)
        elif isinstance(value, tuple):
            found |= {name for part in value for name in _mentions(part)}
    return found
