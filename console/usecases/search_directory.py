"""Search the directory: one box, typed queries, directory fields only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.decisions import Deny, DenyCode
from console.domain.entries import Exposure
from console.domain.ids import TenantId
from console.domain.search_terms import SearchTerms, folded, understood
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow, SearchHit, SearchKind
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query, refusal_of
from console.usecases.house import House
from console.usecases.recording import emit, refuse

_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """What a search found; `is_cut` says that there may be more, `opened` which tenants the actor has open."""

    terms: SearchTerms
    hits: Sequence[SearchHit]
    is_cut: bool
    opened: frozenset[TenantId] = frozenset()


def search_directory(house: House, actor: Actor, *, typed: str) -> SearchAnswer | Deny:
    """Return tenants that match, and record what was looked for."""
    now = house.clock.now()
    terms = understood(typed)
    if not terms.kinds:
        return SearchAnswer(terms=terms, hits=(), is_cut=False)
    decision = ask(house, query(actor, "directory.search", now=now))
    refusal = refusal_of(decision)
    if isinstance(refusal, Deny):
        refuse(house, actor, "route.refused", refusal)
        return refusal
    with house.store.read() as unit:
        is_throttled = _is_throttled(house, unit, actor, now)
    hits = () if is_throttled else house.fleet.search(terms, limit=_MOST + 1)
    with house.store.write() as unit:
        shown = min(len(hits), _MOST)
        if not is_throttled and _counts(house, unit, actor, now=now, shown=shown, facts=_looked_for(house, terms)):
            leases = [lease for lease in unit.leases.open_of(actor.staff) if lease.ended_because(now) is None]
            opened = frozenset(lease.tenant for lease in leases)
            return SearchAnswer(terms=terms, hits=hits[:_MOST], is_cut=len(hits) > _MOST, opened=opened)
    return _slow(house, actor)


def look_up(house: House, actor: Actor, row: DirectoryRow) -> Deny | None:
    """Record and count that somebody is shown one row of the directory by its address, as if they had searched for it.

    Shape: else whoever tries addresses would list the customers without leaving anything.
    """
    now = house.clock.now()
    with house.store.write() as unit:
        facts = {"query": row.slug, "kinds": SearchKind.SLUG.value}
        if _counts(house, unit, actor, now=now, shown=1, facts=facts):
            return None
    return _slow(house, actor)


def _counts(
    house: House, unit: ControlUnit, actor: Actor, *, now: datetime, shown: int, facts: Mapping[str, str]
) -> bool:
    """Count and record one look into the directory; False, and nothing of both, where there were too many."""
    unit.throttles.lock("search", actor.staff)
    if _is_throttled(house, unit, actor, now):
        return False
    unit.throttles.hit("search", actor.staff, at=now)
    exposure = Exposure(records=shown, fields=("directory",))
    emit(unit, actor, "directory.search", at=now, exposure=exposure, facts=facts)
    return True


def _slow(house: House, actor: Actor) -> Deny:
    slow = denied(DenyCode.THROTTLED, "You are searching faster than a person reads.", "Wait a minute.")
    refuse(house, actor, "throttle.refused", slow, facts={"bucket": "search"})
    return slow


def _is_throttled(house: House, unit: ControlUnit, actor: Actor, now: datetime) -> bool:
    recent = unit.throttles.count("search", actor.staff, since=now - timedelta(minutes=1))
    return recent >= house.book.limits.searches_per_minute


def _looked_for(house: House, terms: SearchTerms) -> dict[str, str]:
    """Return the text, or of an address its keyed digest: whoever has the key can ask for one, nobody can read one."""
    kinds = ",".join(terms.kinds)
    if terms.is_personal:
        return {"query_digest": house.fingerprints.of(folded(terms.text)), "kinds": kinds}
    return {"query": terms.text, "kinds": kinds}
