"""Finance's pages: what is filled in for them, what is asked of the console and of its floor, what both must show."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import quote

from console.domain.ids import StaffId, TenantId
from console.domain.override_register import Registered
from console.domain.periods import Period, PeriodState, before, open_period, period_at
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.findings import Candidate, Direction, Finding, FindingState, ReconciliationId
from console.domain.reconciling.runs import KindTotal, Reconciliation, RunState
from console.storage.house import Storage
from tests.bench.rows import Rows
from tests.bench.world import LARGEST

_RUNS, _FINDINGS, _OF_LARGEST, _REGISTERED, _MONTHS = 60, 2_000, 40, 400, 14
_DAY = timedelta(days=1)
_CURRENCIES = ("EUR", "USD", "GBP")


def fill(storage: Storage, rows: Rows, *, staff: StaffId) -> None:
    """Give finance runs, findings, months and registered overrides, through the books that keep them; once."""
    if rows.all("SELECT 1 FROM reconciliation LIMIT 1"):
        return
    now = datetime.now(UTC).replace(microsecond=0)
    few = "SELECT id, slug FROM directory_tenant ORDER BY CASE slug WHEN :first THEN 0 ELSE 1 END, ordinal LIMIT 400"
    tenants = [TenantId(row[0]) for row in rows.all(few, {"first": LARGEST})]
    with storage.store.write() as unit:
        for run in _runs(now, staff):
            unit.runs.add(run)
        for finding in _findings(now, tenants, staff):
            unit.findings.add(finding)
        for month in islice(_months(now, staff), _MONTHS):
            unit.periods.save(month)
        for at in range(_REGISTERED):
            tenant = tenants[at % len(tenants)]
            unit.register.replace(tenant, [*unit.register.of(tenant), _registered(at, tenant, now, staff)])


def _runs(now: datetime, staff: StaffId) -> Iterator[Reconciliation]:
    for at in range(_RUNS):
        began = now - at * _DAY
        yield Reconciliation(
            id=ReconciliationId(f"rcn_bench{_RUNS - at:03d}"),
            tenant=None,
            state=RunState.DONE,
            version=9,
            queued_at=began,
            started_by=staff if at % 5 == 0 else None,
            request=None,
            rules_version="bench",
            window_from=began - 90 * _DAY,
            window_until=began,
            tenants_total=2_000,
            counts={"tenants": 2_000, "opened": at % 7, "healed": at % 3},
            found={"price_differs": KindTotal(count=at % 7, at_risk={"EUR": 9_900})},
            began_at=began,
            finished_at=began + timedelta(minutes=4),
        )


def _findings(now: datetime, tenants: list[TenantId], staff: StaffId) -> Iterator[Finding]:
    kinds = sorted(KINDS)
    for at in range(_FINDINGS):
        tenant = tenants[0] if at % (_FINDINGS // _OF_LARGEST) == 0 else tenants[1 + at % (len(tenants) - 1)]
        first = now - timedelta(minutes=17 * at)
        known = Candidate(kind=kinds[at % len(kinds)], tenant=tenant, objects=(f"in_bench{at:06d}",))
        yield Finding(
            id=known.id,
            kind=known.kind,
            tenant=tenant,
            objects=known.objects,
            differs="amount",
            ours=f"{at},00 EUR in the mirror",
            theirs=f"{at},50 EUR at the provider",
            at_risk_minor=50 * at,
            currency=_CURRENCIES[at % len(_CURRENCIES)],
            direction=Direction.WE_LOSE,
            params={},
            evidence={"invoice": f"in_bench{at:06d}", "seen": "twice"},
            state=FindingState.OPEN if at % 4 else FindingState.IN_PROGRESS,
            version=1,
            first_seen_at=first,
            last_seen_at=now,
            first_run=ReconciliationId("rcn_bench001"),
            last_run=ReconciliationId(f"rcn_bench{_RUNS:03d}"),
            owner=None if at % 4 else staff,
        )


def _months(now: datetime, staff: StaffId) -> Iterator[Period]:
    month = before(period_at(now))
    while True:
        known = open_period(month)
        yield Period(
            id=known.id,
            state=PeriodState.CLOSED,
            version=0,
            rules=known.rules,
            prepared_by=staff,
            prepared_at=known.until,
            tenants=2_000,
            digest=None,
            files=(),
            previous=(),
            closed_by=staff,
            closed_at=known.until + _DAY,
            request=None,
            times_reopened=0,
            cursor=None,
        )
        month = before(month)


def _registered(at: int, tenant: TenantId, now: datetime, staff: StaffId) -> Registered:
    return Registered(
        tenant=tenant,
        override=f"ovr_bench{at:04d}",
        starts_at=now - 40 * _DAY,
        until=None if at % 9 == 0 else now + (1 + at) * _DAY,
        owner="" if at % 11 == 0 else staff,
        monthly_minor=100 * at,
        currency=_CURRENCIES[at % len(_CURRENCIES)],
        is_redundant=at % 13 == 0,
        is_orphaned=at % 17 == 0,
        checked_at=now,
    )


def addresses(rows: Rows) -> dict[str, tuple[str, str, str, tuple[str, ...]]]:
    """Return by item: what it is, the two addresses, and texts that both answers must show."""
    tenant = rows.all("SELECT id FROM directory_tenant WHERE slug = :slug", {"slug": LARGEST})[0][0]
    of = {"tenant": tenant}
    finding, theirs = rows.all(
        "SELECT id, theirs FROM finding WHERE tenant = :tenant ORDER BY first_seen_at, id LIMIT 1", of
    )[0]
    oldest = rows.all("SELECT id FROM finding WHERE state <> 'resolved' ORDER BY first_seen_at, id LIMIT 40")
    runs = rows.all("SELECT id FROM reconciliation ORDER BY queued_at DESC, id DESC LIMIT 20")
    bills = rows.all(
        "SELECT number FROM plane_billing_object WHERE tenant_id = :tenant AND kind = 'invoice' AND NOT is_deleted "
        "ORDER BY at DESC, id DESC LIMIT 5",
        of,
    )
    features = rows.all("SELECT name FROM plane_feature ORDER BY key")
    months = rows.all("SELECT id FROM accounting_period ORDER BY id DESC LIMIT 13")
    listed = rows.all(
        "SELECT name FROM override_register JOIN directory_tenant ON id = tenant "
        "ORDER BY until IS NULL, until, tenant, override LIMIT 50"
    )
    mine, asked = f"/t/{LARGEST}", f"?tenant={quote(tenant)}"
    return {
        "W9r": ("runs overview", "/reconciliation", "/runs", _ends(runs)),
        "W9q": ("queue of findings", "/reconciliation/findings", "/queue", _ends(oldest)),
        "W9f": ("one finding", f"{mine}/findings/{finding}", f"/finding?id={finding}", (theirs,)),
        "W9b": ("billing of a tenant", f"{mine}/billing", f"/billing{asked}", tuple(row[0] for row in bills)),
        "W9e": ("entitlements, and why", f"{mine}/entitlements", f"/why{asked}", _ends(features)),
        "W9p": ("accounting periods", "/reconciliation/periods", "/periods", _ends(months)),
        "W9o": ("register of overrides", "/access?which=all", "/register", _ends(listed)),
    }


def _ends(found: list[tuple[str, ...]]) -> tuple[str, ...]:
    return (found[0][0], found[-1][0]) if found else ()
