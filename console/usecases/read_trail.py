"""Read the trail: pages, one entry, the newest checkpoint; every reading is itself an entry."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.decisions import Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import EntryUid
from console.domain.staff import Actor
from console.ports.trail import EntryFilter, StoredCheckpoint, StoredEntry
from console.usecases.asking import ask, query, refusal_of
from console.usecases.house import House
from console.usecases.recording import emit, refuse

_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPage:
    """Entries newest first; `older` is the row id to ask for what follows."""

    entries: Sequence[StoredEntry]
    older: int | None
    checkpoint: StoredCheckpoint | None


def read_trail(house: House, actor: Actor, *, wanted: EntryFilter, before: int | None) -> TrailPage | Deny:
    """Return one page of the trail across tenants."""
    now = house.clock.now()
    refusal = _refusal(house, actor)
    if refusal is not None:
        return refusal
    with house.store.write() as unit:
        found = unit.reader.page(wanted, before=before, limit=_PAGE + 1)
        emit(
            unit,
            actor,
            "trail.read",
            at=now,
            exposure=Exposure(records=min(len(found), _PAGE), fields=("entry",)),
            facts={name: str(value) for name, value in _given(wanted).items()},
        )
        return TrailPage(
            entries=found[:_PAGE],
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
            checkpoint=unit.reader.latest_checkpoint(),
        )


def read_entry(house: House, actor: Actor, *, uid: EntryUid) -> StoredEntry | Deny:
    """Return one entry whole. Raises: NotFoundError."""
    now = house.clock.now()
    refusal = _refusal(house, actor)
    if refusal is not None:
        return refusal
    with house.store.write() as unit:
        entry = unit.reader.one(uid)
        if entry is None:
            raise NotFoundError("There is no such entry.")
        emit(
            unit,
            actor,
            "trail.read",
            at=now,
            exposure=Exposure(records=1, fields=("entry",)),
            targets=(TargetRef(type="entry", id=uid),),
        )
    return entry


def _refusal(house: House, actor: Actor) -> Deny | None:
    refusal = refusal_of(ask(house, query(actor, "trail.read", now=house.clock.now(), facts={"scope": "all"})))
    if not isinstance(refusal, Deny):
        return None
    refuse(house, actor, "trail.read_refused", refusal)
    return refusal


def _given(wanted: EntryFilter) -> dict[str, object]:
    names = ("tenant", "actor", "action", "outcome", "target", "correlation", "since", "until")
    return {name: getattr(wanted, name) for name in names if getattr(wanted, name) is not None}
