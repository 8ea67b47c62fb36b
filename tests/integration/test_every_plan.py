"""No statement of the product walks a table: all are found by going everywhere, and their plans are asked for."""

import inspect
import os
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

from console import storage
from tests.databases import ENGINES
from tests.integration.plan_reader import Walk, walks
from tests.integration.plan_recorder import PLUMBING, TABLES
from tests.integration.plan_walk import Tour
from tests.postgres import create_database, drop_database

pytestmark = pytest.mark.slow

# They stay small however many tenants, members, requests, entries, deliveries, jobs, objects and days there are.
_ONE_ROW = "one row, which says how far somebody has come"
SMALL = {
    "audit_frontier": _ONE_ROW,
    "disclosure_cursor": _ONE_ROW,
    "house_freeze": "one row each time that somebody pulls the kill switch or drills it",
    "job_schedule": "one row for each job that the code says comes again and again",
    "override_register_round": _ONE_ROW,
    "plane_add_on": "the price list",
    "plane_feature": "the price list",
    "plane_plan": "the price list",
    "signal_watch": _ONE_ROW,
    "staff": "one row for each colleague, some thousands at most",
}
# Walks that are meant: who asks, and of which table.
_WHAT_IS_OPEN = "an index of nothing but what is open is read, and one person has three leases and some sessions open"
_REGISTER = "figures of the whole register of overrides, which are exceptions: 100,000 of them cost 40 ms"
_NOT_ONES_OWN = "of the open, or of the settled by page, those are passed over that are about who looks"
MEANT = {
    ("directory.StoredDirectory.count", "directory_tenant"): "once for each run of reconciliation over all tenants",
    ("due.StoredWebhookFleet.due", "plane_webhook_endpoint"): "one seek for each endpoint, while one queue is endless",
    ("leases.StoredLeases.open_under", "lease"): _WHAT_IS_OPEN,
    ("leases.StoredLeases.overdue", "lease"): _WHAT_IS_OPEN,
    ("override_register.StoredRegister.glance", "override_register"): _REGISTER,
    ("override_register.StoredRegister.totals", "override_register"): _REGISTER,
    ("sessions.StoredSessions.overdue", "staff_session"): _WHAT_IS_OPEN,
    ("signals.StoredSignals.open_count", "signal"): _NOT_ONES_OWN,
    ("signals.StoredSignals.page", "signal"): _NOT_ONES_OWN,
    ("verifier.verified_trail", "audit_event"): "the whole trail is proven",
    ("verifier.verified_trail", "audit_seq"): "the whole trail is proven",
}
UNREAD = {"plane_tenant": "written by imports for the views of a plane that is another database's (docs/planes.md)"}
# Here SQLite reads a partial index in its order, and does not say what it passes over.
LED: dict[str, set[object]] = {
    "postgresql": set(),
    "sqlite": {
        ("leases.StoredLeases.open_under", "lease"),
        ("signals.StoredSignals.open_count", "signal"),
        ("signals.StoredSignals.page", "signal"),
    },
}
# Books that ask nothing, or nothing of SQLite, whose one writer holds the lock already.
SILENT = {"bulk.StoredBulkUnit.planes", "planes.StoredPlanes.shares_control", "store.StoredUnit.refuse_if_unrecorded"}
LOCKS = {
    "freezes.StoredFreezes.claim",
    "freezes.StoredFreezes.hold",
    "provider_writes.StoredProviderWrites.lock",
    "store.StoredUnit.tenant",
    "throttles.StoredThrottles.lock",
}


@pytest.fixture(scope="module", params=ENGINES)
def tour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    names: list[str] = []

    def create(template: str) -> str:
        names.append(f"test_every_plan_{os.getpid()}_{len(names)}")
        return create_database(names[-1], template)

    made = Tour(request.param, tmp_path_factory.mktemp("plans"), create)
    with made.opened:
        made.walk()
    yield made
    for name in names:
        drop_database(name)


def is_meant(walk: Walk) -> bool:
    return walk.table in SMALL or (walk.asked.by, walk.table) in MEANT


def books() -> Iterator[str]:
    """Yield every public function of the books of storage, as the recorder names them."""
    for found in pkgutil.walk_packages(storage.__path__, "console.storage."):
        name = found.name.rpartition(".")[2]
        if ".migrations" not in found.name and name not in PLUMBING:
            for kind in vars(import_module(found.name)).values():
                if inspect.isclass(kind) and kind.__module__ == found.name and kind.__name__.startswith("Stored"):
                    yield from (f"{name}.{each.__qualname__}" for each in vars(kind).values() if is_asking(each))


def is_asking(member: object) -> bool:
    """Return whether it is a function that may ask; what opens a unit only hands out those that do."""
    opens = hasattr(member, "__wrapped__")
    return inspect.isfunction(member) and not opens and not member.__name__.startswith("_")


def test_no_statement_of_the_product_walks_a_table(tour: Tour) -> None:
    faults = [str(walk) for walk in walks(tour.url, tour.recorder.asked.values()) if not is_meant(walk)]
    assert not faults, "\n".join(faults)


def test_every_book_of_storage_was_asked(tour: Tour) -> None:
    silent = SILENT | LOCKS if tour.engine == "sqlite" else SILENT
    assert set(books()) - tour.recorder.functions == silent
    assert len(tour.recorder.asked) > 500


def test_every_table_is_read(tour: Tour) -> None:
    read = {table for asked in tour.recorder.asked.values() for table in asked.tables}
    assert TABLES - read == set(UNREAD)


def test_nothing_is_excused_that_does_not_walk(tour: Tour) -> None:
    found = list(walks(tour.url, tour.recorder.asked.values()))
    tables, askers = {walk.table for walk in found}, {(walk.asked.by, walk.table) for walk in found}
    assert (set(SMALL) - tables) | (set(MEANT) - askers) == LED[tour.engine]


@pytest.mark.parametrize(
    ("index", "table"),
    [
        ("ix_audit_event_correlation", "audit_event"),
        ("ix_notice_unread", "notice"),
        ("ix_lease_open_session", "lease"),
        ("ix_plane_webhook_message_kept", "plane_webhook_message"),
    ],
)
def test_it_notices_an_index_that_is_gone(tour: Tour, index: str, table: str) -> None:
    found = [walk for walk in walks(tour.url, tour.recorder.asked.values(), without=index) if not is_meant(walk)]
    assert table in {walk.table for walk in found}
