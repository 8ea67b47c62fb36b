"""Two million entries as the console would have written them: real drafts, really sealed, spread as in life."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

from console.adapters.ids import TimeOrderedIds
from console.domain.entries import (
    CATALOGUE,
    ActorKind,
    ActorRef,
    Authorisation,
    EntryDraft,
    Exposure,
    Kind,
    RequestRef,
    TargetRef,
    TenantRef,
    WriterCounter,
    seal_body,
)
from console.domain.ids import ReasonCode
from console.domain.merkle import leaf_hash
from console.domain.reasons import Reason

YEARS = 3
LARGEST_SHARE = 0.25  # of the entries about tenants: enough for page 5,000 of the largest one
LARGE_SHARE = 0.05
_PROCESSES = 2
_COLLEAGUES = 188
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_POLICY = "5f" * 32
# How often each thing is done, of a thousand.
_SHARES = {
    "tenant.read": 430, "directory.search": 150, "lease.open": 60, "lease.end": 45, "lease.expired": 15,
    "home.read": 90, "request.inbox_read": 40, "request.previewed": 25, "request.proposed": 15, "request.read": 30,
    "request.vote": 12, "request.approved": 10, "action.executed": 18, "staff.sign_in": 20, "staff.sign_out": 10,
    "staff.sign_in_refused": 6, "tenant.read_refused": 8, "lease.refused": 4, "step_up.passed": 8, "trail.read": 4,
}  # fmt: skip
_WITHOUT_TENANT = {
    "directory.search", "home.read", "request.inbox_read", "staff.sign_in", "staff.sign_out", "staff.sign_in_refused",
    "step_up.passed", "trail.read",
}  # fmt: skip
_PAGES = ("overview", "members", "entitlements", "notes", "entries")

Tenant = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    number: int
    count: int
    since: datetime
    until: datetime


def batches(
    total: int, *, tenants: Sequence[Tenant], staff: Sequence[Tenant], per_batch: int
) -> Iterator[list[tuple[str, bytes]]]:
    """Yield (body, leaf) pairs in order of time over three years, sealed by two processes.

    Shape: each batch has a writer of its own, as after a restart of the console.
    """
    now = datetime.now(UTC) - timedelta(minutes=5)
    begin = now - timedelta(days=365 * YEARS)
    starts = range(0, total, per_batch)
    runs = []
    for number, start in enumerate(starts):
        count = min(per_batch, total - start)
        since = begin + (now - begin) * (start / total)
        runs.append(_Run(number, count, since, begin + (now - begin) * ((start + count) / total)))
    if len(runs) == 1:
        _settle(tenants, staff)
        yield sealed_run(runs[0])
        return
    with ProcessPoolExecutor(
        _PROCESSES, mp_context=get_context("spawn"), initializer=_settle, initargs=(tenants, staff)
    ) as pool:
        ahead: list[Any] = []
        for run in runs:
            ahead.append(pool.submit(sealed_run, run))
            if len(ahead) > _PROCESSES + 1:  # never the whole history in memory
                yield ahead.pop(0).result()
        for each in ahead:
            yield each.result()


_known: dict[str, Any] = {}


def _settle(tenants: Sequence[Tenant], staff: Sequence[Tenant]) -> None:
    _known["tenants"] = tenants
    everybody = [*staff, *((f"stf_{number:026d}", f"Colleague {number}") for number in range(_COLLEAGUES))]
    _known["actors"] = [
        ActorRef(
            id=staff_id, kind=ActorKind.STAFF, name=name, roles=("support_agent",), auth="oidc", step_up_age_s=240,
            session=f"{number:064x}",
        )
        for number, (staff_id, name) in enumerate(everybody)
    ]  # fmt: skip


def sealed_run(run: _Run) -> list[tuple[str, bytes]]:
    """Return the entries of one writer in order of time."""
    dice = random.Random(run.number)
    moment = {"ns": 0}
    ids = TimeOrderedIds(lambda: moment["ns"])
    writer = WriterCounter(f"wri_bench{run.number:021d}")
    actions = dice.choices(list(_SHARES), weights=list(_SHARES.values()), k=run.count)
    first = int(run.since.timestamp() * 1_000_000)
    step = (int(run.until.timestamp() * 1_000_000) - first) / run.count
    made = []
    for number, action in enumerate(actions):
        ts_us = first + int(step * number)
        moment["ns"] = ts_us * 1_000
        body = seal_body(_draft(action, dice), uid=ids.new("ent"), ts_us=ts_us, writer=writer.next())
        leaf = leaf_hash(body)
        writer.staged(leaf)
        made.append((body.decode(), leaf))
    return made


def _draft(action: str, dice: random.Random) -> EntryDraft:
    actors: list[ActorRef] = _known["actors"]
    actor = actors[int(len(actors) * dice.random() ** 2)]
    tenant = None if action in _WITHOUT_TENANT else _tenant(dice)
    page = _PAGES[int(dice.random() * 5)]
    is_denied = CATALOGUE[action].kind is Kind.DENIED
    is_governed = action.startswith(("request.", "action.")) and action != "request.inbox_read"
    number = dice.randrange(1_000_000)
    return EntryDraft(
        action=action,
        actor=actor,
        tenant=tenant,
        governed="entitlement.override" if is_governed else None,
        reason=Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference=f"SUP-{number}") if tenant else None,
        authorisation=Authorisation(
            decision="deny" if is_denied else "allow",
            rules=("tenants.read_with_a_lease",),
            deny_code="no_lease" if is_denied else None,
            policy_version=_POLICY,
        ),
        targets=(TargetRef(type="page", id=page, name=page),) if action == "tenant.read" else (),
        exposure=Exposure(records=20, fields=("masked",)) if action == "tenant.read" else None,
        request=RequestRef(
            id=f"{number:032x}", route="tenants.overview", method="GET", ip=f"10.0.{number % 200}.7", agent=_AGENT
        ),
        correlation=f"req_{number:026d}" if is_governed else None,
        facts={"lease": f"lea_{number:026d}"} if tenant else {},
    )


def _tenant(dice: random.Random) -> TenantRef:
    """Return the largest tenant often, a large one sometimes, else any, the earlier ones more."""
    tenants: Sequence[Tenant] = _known["tenants"]
    luck = dice.random()
    if luck < LARGEST_SHARE:
        found = tenants[0]
    elif luck < LARGEST_SHARE + LARGE_SHARE:
        found = tenants[4]
    else:
        found = tenants[int(len(tenants) * dice.random() ** 2)]
    return TenantRef(id=found[0], name=found[1], slug=found[2], source="lease")
