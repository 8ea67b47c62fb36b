"""What an entry costs beside a plain insert of the same row, and how fast entries are ordered and verified."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import Column, MetaData, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from console.adapters.checkpoint_folder import CheckpointFolder
from console.adapters.clock import SystemClock
from console.adapters.ids import TimeOrderedIds
from console.adapters.signing_key import FileSigningKey
from console.domain.entries import (
    ActorKind,
    ActorRef,
    Authorisation,
    EntryDraft,
    Exposure,
    RequestRef,
    TargetRef,
    TenantRef,
    Writer,
    seal_body,
)
from console.domain.ids import ReasonCode
from console.domain.merkle import leaf_hash
from console.domain.reasons import Reason
from console.storage.house import Storage, StorageSettings, open_store
from console.storage.prepared import PreparedInsert
from console.storage.sequencer import StoredSequencer
from console.storage.store import StoredUnit
from tests import ground, postgres
from tests.bench.rows import opened_rows
from tests.bench.serving import cpu_seconds
from tests.bench.tables import Result, Table
from tests.databases import TestFingerprints

AIM = 1.15
_STATES = 10_000
_COLUMNS = "body, leaf, uid, ts_us, tenant, actor, action, outcome, target, correlation"
_PLAIN = {
    "sqlite": "CREATE TABLE plain_entry (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, leaf BLOB NOT NULL, "
    "uid TEXT UNIQUE, ts_us BIGINT, tenant TEXT, actor TEXT, action TEXT, outcome TEXT, target TEXT, correlation TEXT)",
    "postgres": "CREATE TABLE plain_entry (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT NOT NULL, "
    'leaf BYTEA NOT NULL, uid TEXT COLLATE "C" UNIQUE, ts_us BIGINT, tenant TEXT COLLATE "C", actor TEXT COLLATE "C", '
    'action TEXT COLLATE "C", outcome TEXT COLLATE "C", target TEXT COLLATE "C", correlation TEXT COLLATE "C")',
}
_INDEXES = (
    "tenant, id", "tenant, actor, id", "tenant, action, id", "actor, id", "action, id", "outcome, id", "target, id",
    "correlation, id", "ts_us, id",
)  # fmt: skip
# Prepared as the entry's own insert is, so that the two differ only in what an entry is.
_INSERT = PreparedInsert(SqlTable("plain_entry", MetaData(), *(Column(name) for name in _COLUMNS.split(", "))))
_LOOK = text("SELECT value FROM plain_state WHERE id = :id")
_CHANGE = text("UPDATE plain_state SET value = value + 1 WHERE id = :id")
_DRAFT = EntryDraft(
    action="tenant.read",
    actor=ActorRef(
        id="stf_00000000000000000000000001", kind=ActorKind.STAFF, name="Mira Lindgren", roles=("support_agent",),
        auth="oidc", step_up_age_s=240, session="5f" * 32,
    ),
    tenant=TenantRef(id="ten_00000000000000000000000001", name="Acme Robotics", slug="acme-robotics", source="lease"),
    reason=Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48213"),
    authorisation=Authorisation(decision="allow", rules=("tenants.read_with_a_lease",), policy_version="a7" * 32),
    targets=(TargetRef(type="page", id="overview", name="overview"),),
    exposure=Exposure(records=1, fields=("masked",)),
    request=RequestRef(id="0f" * 16, route="tenants.overview", method="GET", ip="127.0.0.1", agent="Mozilla/5.0"),
    facts={"lease": "lea_00000000000000000000000001"},
)  # fmt: skip


@dataclass
class Bed:
    """A fresh database with both tables, and how to read its processor time. Units: seconds."""

    storage: Storage
    sequencer: StoredSequencer
    cpu: Callable[[], float]
    ids: TimeOrderedIds = field(default_factory=TimeOrderedIds)


def table(*, databases: tuple[str, ...], rounds: int, per_round: int) -> Table:
    """Measure appends in turns: business read and update with a plain row, and with an entry."""
    results = []
    for database in databases:
        with _bed(database) as bed:
            results += _measured(bed, database, rounds=rounds, per_round=per_round)
    return Table(
        title="Trail",
        heads=("item", "what", "value", "aim"),
        results=tuple(results),
        note="Both sides: the same unit of work, one read, one update, one row with ten indexes, one durable commit; "
        "the plain row is built by json.dumps. CPU counts this process and the database's.",
    )


def verified(sequencer: StoredSequencer) -> tuple[int, float]:
    """Return how many entries a full verification read, and per second. Raises: AssertionError when not sound."""
    started = time.perf_counter()
    found = sequencer.verify()
    if not found.is_sound:
        message = f"The measured trail is not sound: {found.findings[:3]}"
        raise AssertionError(message)
    return found.sequenced, found.sequenced / (time.perf_counter() - started)


def _measured(bed: Bed, database: str, *, rounds: int, per_round: int) -> list[Result]:
    spent: dict[str, list[float]] = {"plain": [], "entry": [], "order": []}
    walls: dict[str, list[float]] = {"plain": [], "entry": []}
    appends = {"plain": _append_plain, "entry": _append_entry}
    for append in appends.values():
        append(bed, 0)
    bed.sequencer.run_once()
    drained = 0.0
    for turn in range(rounds):
        for name in sorted(appends, reverse=bool(turn % 2)):
            before, started = bed.cpu(), time.perf_counter()
            for number in range(per_round):
                appends[name](bed, number)
            walls[name].append((time.perf_counter() - started) / per_round)
            spent[name].append((bed.cpu() - before) / per_round)
        before, started = bed.cpu(), time.perf_counter()
        while bed.sequencer.run_once():
            pass
        drained += time.perf_counter() - started
        spent["order"].append((bed.cpu() - before) / per_round)
    plain, entry, order = (median(spent[name]) for name in ("plain", "entry", "order"))
    slower = median(walls["entry"]) / median(walls["plain"])
    total, rate = verified(bed.sequencer)
    met = "met" if entry / plain <= AIM else "MISSED"
    whole = (entry + order) / plain
    lines = (
        ("append", "CPU of an entry / a plain row", f"{entry / plain:.2f}x ({entry * 1e6:.0f} / {plain * 1e6:.0f} us)",
         f"<= {AIM}x {met}"),
        ("ordered", "the same with its place in the tree", f"{whole:.2f}x", "-"),
        ("wall", "time of an entry / a plain row", f"{slower:.2f}x", "-"),
        ("drain", "entries given their place, in batches", f"{rounds * per_round / drained:,.0f}/s", "-"),
        ("verify", f"{total:,} entries verified", f"{rate:,.0f}/s", ">= 150,000/s on a core of its own"),
    )  # fmt: skip
    return [Result(key=f"{name} {database}", cells=cells) for name, *cells in lines]  # type: ignore[arg-type]


def _append_plain(bed: Bed, number: int) -> None:
    now = datetime.now(UTC)
    with bed.storage.store.write() as unit:
        session = _changed(unit, number)
        uid, ts_us = bed.ids.new("ent"), int(now.timestamp() * 1_000_000)
        body = json.dumps({**_PLAIN_BODY, "uid": uid, "ts_us": ts_us})
        _INSERT.run(
            session.connection(),
            {
                "body": body, "leaf": _LEAF, "uid": uid, "ts_us": ts_us, "tenant": "ten_00000000000000000000000001",
                "actor": "stf_00000000000000000000000001", "action": "tenant.read", "outcome": "success",
                "target": "overview", "correlation": None,
            },
        )  # fmt: skip


def _append_entry(bed: Bed, number: int) -> None:
    now = datetime.now(UTC)
    with bed.storage.store.write() as unit:
        _changed(unit, number)
        unit.trail.emit(_DRAFT, at=now)


def _changed(unit: StoredUnit, number: int) -> Session:
    session = unit._session
    row = {"id": number * 7_919 % _STATES + 1}
    session.execute(_LOOK, row).scalar_one()
    session.execute(_CHANGE, row)
    return session


@contextmanager
def _bed(database: str) -> Iterator[Bed]:
    folder = ground.folder() / f"append-{database}-{os.getpid()}"
    folder.mkdir()
    address = f"sqlite:///{folder / 'append.db'}"
    if database == "postgres":
        address = postgres.create_database(f"append_{os.getpid()}", is_durable=True)
    settings = StorageSettings(
        database_url=address, clock=SystemClock(), ids=TimeOrderedIds(), fingerprints=TestFingerprints()
    )
    storage = open_store(settings)
    try:
        storage.upgrade()
        _prepare(address, database)
        key = FileSigningKey.opened(folder / "trail.key", name="bench/trail")
        sequencer = storage.sequencer(key, CheckpointFolder(folder / "checkpoints"))
        yield Bed(storage=storage, sequencer=sequencer, cpu=_cpu_of(database))
    finally:
        storage.close()


def _prepare(address: str, database: str) -> None:
    rows = opened_rows(address)
    rows.run(_PLAIN[database])
    for number, columns in enumerate(_INDEXES):
        rows.run(f"CREATE INDEX plain_entry_{number} ON plain_entry ({columns})")
    rows.run("CREATE TABLE plain_state (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)")
    rows.write([(f"INSERT INTO plain_state VALUES ({number}, 0)", {}) for number in range(1, _STATES + 1)])
    if database == "postgres":
        rows.run("GRANT SELECT, INSERT ON plain_entry TO sallyport_app")
        rows.run("GRANT SELECT, UPDATE ON plain_state TO sallyport_app")
    rows.close()


def _cpu_of(database: str) -> Callable[[], float]:
    if database == "sqlite":
        return time.process_time
    postmaster = int((_durable_home() / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    return lambda: time.process_time() + cpu_seconds(postmaster)


def _durable_home() -> Path:
    return ground.folder() / "pg-durable"


def _plain_body() -> dict[str, object]:
    """Return what a sealed body holds, so that both rows carry the same bytes."""
    sealed = seal_body(_DRAFT, uid="x", ts_us=0, writer=Writer(id=f"wri_{0:026d}", n=1, prev="0f" * 32))
    found: dict[str, object] = json.loads(sealed)
    return found


_PLAIN_BODY = _plain_body()
_LEAF = leaf_hash(b"plain")
