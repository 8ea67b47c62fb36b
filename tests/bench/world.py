"""The data that is measured on: tenants by the real bulk loader, staff, and a trail of sealed entries; built once."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path

from console.adapters.checkpoint_folder import CheckpointFolder
from console.adapters.clock import SystemClock
from console.adapters.demo.generator import PLANES, demo_world
from console.adapters.demo.staff import DemoPerson, demo_environ, kept_staff, write_demo_file
from console.adapters.ids import TimeOrderedIds
from console.adapters.one_time_codes import SealedOneTimeCodes
from console.adapters.passwords import Argon2Passwords
from console.adapters.signing_key import FileSigningKey
from console.app.building import open_storage
from console.domain.ids import PersonKey, StaffId
from console.domain.staff import StaffKind, StaffMember
from console.ports.staff import Credentials
from console.settings import Settings, load_settings
from console.storage.house import Storage
from tests.bench import cluster, sealed
from tests.bench.rows import Rows, opened_rows

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "bench"
_SHAPE = 2  # raise it when the data set itself changes, so that old ones are built anew
_FILE = "sallyport.db"
_BATCH = 5_000
_UNIT = 50_000
_RUN = 20_000
LARGEST = "acme-robotics"  # a quarter of the entries about tenants, and every delivery that the bench adds
_DELIVERIES = """
INSERT INTO plane_webhook_delivery (
  tenant_id, id, message, endpoint, event_type, state, created_at, due_at, trigger, attempts, tries, reason,
  last_outcome, last_status, last_at, delivered_at, fingerprint, run, claimed_by, version
)
WITH RECURSIVE numbered(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbered WHERE i < :most)
SELECT
  tenant.id, 'whd_bench' || CAST(100000000 + i AS TEXT), 'msg_bench' || CAST(100000000 + i AS TEXT), hook.id,
  CASE i % 4 WHEN 0 THEN 'invoice.paid' WHEN 1 THEN 'invoice.created' WHEN 2 THEN 'member.joined' ELSE 'a.b' END,
  CASE WHEN i % 10 = 0 THEN 'exhausted' ELSE 'delivered' END, :now - 30000000 * CAST(i AS BIGINT), NULL, 'scheduled',
  1, 1, CASE WHEN i % 10 = 0 THEN 'gave_up' END, CASE WHEN i % 10 = 0 THEN '5xx' ELSE '2xx' END,
  CASE WHEN i % 10 = 0 THEN 503 ELSE 200 END, :now - 30000000 * CAST(i AS BIGINT),
  CASE WHEN i % 10 = 0 THEN NULL ELSE :now - 30000000 * CAST(i AS BIGINT) END,
  CASE WHEN i % 10 = 0 THEN '0123456789abcdef' END, NULL, NULL, 1
FROM numbered
CROSS JOIN (SELECT id FROM directory_tenant WHERE slug = :slug) AS tenant
CROSS JOIN (
  SELECT min(id) AS id FROM plane_webhook_endpoint
  WHERE tenant_id = (SELECT id FROM directory_tenant WHERE slug = :slug)
) AS hook
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of what, on which database; without a number of their own there are as many deliveries as entries."""

    tenants: int
    entries: int
    own_deliveries: int | None = None
    database: str = "sqlite"

    @property
    def deliveries(self) -> int:
        """Return how many deliveries the largest tenant has."""
        return self.entries if self.own_deliveries is None else self.own_deliveries

    @property
    def name(self) -> str:
        """Return the name of the folder that keeps it."""
        deliveries = "" if self.own_deliveries is None else f"-{self.own_deliveries}"
        return f"{self.database}-{self.tenants}-{self.entries}{deliveries}-{_SHAPE}-{_revisions()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A data set that is ready: its settings, its staff, and where raw SQL finds it."""

    size: Size
    settings: Settings
    environ: dict[str, str]
    people: dict[str, DemoPerson]
    address: str
    fallen: dict[str, float]

    def rows(self) -> Rows:
        """Return the same data for raw SQL."""
        return opened_rows(self.address)


def _revisions() -> str:
    """Return a digest of the migrations: while they are still being written, a file of an older shape is of no use."""
    found = sorted((ROOT / "console" / "storage" / "migrations" / "versions").glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in found)).hexdigest()[:8]


@contextmanager
def opened_world(size: Size) -> Iterator[World]:
    """Give a data set, built now or by an earlier run; PostgreSQL is started for it and stopped afterwards."""
    folder = HOME / size.name
    folder.mkdir(parents=True, exist_ok=True)
    if size.database == "postgres":
        with cluster.running(folder / "pg") as address:
            yield _ready(size, folder, address)
    else:
        yield _ready(size, folder, f"sqlite:///{folder / _FILE}")


def _ready(size: Size, folder: Path, address: str) -> World:
    var = folder / "var"
    var.mkdir(exist_ok=True)
    environ = demo_environ(var)
    environ["SALLYPORT_DATABASE__URL"] = address
    # Every plane shares the one database, so that ours and the floor read the same file.
    environ.update({f"SALLYPORT_DATABASE__PLANES__{plane.upper()}": address for plane in PLANES})
    settings = load_settings(environ)
    people = kept_staff(var)
    marker = folder / "ready.json"
    if not marker.exists():
        write_demo_file(var, people, address="http://127.0.0.1")
        spent = _built(size, settings, people, address)
        marker.write_text(json.dumps({**asdict(size), "seconds": spent}, indent=1) + "\n", encoding="utf-8")
    return World(
        size=size,
        settings=settings,
        environ=environ,
        people={person.key: person for person in people},
        address=address,
        fallen=json.loads(marker.read_text(encoding="utf-8"))["seconds"],
    )


def _built(size: Size, settings: Settings, people: tuple[DemoPerson, ...], address: str) -> dict[str, float]:
    steps: dict[str, float] = {}
    _say(f"Building {size.tenants:,} tenants and {size.entries:,} entries on {size.database} (once; kept in build/)")
    rows = opened_rows(address, is_careless=True)
    rows.reset()
    storage = open_storage(settings, SystemClock())
    try:
        storage.upgrade()
        started = time.perf_counter()
        _hire(storage, settings, people)
        _load_tenants(storage, size)
        steps["tenants"] = time.perf_counter() - started
        started = time.perf_counter()
        _load_deliveries(rows, size)
        steps["deliveries"] = time.perf_counter() - started
        started = time.perf_counter()
        _load_entries(rows, size)
        steps["entries"] = time.perf_counter() - started
        started = time.perf_counter()
        _sequence(storage, settings, size)
        steps["positions"] = time.perf_counter() - started
        rows.prepare_floor()
    finally:
        storage.close()
        rows.close()
    return steps


def _hire(storage: Storage, settings: Settings, people: tuple[DemoPerson, ...]) -> None:
    codes = SealedOneTimeCodes(settings.secrets.sealing_key.get_secret_value())
    passwords, ids = Argon2Passwords(), TimeOrderedIds()
    lately = datetime.now(UTC) - timedelta(days=5)
    with storage.store.write() as unit:
        for person in people:
            staff = StaffId(ids.new("stf"))
            member = StaffMember(
                id=staff,
                person=PersonKey(f"local|{staff}"),
                name=person.name,
                email=person.email,
                roles=frozenset({person.role}),
                kind=StaffKind.PERSON,
                is_active=True,
                created_at=lately,
            )
            unit.staff.add(member)
            hashed, secret = passwords.hashed(person.password), codes.sealed(person.totp_secret)
            unit.staff.set_credentials(staff, Credentials(password_hash=hashed, totp_sealed=secret, totp_last_step=-1))


def _load_tenants(storage: Storage, size: Size) -> None:
    records = demo_world(size.tenants, now=datetime.now(UTC)).records()
    done = 0
    while True:
        unit_of_records = islice(records, _UNIT)
        before = done
        with storage.bulk.write() as unit:
            while batch := list(islice(unit_of_records, _BATCH)):
                unit.put(batch)
                done += len(batch)
                _tell("rows of tenants", done, None)
        if done - before < _UNIT:
            break
    _say("")


def _load_entries(rows: Rows, size: Size) -> None:
    """Write sealed entries straight into the table: the bench's own fast path, with the bytes that the trail writes."""
    tenants = rows.all("SELECT id, name, slug FROM directory_tenant ORDER BY ordinal")
    staff = rows.all("SELECT id, name FROM staff ORDER BY id")
    definitions = rows.drop_indexes("audit_event")
    done = 0
    for bodies in sealed.batches(size.entries, tenants=tenants, staff=staff, per_batch=_RUN):
        rows.insert_entries(bodies)
        done += len(bodies)
        _tell("entries", done, size.entries)
    _say("\nindexing entries …")
    rows.create_indexes(definitions)


def _load_deliveries(rows: Rows, size: Size) -> None:
    """Give the largest tenant its deliveries, one of ten given up."""
    definitions = rows.drop_indexes("plane_webhook_delivery")
    _say(f"  deliveries: {size.deliveries:,}")
    now = int(time.time()) * 1_000_000
    rows.write([(_DELIVERIES, {"most": size.deliveries, "now": now, "slug": LARGEST})])
    _say("indexing deliveries …")
    rows.create_indexes(definitions)


def _sequence(storage: Storage, settings: Settings, size: Size) -> None:
    key = FileSigningKey.opened(settings.trail_key_file, name=settings.trail.name)
    sequencer = storage.sequencer(key, CheckpointFolder(settings.checkpoint_folder))
    done = 0
    while placed := sequencer.run_once(limit=_RUN):
        done += placed
        _tell("positions", done, size.entries)
    _say("")


def _tell(what: str, done: int, total: int | None) -> None:
    share = "" if not total else f" of {total:,}"
    print(f"\r  {what}: {done:,}{share}   ", end="", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
