"""The demo's books in real storage and in the invented provider: each break is found as what it is, and heals.

What storage can't hold is named in `BY_ANOTHER_WAY`, with how it is brought about instead.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.adapters.demo.drift import OF_ACCOUNT, OF_TENANTS, broken_account
from console.domain.inbound import InboundState
from console.domain.reconciling.books import AccountBooks
from console.domain.reconciling.catalogue import KINDS, ROWS
from console.domain.reconciling.findings import FindingState
from console.domain.reconciling.runs import Reconciliation, RunState
from console.usecases.process_inbound import NO_HANDLER
from tests.databases import ENGINES
from tests.integration.drift_world import DriftWorld, Tenant, account_of, cast, drift_world

Found = Counter[tuple[str, str]]
ACCOUNT = "-"
BY_ANOTHER_WAY = {
    "customer_duplicate": "the stray customer names a tenant that is there; the mutator invents two",
    "event_gap": "the provider makes an event on its own and never delivers it",
    "event_stuck": "an event is left in the inbox",
    "event_failed": "an event of the inbox is given up",
    "signature_failures": "webhooks with guessed signatures come in through the use case",
    "unknown_event_type": "an event without a handler comes in",
    "export_mismatch": "a closed month names a sealed file that lies nowhere",
}
HEALING = frozenset(kind.key for kind in KINDS.values() if kind.heals)
# On PostgreSQL one kind of each way into storage: mirror, links, stored set, grants, conditions, use, holds, periods.
SOME = (
    "access_without_billing", "closed_period_changed", "customer_duplicate", "dispute_won", "grace_overrun",
    "invoice_missing_local", "override_without_owner", "recovered_but_suspended", "sub_missing_remote",
    "sub_status_drift", "usage_duplicate", "usage_late", "unreadable_object",
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DriftWorld]:
    with drift_world("sqlite", tmp_path, str) as made:
        yield made


@pytest.fixture(params=ENGINES)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DriftWorld]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    with drift_world(request.param, tmp_path, create) as made:
        yield made


def moved_in(world: DriftWorld, tenants: list[Tenant]) -> None:
    """Take tenants in on both sides, with the account that they pay into."""
    world.take_in(tenants)
    world.load_account(account_of(tenants))


def found(world: DriftWorld, run: Reconciliation) -> Found:
    """Return kind and tenant of what one run saw."""
    return Counter((each.kind, each.tenant or ACCOUNT) for each in world.findings() if each.last_run == run.id)


def expected(tenants: list[Tenant]) -> Found:
    """Return kind and tenant of everything that is broken."""
    return Counter((one.kind, str(one.books.tenant)) for one in tenants if one.kind is not None)


def test_it_finds_nothing_in_clean_tenants(world: DriftWorld) -> None:
    moved_in(world, cast(40, ()))
    run = world.run()
    assert (run.state, run.counts["tenants"], world.kinds()) == (RunState.DONE, 40, [])
    assert run.counts["pulled.invoice"] > 40
    assert run.counts["pulled.payout"] > 20


def test_it_finds_some_of_each_and_heals_on_either_database(either: DriftWorld) -> None:
    tenants = cast(20, SOME)
    moved_in(either, tenants)
    first = either.run()
    assert found(either, first) == expected(tenants)
    second = either.run()
    assert found(either, second) == Counter({pair: 1 for pair in expected(tenants) if pair[0] not in HEALING})


@pytest.mark.slow
@pytest.mark.parametrize("first", [18, 900])
def test_it_finds_every_kind_of_a_tenant_and_heals_what_heals(
    world: DriftWorld, first: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tenants = cast(60, sorted(OF_TENANTS), first=first)
    moved_in(world, tenants)
    run = world.run()
    seen, wanted = found(world, run), expected(tenants)
    with capsys.disabled():
        print(table(seen, wanted))  # noqa: T201  the figures are the claim
    assert run.state is RunState.DONE
    assert seen == wanted
    healing = {pair for pair in wanted if pair[0] in HEALING}
    assert {kind for kind, _ in healing} == HEALING
    assert run.counts["healed"] == len(healing)
    assert {
        (each.kind, str(each.tenant)) for each in world.findings() if each.state is FindingState.RESOLVED
    } == healing
    # What healed is gone for good, and what did not is the same again, word for word.
    again, identical = world.run(), world.run()
    assert set(found(world, identical)) == set(wanted) - healing
    assert (again.counts.get("healed", 0), again.counts.get("opened", 0)) == (0, 0)
    assert (identical.inputs_digest, identical.findings_digest) == (again.inputs_digest, again.findings_digest)


def test_two_tenants_that_claim_one_customer_both_say_so(world: DriftWorld) -> None:
    one, other = cast(2, ())
    books = replace(other.books, links=(*other.books.links, *one.books.links))
    moved_in(world, [one, replace(other, books=books)])
    run = world.run()
    assert {kind for kind, _ in found(world, run)} >= {"mapping_conflict"}
    assert found(world, run)["mapping_conflict", str(one.books.tenant)] == 1
    assert found(world, run)["mapping_conflict", str(other.books.tenant)] == 1


@pytest.mark.slow
def test_it_finds_every_kind_of_the_account(world: DriftWorld, capsys: pytest.CaptureFixture[str]) -> None:
    tenants = cast(20, ())
    moved_in(world, tenants)
    clean = account_of(tenants)
    assert found(world, world.run()) == Counter()
    ways = _ways(world, tenants)
    assert set(ways) == set(BY_ANOTHER_WAY)
    seen, standing = Found(), set[tuple[str, str]]()
    for kind in sorted(OF_ACCOUNT):
        if kind in ways:
            ways[kind]()
        else:
            books = broken_account(clean, kind)
            assert books is not None
            world.load_account(books)
        world.run()
        fresh = found(world, world.run())  # a passing state must be seen by two runs
        opened = [pair[0] for pair in set(fresh) - standing]
        assert opened == [kind]
        seen.update((each, ACCOUNT) for each in opened)
        world.load_account(clean)
        standing = set(found(world, world.run()))
    with capsys.disabled():
        print(table(seen, Counter((kind, ACCOUNT) for kind in OF_ACCOUNT)))  # noqa: T201  the figures are the claim
    assert {kind for kind, _ in seen} == set(OF_ACCOUNT)


def test_every_row_of_the_catalogue_is_brought_about_here() -> None:
    rows = {KINDS[kind].number for kind in (*OF_TENANTS, *OF_ACCOUNT)}
    assert len(rows) == ROWS


def _ways(world: DriftWorld, tenants: list[Tenant]) -> dict[str, Callable[[], None]]:
    def duplicate() -> None:
        books: AccountBooks | None = broken_account(account_of(tenants), "customer_duplicate")
        assert books is not None
        (stray,) = books.unmapped
        world.load_account(replace(books, unmapped=(replace(stray, tenant=tenants[0].books.tenant),)))

    return {
        "customer_duplicate": duplicate,
        "event_gap": world.lose_an_event,
        "event_stuck": lambda: world.deliver(InboundState.RECEIVED, minutes_ago=90),
        "event_failed": lambda: world.deliver(InboundState.FAILED, minutes_ago=5, because="not_answered"),
        "signature_failures": lambda: world.strangers(30),
        "unknown_event_type": lambda: world.deliver(InboundState.IGNORED, minutes_ago=5, because=NO_HANDLER),
        "export_mismatch": world.lose_a_file,
    }


def table(seen: Found, wanted: Found) -> str:
    """Return what was found of what was broken, and precision and recall, by kind."""
    lines = [f"\n{'row':>3} {'kind':43} {'broken':>6} {'found':>6} {'false':>6} {'precision':>9} {'recall':>7}"]
    kinds = {kind for kind, _ in (*seen, *wanted)}
    for kind in sorted(kinds, key=lambda key: (KINDS[key].number, key)):
        broken = sum(many for pair, many in wanted.items() if pair[0] == kind)
        hits = sum(many for pair, many in (seen & wanted).items() if pair[0] == kind)
        every = sum(many for pair, many in seen.items() if pair[0] == kind)
        lines.append(
            f"{KINDS[kind].number:>3} {kind:43} {broken:>6} {hits:>6} {every - hits:>6} "
            f"{hits / max(every, 1):>9.0%} {hits / max(broken, 1):>7.0%}"
        )
    rows = {KINDS[kind].number for kind, _ in seen & wanted}
    return "\n".join([*lines, f"rows found: {len(rows)} of {len({KINDS[kind].number for kind, _ in wanted})}"])
