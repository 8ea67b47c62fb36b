"""The double read: what a candidate names is fetched again, one by one, and only what is still there is believed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import timedelta

from console.domain.billing.objects import ObjectKind
from console.domain.errors import UnreadableObjectError
from console.domain.reconciling.books import ObjectRef, TenantBooks
from console.domain.reconciling.findings import Candidate, FindingId
from console.domain.reconciling.runs import How
from console.usecases.assemble_books import ProviderSide
from console.usecases.house import House
from console.usecases.note_findings import Seen

_NOT_FETCHED = frozenset({ObjectKind.PRICE})  # the whole catalogue was pulled, and nothing in it moves by itself


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
