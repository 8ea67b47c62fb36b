"""Every kind of discrepancy at once among many clean tenants, through storage and the invented provider.

`SALLYPORT_DRIFT_TENANTS=10000` runs the large form, which takes minutes (docs/reconciliation.md).
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from console.adapters.demo.books import DemoBooks
from console.adapters.demo.drift import OF_ACCOUNT, OF_TENANTS, broken_account
from console.adapters.demo.drift_account import account_books
from console.domain.ids import TenantId
from console.domain.inbound import InboundState
from console.domain.jobs import JobDraft
from console.domain.reconciling.books import AccountBooks
from console.domain.reconciling.catalogue import KINDS, ROWS
from console.domain.reconciling.detecting import detect_account
from console.domain.reconciling.findings import FindingState, RepairClass
from console.domain.reconciling.runs import RunState
from console.usecases.find_gaps import GAPS_JOB
from console.usecases.process_inbound import NO_HANDLER
from tests.integration.drift_world import DriftWorld, crowd, drift_world
from tests.integration.test_reconciliation_drift import ACCOUNT, HEALING, Found, found, table
from tests.unit.reconciling.worlds import NOW

COUNT = int(os.environ.get("SALLYPORT_DRIFT_TENANTS", "150"))
EACH = 1 if COUNT < 1_000 else 3  # broken in each way
AT_ONCE = 500
OF_PAYOUTS = ("payout_mismatch", "payout_overdue", "unknown_enum", "payout_unattributable", "customer_unmapped")


@pytest.mark.slow
def test_it_finds_all_that_is_wrong_among_many_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with drift_world("sqlite", tmp_path, str) as world:
        began = time.monotonic()
        wanted = filled(world)
        made = time.monotonic()
        first = world.run()
        took = time.monotonic() - made
        with world.stage.storage.store.write() as unit:  # the provider is asked for the event that never came
            unit.jobs.add(JobDraft(kind=GAPS_JOB, key="gaps"), at=world.clock.now())
        world.work()
        seen = found(world, first)
        again = world.run()
        stands, identical = found(world, again), world.run()
        healed = {pair for pair in wanted if KINDS[pair[0]].repair is RepairClass.SAFE}
        with capsys.disabled():
            print(table(seen, wanted))  # noqa: T201  the figures are the claim
            print(  # noqa: T201
                f"{COUNT:,} clean tenants and {EACH * len(OF_TENANTS):,} broken ones, "
                f"built in {made - began:.0f} s, {first.counts['tenants'] / took:.0f} tenants/s in the first run; "
                f"false alarms: {(seen - wanted).total()}; healed: {first.counts['healed']} of "
                f"{len(healed) - 1} by themselves; found again: {len(set(stands) & healed)}; "
                f"digest of the second run and the third: {again.findings_digest} {identical.findings_digest}"
            )
        assert (first.state, first.counts["tenants"]) == (RunState.DONE, COUNT + EACH * len(OF_TENANTS))
        assert seen == wanted
        assert len({KINDS[kind].number for kind, _ in seen}) == ROWS
        # Every finding of class R is repaired by itself, and what is not comes again word for word.
        assert {kind for kind, _ in healed} == HEALING | {"event_gap"}
        assert first.counts["healed"] == EACH * len(HEALING)
        assert stands == Counter({pair: 1 for pair in wanted if pair not in healed})
        assert {
            (each.kind, each.tenant or ACCOUNT) for each in world.findings() if each.state is FindingState.RESOLVED
        } == healed
        assert (again.counts.get("healed", 0), again.counts.get("opened", 0)) == (0, 0)
        assert (identical.inputs_digest, identical.findings_digest) == (again.inputs_digest, again.findings_digest)


def filled(world: DriftWorld) -> Found:
    """Take in many clean tenants and some broken in every way, break the account, and return what is wrong."""
    wanted, clean = Found(), list[TenantId]()
    account = account_books(taken_in(world, wanted, clean), now=NOW)
    assert detect_account(account) == ()
    assert len(clean) == COUNT
    world.load_account(broken_in_every_way(account, tenant=clean[0]))
    world.lose_an_event()
    world.deliver(InboundState.RECEIVED, minutes_ago=90)
    world.deliver(InboundState.FAILED, minutes_ago=5, because="not_answered")
    world.deliver(InboundState.IGNORED, minutes_ago=5, because=NO_HANDLER)
    world.strangers(30)
    world.lose_a_file()
    of_nobody = sorted(set(OF_ACCOUNT) - {"customer_duplicate"})
    wanted.update([("customer_duplicate", str(clean[0])), *((kind, ACCOUNT) for kind in of_nobody)])
    return wanted


def taken_in(world: DriftWorld, wanted: Found, clean: list[TenantId]) -> Iterator[DemoBooks]:
    """Take tenants in some at a time, and yield the books of each; adds to what is wrong, and to who is clean."""
    tenants = crowd(COUNT, EACH)
    while batch := list(islice(tenants, AT_ONCE)):
        world.take_in(batch)
        wanted.update((one.kind, str(one.books.tenant)) for one in batch if one.kind is not None)
        clean += [one.books.tenant for one in batch if one.kind is None]
        yield from (one.books for one in batch)


def broken_in_every_way(books: AccountBooks, *, tenant: TenantId) -> AccountBooks:
    """Return the account's books with one of each discrepancy that is loaded, none of which hides another."""
    wanted: list[str] = []
    for kind in OF_PAYOUTS:
        wanted.append(kind)
        tries = (broken_account(books, kind, seed=seed) for seed in range(50))
        fits = (each for each in tries if each and sorted(said.kind for said in detect_account(each)) == sorted(wanted))
        books = next(fits)
    (stray,) = books.unmapped
    twin = replace(stray, id="cus_twin", tenant=tenant)
    return replace(books, unmapped=(stray, twin))
