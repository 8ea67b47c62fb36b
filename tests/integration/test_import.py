"""`sallyport directory import`: all of a file or nothing of it, again and again with one result, one entry."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import document
from console.domain.billing.objects import ObjectKind
from console.domain.decisions import Deny
from console.domain.errors import BadValueError, ConflictError
from console.domain.ids import PlaneId, SessionKey
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingObjectRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.import_fields import row_of
from console.domain.imports import MemberRecord, Record, RowFault, TenantRecord, tenant_id_of
from console.domain.staff import Actor, Role
from console.ports.trail import EntryFilter
from console.storage.house import Storage
from console.usecases.house import House
from console.usecases.import_directory import MOST_FAULTS, Imported, ImportMode, ImportSource, import_directory
from console.usecases.operator import operator
from tests.billing import AN_INVOICE, PAID, told, with_owner
from tests.databases import ENGINES, NOON, CountedIds, HandClock, opened_storage, plane_url, sqlite_url
from tests.integration import cast
from tests.integration.cast import ACME, CATALOGUE_RECORDS, ZETA, scope, tenant_records
from tests.integration.cli_works import Terminal, house_of

ALL: tuple[Record, ...] = (*CATALOGUE_RECORDS, *tenant_records("acme"), *tenant_records("zeta"))


@pytest.fixture(params=ENGINES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: Callable[..., str]) -> Iterator[Storage]:
    with cast.house(request.param, tmp_path, pg_database) as opened:
        yield opened


def rooms(storage: Storage) -> tuple[House, Actor]:
    house = house_of(storage, HandClock(), CountedIds())
    return house, operator(house, account="root", command="sallyport directory import")


def source(*rows: Record | RowFault) -> ImportSource:
    return ImportSource(name="rows.jsonl", rows=list(enumerate(rows, start=1)), sha256=lambda: "0" * 64)


def imported(storage: Storage, *rows: Record | RowFault, mode: ImportMode = ImportMode.WHOLE) -> Imported:
    house, actor = rooms(storage)
    answer = import_directory(house, storage.bulk, actor, source=source(*rows), mode=mode)
    assert isinstance(answer, Imported)
    return answer


def entries(storage: Storage, action: str) -> list[dict[str, object]]:
    with storage.store.read() as unit:
        found = unit.reader.page(EntryFilter(action=action), before=None, limit=50)
        return [json.loads(entry.body) for entry in found]


def slugs(storage: Storage) -> set[str]:
    with storage.store.read() as unit:
        rows = unit.directory.many([tenant_id_of(name) for name in ("acme", "zeta", "other")])
        return {row.slug for row in rows.values()}


def tenant(name: str, **other: str) -> TenantRecord:
    record = tenant_records(name)[0]
    assert isinstance(record, TenantRecord)
    return TenantRecord(**{each: getattr(record, each) for each in record.__dataclass_fields__} | other)


def member(of: str, number: int) -> MemberRecord:
    return MemberRecord(
        tenant=of,
        external_id=f"p{number}",
        name="Pat",
        email=f"p{number}@x.example",
        phone=None,
        role="viewer",
        is_active=True,
        joined_at=NOON,
        last_seen_at=None,
    )


def test_it_keeps_a_whole_file_with_one_entry(storage: Storage) -> None:
    answer = imported(storage, *ALL)
    assert answer.is_kept
    assert answer.rows == len(ALL)
    assert answer.counts["tenant"] == 2
    assert answer.counts["member"] == 8
    assert slugs(storage) == {"acme", "zeta"}
    (entry,) = entries(storage, "directory.imported")
    facts = entry["facts"]
    assert isinstance(facts, dict)
    assert (facts["rows"], facts["faults"], facts["tenant"], facts["mode"]) == (len(ALL), 0, 2, "whole")
    assert (facts["file"], facts["sha256"]) == ("rows.jsonl", "0" * 64)


def test_it_comes_to_the_same_the_second_time(storage: Storage) -> None:
    imported(storage, *ALL)
    again = imported(storage, *ALL)
    assert again.is_kept
    assert slugs(storage) == {"acme", "zeta"}
    assert len(entries(storage, "directory.imported")) == 2


def test_it_keeps_nothing_of_a_file_with_a_fault(storage: Storage) -> None:
    answer = imported(storage, *ALL, RowFault(line=99, field="slug", remedy="is missing"))
    assert not answer.is_kept
    assert answer.fault_count == 1
    assert slugs(storage) == set()
    assert entries(storage, "directory.imported") == []


def test_it_keeps_the_good_rows_where_that_was_asked_for(storage: Storage) -> None:
    answer = imported(storage, *ALL, member("nobody", 1), mode=ImportMode.PARTIAL)
    assert answer.is_kept
    assert [(fault.line, fault.field) for fault in answer.faults] == [(len(ALL) + 1, "tenant")]
    assert slugs(storage) == {"acme", "zeta"}
    facts = entries(storage, "directory.imported")[0]["facts"]
    assert isinstance(facts, dict)
    assert (facts["faults"], facts["mode"]) == (1, "partial")


def test_it_keeps_nothing_of_a_dry_run(storage: Storage) -> None:
    answer = imported(storage, *ALL, mode=ImportMode.TRIAL)
    assert (answer.is_kept, answer.fault_count) == (False, 0)
    assert slugs(storage) == set()


@pytest.mark.parametrize(
    ("rows", "field", "told"),
    [
        ((*CATALOGUE_RECORDS, member("nobody", 1)), "tenant", "no tenant 'nobody'"),
        ((tenant("acme"),), "plan", "no plan 'pro'"),
        ((*CATALOGUE_RECORDS[:1], CATALOGUE_RECORDS[3]), "feature", "no feature 'seats'"),
        ((*CATALOGUE_RECORDS[:4], *(r for r in tenant_records("acme")[:7])), "add_on", "no add-on 'crew'"),
        ((*CATALOGUE_RECORDS, tenant("acme", plane="moon")), "plane", "no plane 'moon'"),
        ((*CATALOGUE_RECORDS, tenant("acme"), tenant("other", slug="acme")), "slug", "'acme' has this slug"),
        ((*CATALOGUE_RECORDS, tenant("acme"), tenant("acme")), "", "stands in this file twice"),
        ((*CATALOGUE_RECORDS, *tenant_records("acme")[1:2], tenant("acme")), "tenant", "above this one"),
    ],
)
def test_it_faults_a_row_that_refers_to_nothing(
    tmp_path: Path, rows: tuple[Record, ...], field: str, told: str
) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        answer = imported(storage, *rows)
    assert not answer.is_kept
    assert [fault.field for fault in answer.faults] == [field]
    assert told in answer.faults[0].remedy
    assert slugs_are_named(answer.faults[0])


def slugs_are_named(fault: RowFault) -> bool:
    return fault.line > 0 and not fault.remedy.endswith(".")


def test_it_finds_what_earlier_imports_brought(storage: Storage) -> None:
    imported(storage, *ALL)
    assert imported(storage, member("acme", 77)).is_kept
    taken = imported(storage, tenant("other", slug="acme"))
    assert [fault.field for fault in taken.faults] == ["slug"]


def test_it_brings_a_mirror_that_never_overwrites_what_was_fetched_since(storage: Storage) -> None:
    imported(storage, *ALL)
    owned = with_owner(AN_INVOICE, "cus_acme1")
    bill = BillingObjectRecord(tenant="acme", object="invoice", document=document(owned), fetched_at=NOON)
    link = BillingCustomerRecord(tenant="acme", customer="cus_new", linked_at=NOON, because="x", unlinked_at=None)
    use = UsageEventRecord(
        tenant="acme", external_id="r1", event="e1", feature="seats", quantity=3, at=NOON, received_at=NOON
    )
    told_set = EffectiveSetRecord(
        tenant="acme", version=3, computed_at=NOON, valid_until=None, inputs_digest="d", source_version=2,
        cause="import", rows=({"feature": "seats", "value": 20, "access": "granted"},),
    )  # fmt: skip
    for _ in range(2):
        assert imported(storage, bill, link, use, told_set).is_kept
    with storage.store.write() as unit:
        plane = unit.tenant(scope(ACME))
        kept = plane.mirror.get(ObjectKind.INVOICE, "in_1")
        assert kept is not None
        assert (kept.thing, kept.fetched_at, kept.api_version) == (owned, NOON, "import")
        assert plane.mirror.customers() == {"cus_acme1", "cus_new"}
        assert unit.inbox.tenant_of_customer("cus_new") == ACME
        fresher = told(with_owner(PAID, "cus_acme1"), at=NOON + timedelta(seconds=1))
        assert plane.mirror.put(fresher)
    assert imported(storage, bill).is_kept
    with storage.store.read() as unit:
        assert unit.tenant(scope(ACME)).mirror.get(ObjectKind.INVOICE, "in_1") == fresher
    with storage.store.read() as unit:
        assert unit.tenant(scope(ZETA)).mirror.side().objects == {}


def test_it_says_which_rule_a_row_breaks(storage: Storage) -> None:
    imported(storage, *ALL)
    (tenant,) = (record for record in ALL if isinstance(record, TenantRecord) and record.slug == "acme")
    nameless = replace(tenant, country=None)  # type: ignore[arg-type]  # no reader of files lets it through
    with pytest.raises(BadValueError, match="country"), storage.bulk.write() as unit:
        unit.put([nameless])
    twin = replace(tenant, external_id="other")
    with pytest.raises(ConflictError, match="another tenant"), storage.bulk.write() as unit:
        unit.put([twin])


@pytest.mark.parametrize("engine", ENGINES)
def test_it_moves_nobody_to_another_plane(engine: str, tmp_path: Path, pg_database: Callable[..., str]) -> None:
    eu = PlaneId("eu")
    planes = {eu: plane_url(engine, tmp_path / "eu.db", pg_database)}
    with opened_storage(sqlite_url(tmp_path / "c.db"), planes=planes) as storage:
        assert imported(storage, *CATALOGUE_RECORDS, tenant("acme", plane="eu"), member("acme", 1)).is_kept
        moved = imported(storage, tenant("acme"))
        assert [fault.field for fault in moved.faults] == ["plane"]


def test_it_lists_a_thousand_faults_and_counts_the_rest(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        answer = imported(storage, *(member("nobody", number) for number in range(MOST_FAULTS + 500)))
    assert len(answer.faults) == MOST_FAULTS
    assert answer.fault_count == MOST_FAULTS + 500


def test_it_counts_a_row_with_two_faults_once(tmp_path: Path) -> None:
    faults = [(1, RowFault(line=1, field=name, remedy="is missing")) for name in ("slug", "name")]
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        house, actor = rooms(storage)
        wrong = ImportSource(name="x", rows=faults, sha256=str)
        answer = import_directory(house, storage.bulk, actor, source=wrong)
    assert isinstance(answer, Imported)
    assert (answer.rows, answer.fault_count) == (1, 2)


def test_it_rolls_back_when_somebody_interrupts(storage: Storage) -> None:
    def rows() -> Iterator[tuple[int, Record]]:
        yield from enumerate((*CATALOGUE_RECORDS, *(tenant(f"t{number}") for number in range(1_100))), start=1)
        raise KeyboardInterrupt

    house, actor = rooms(storage)
    heard: list[int] = []
    stopped = ImportSource(name="x", rows=rows(), sha256=str)
    with pytest.raises(KeyboardInterrupt):
        import_directory(house, storage.bulk, actor, source=stopped, progress=heard.append)
    assert heard == [1_000]
    with storage.store.read() as unit:
        assert unit.directory.get(tenant_id_of("t1")) is None
    assert entries(storage, "directory.imported") == []


def test_it_lets_nobody_import_but_the_operator(tmp_path: Path) -> None:
    with opened_storage(sqlite_url(tmp_path / "c.db")) as storage:
        house, _operator = rooms(storage)
        anna = cast.member_of_staff(cast.ANNA, *Role)
        actor = Actor(
            staff=anna.id,
            person=anna.person,
            name=anna.name,
            email=anna.email,
            roles=anna.roles,
            session=SessionKey("s"),
        )
        answer = import_directory(house, storage.bulk, actor, source=source(*ALL))
        assert isinstance(answer, Deny)
        assert slugs(storage) == set()
        assert len(entries(storage, "directory.import_refused")) == 1


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.settle(sqlite_url(tmp_path / "control.db"))
    return made


def written(folder: Path, *records: Record) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row_of(record))}\n" for record in records))
    return file


def test_it_imports_a_file_from_the_shell(terminal: Terminal) -> None:
    file = written(terminal.folder, *ALL)
    done = terminal("directory", "import", str(file), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["is_kept"] is True
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "Everything was kept." in terminal("directory", "import", str(file)).stdout


def test_it_reads_a_table_of_one_kind(terminal: Terminal) -> None:
    file = terminal.folder / "features.txt"
    file.write_text("key,name,measure,currency\nseats,Seats,limit,EUR\nsso,SSO,sometimes,EUR\n")
    asked = ("directory", "import", str(file), "--format", "csv", "--kind", "feature")
    done = terminal(*asked)
    assert done.exit_code == 4
    assert done.stderr.startswith("line 3: measure: ")
    assert "Nothing was kept" in done.stdout
    partly = terminal(*asked, "--partial")
    assert partly.exit_code == 4
    assert "The good rows were kept." in partly.stdout
    tried = terminal(*asked, "--dry-run", "--json")
    assert tried.exit_code == 4
    assert json.loads(tried.stdout)["fault_count"] == 1


def test_it_says_that_nothing_was_kept_where_no_row_was_good(terminal: Terminal) -> None:
    file = terminal.folder / "features.csv"
    file.write_text("key,name,measure,currency\nsso,SSO,sometimes,EUR\n")
    asked = ("directory", "import", str(file), "--kind", "feature", "--partial")
    done = terminal(*asked)
    assert done.exit_code == 4
    assert "No row was good: nothing was kept." in done.stdout
    assert json.loads(terminal(*asked, "--json").stdout)["is_kept"] is False


def test_it_hashes_the_whole_file_although_reading_ended_at_the_header(terminal: Terminal) -> None:
    file = terminal.folder / "features.csv"
    file.write_text("nonsense\n" + "seats,Seats,limit,EUR\n" * 5)
    done = terminal("directory", "import", str(file), "--kind", "feature", "--json")
    assert json.loads(done.stdout)["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nowhere.csv",), 2, "does not exist"),
        (("rows.txt",), 2, "--format csv"),
        (("rows.csv", "--kind", "feature", "--partial", "--dry-run"), 2, "one of the two"),
        (("rows.csv", "--kind", "feature"), 4, "no rows"),
        (("rows.csv", "--kind", "unicorn"), 2, "unicorn"),
    ],
)
def test_it_says_what_is_wrong_with_the_call(
    terminal: Terminal, arguments: tuple[str, ...], code: int, told: str
) -> None:
    for name in ("rows.txt", "rows.csv"):
        (terminal.folder / name).touch()
    done = terminal("directory", "import", str(terminal.folder / arguments[0]), *arguments[1:])
    assert done.exit_code == code
    assert told in done.stderr


def test_it_lists_the_rest_of_many_faults_as_a_number(terminal: Terminal) -> None:
    file = written(terminal.folder, *(member("nobody", number) for number in range(MOST_FAULTS + 7)))
    done = terminal("directory", "import", str(file))
    assert done.stderr.splitlines()[-1] == "… and 7 more faults."


def test_it_says_that_nothing_was_kept_when_interrupted(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object, **_names: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("console.cli.directory.import_directory", interrupted)
    done = terminal("directory", "import", str(written(terminal.folder, *ALL)))
    assert done.exit_code == 130
    assert "nothing was kept" in done.stderr


def test_it_imports_a_file_of_many_batches(terminal: Terminal) -> None:
    people = (member("acme", number) for number in range(4_500))
    file = written(terminal.folder, *CATALOGUE_RECORDS, tenant("acme"), *people)
    done = terminal("directory", "import", str(file), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["counts"]["member"] == 4_500
