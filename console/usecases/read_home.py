"""The work queue of one person, and what the frame around every page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.decisions import Deny, Query
from console.domain.freezes import Freeze
from console.domain.ids import TenantId
from console.domain.impersonations import Impersonation
from console.domain.leases import Lease
from console.domain.reviews import Coverage
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.leases import TenantBudget
from console.ports.outbox import Notice
from console.usecases.asking import ask_many, query, shown_to
from console.usecases.house import House
from console.usecases.read_findings import FindingCounts, count_findings
from console.usecases.read_requests import Line, as_open_to, lines_of
from console.usecases.read_reviews import review_figures, reviews_owed
from console.usecases.read_signals import count_signals
from console.usecases.recording import emit

_SHOWN = 8
_COUNT_AT_MOST = 99

_ANY = TenantId("ten_any")  # stands for whichever tenant they would open

PAGES = {
    "search": ("directory.search", {}),
    "tenants": ("tenant.read", {"page": "overview"}),
    "requests": ("request.list", {}),
    "trail": ("trail.read", {"scope": "all"}),
    "staff": ("staff.read", {}),
    "policy": ("policy.read", {}),
    "operations": ("job.read", {}),
    "signals": ("signal.read", {}),
    "access": ("access.read", {}),
    "freezes": ("freeze.read", {}),
    "reviews": ("review.read", {}),
    "periods": ("period.read", {}),
    "reconciliation": ("reconciliation.read", {"page": "runs"}),
    "findings": ("reconciliation.read", {"page": "findings"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What waits for a person, and what they have running.

    Units: `tenants_per_hour` and `tenants_per_day` are distinct tenants, top-ups not counted in.
    Shape: `findings` is None for somebody who does not reconcile, `signals` (to 99) for somebody who may not read them,
    `reviews` for somebody who does not judge; `owed` is until when each review of one's own is due, the earliest first.
    """

    waiting: Sequence[Line]
    mine: Sequence[Line]
    leases: Sequence[tuple[Lease, DirectoryRow | None]]
    notices: Sequence[Notice]
    budget: TenantBudget
    tenants_per_hour: int
    tenants_per_day: int
    may_open: bool
    findings: FindingCounts | None
    signals: int | None
    reviews: Coverage | None
    owed: Sequence[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What the frame around every page shows: which pages may be opened, how much waits (to 99), and what is frozen.

    Shape: `acting` is one's own running impersonation, by its own clocks, and on which tenant.
    """

    pages: frozenset[str]
    waiting: int
    acting: tuple[Impersonation, DirectoryRow | None] | None
    frozen: Freeze | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the command palette starts from: which pages may be opened, and the leases that are open."""

    pages: frozenset[str]
    leases: Sequence[tuple[Lease, DirectoryRow | None]]


def read_home(house: House, actor: Actor) -> Home:
    """Return the actor's work queue."""
    now = house.clock.now()
    limits = house.book.limits
    with house.store.write() as unit:
        emit(unit, actor, "home.read", at=now)
        waiting = unit.requests.waiting_for(actor.staff, actor.roles, now=now, after=None, limit=_SHOWN)
        leases = [lease for lease in unit.leases.open_of(actor.staff) if lease.ended_because(now) is None]
        rows = unit.directory.many([lease.tenant for lease in leases])
        reviews = review_figures(house, unit, actor)
        return Home(
            waiting=[each for each in as_open_to(house, actor, lines_of(house, unit, waiting)) if not each.is_closed],
            mine=lines_of(house, unit, unit.requests.mine(actor.staff, after=None, limit=_SHOWN)),
            leases=[(lease, rows.get(lease.tenant)) for lease in leases],
            notices=unit.outbox.unread(actor.staff, limit=_SHOWN),
            budget=unit.leases.budget(actor.staff, now),
            tenants_per_hour=limits.tenants_per_hour,
            tenants_per_day=limits.tenants_per_day,
            may_open="tenants" in pages_open_to(house, actor),
            findings=count_findings(house, unit, actor),
            signals=count_signals(house, unit, actor),
            reviews=reviews,
            owed=() if reviews is None else reviews_owed(unit, actor),
        )


def read_places(house: House, actor: Actor) -> Places:
    """Return what the frame needs, in three small statements; nothing of a tenant's own data is read."""
    now = house.clock.now()
    pages = pages_open_to(house, actor)
    with house.store.read() as unit:
        waiting = unit.requests.count_waiting_for(actor.staff, actor.roles, now=now, most=_COUNT_AT_MOST)
        row = unit.impersonations.open_of(actor.staff) if "tenants" in pages else None
        is_running = row is not None and row.clock_end(now) is None
        acting = (row, unit.directory.get(row.tenant)) if row is not None and is_running else None
        frozen = unit.freezes.over(staff=actor.staff, tenant=None, now=now)
    return Places(pages=pages, waiting=waiting, acting=acting, frozen=frozen)


def read_surroundings(house: House, actor: Actor) -> Surroundings:
    """Return what the palette needs, in a bounded number of statements; nothing of a tenant's own data is read."""
    now = house.clock.now()
    with house.store.read() as unit:
        leases = [lease for lease in unit.leases.open_of(actor.staff) if lease.ended_because(now) is None]
        rows = unit.directory.many([lease.tenant for lease in leases])
    return Surroundings(pages=pages_open_to(house, actor), leases=[(lease, rows.get(lease.tenant)) for lease in leases])


def pages_open_to(house: House, actor: Actor) -> frozenset[str]:
    """Return which of `PAGES` somebody may open; policy is asked once for all who have the same roles."""

    def found() -> frozenset[str]:
        now = house.clock.now()
        answers = ask_many(house, [_question(actor, page, now) for page in PAGES])
        return frozenset(page for page, answer in zip(PAGES, answers, strict=True) if not isinstance(answer, Deny))

    return shown_to(house, actor, ("pages",), found)


def _question(actor: Actor, page: str, now: datetime) -> Query:
    verb, facts = PAGES[page]
    tenant = _ANY if page == "tenants" else None
    return query(actor, verb, now=now, tenant=tenant, leased=tenant, facts=dict(facts))
