"""Import files: every record can be written and read back, and every fault names line, field and remedy."""

import io
import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.demo.generator import demo_world
from console.domain.billing.canonical_form import document
from console.domain.billing.canonical_form import kind_of as kind_of_object
from console.domain.import_billing import (
    BillingCustomerRecord,
    BillingHoldRecord,
    BillingObjectRecord,
    EffectiveSetRecord,
    UsageEventRecord,
)
from console.domain.import_entitlements import PlanRecord
from console.domain.import_fields import KINDS, kind_of, row_of, rules_of
from console.domain.import_rows import LONGEST_LINE, FileForm, form_of, read_records, validate_row
from console.domain.imports import (
    MemberRecord,
    Record,
    RowFault,
    TenantRecord,
    identity_of,
    member_id_of,
    tenant_id_of,
)
from tests.billing import AN_INVOICE, ONE_OF_EACH

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 19, 16, tzinfo=UTC)
TENANT = {
    "kind": "tenant", "external_id": "crm-1", "slug": "acme-robotics", "name": "Acme Robotics", "region": "eu",
    "plan": "pro", "created_at": "2026-01-02T03:04:05Z",
}  # fmt: skip
MEMBER = {
    "kind": "member", "tenant": "crm-1", "external_id": "m-1", "name": "Ada", "email": "ada@acme.example",
    "joined_at": "2026-01-02T03:04:05+02:00",
}  # fmt: skip

INVOICE = {
    "kind": "billing_object", "tenant": "crm-1", "object": "invoice", "document": document(AN_INVOICE),
    "fetched_at": "2026-01-02T03:04:05Z",
}  # fmt: skip
EFFECTIVE = {
    "kind": "effective_set", "tenant": "crm-1", "version": 1, "computed_at": "2026-01-02T03:04:05Z",
    "inputs_digest": "d", "source_version": 1, "rows": [{"feature": "seats", "value": 20, "access": "granted"}],
}  # fmt: skip
BILLING: tuple[Record, ...] = (
    *(
        BillingObjectRecord(
            tenant="crm-1", object=kind_of_object(thing).value, document=document(thing), fetched_at=NOW,
            raw={"id": thing.id, "said": "a \u201cword\u201d\n"}, is_deleted=thing.id == "re_1",
        )
        for thing in ONE_OF_EACH
    ),
    BillingCustomerRecord(tenant="crm-1", customer="cus_1", linked_at=NOW, because="Signed up", unlinked_at=None),
    BillingCustomerRecord(tenant="crm-1", customer="cus_2", linked_at=NOW, because="Signed up", unlinked_at=NOW),
    UsageEventRecord(
        tenant="crm-1", external_id="r1", event="e1", feature="api_calls", quantity=3, at=NOW, received_at=NOW
    ),
    BillingHoldRecord(
        tenant="crm-1", dispute="dp_1", payment="pi_1", amount_minor=4_900, currency="EUR", opened_at=NOW,
        outcome="lost", reversals=1, plan_at_purchase="pro", plan_used=None, noted_at=NOW,
    ),
    EffectiveSetRecord(
        tenant="crm-1", version=3, computed_at=NOW, valid_until=None, inputs_digest="sha256:1", source_version=2,
        cause="import", rows=({"feature": "seats", "value": 20, "access": "granted", "hard": None},),
    ),
)  # fmt: skip


def read(
    raw: bytes, form: FileForm = FileForm.JSON_LINES, kind: str | None = None
) -> list[tuple[int, Record | RowFault]]:
    file = io.BytesIO(raw)
    return list(read_records(iter(lambda: file.readline(LONGEST_LINE + 1), b""), form=form, kind=kind))


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def faults(found: list[tuple[int, Record | RowFault]]) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.field, fault.remedy) for _, fault in found if isinstance(fault, RowFault)]


def test_it_reads_tenants_and_members_from_json_lines() -> None:
    (first, tenant), (second, member) = read(lines(TENANT, MEMBER))
    assert (first, second) == (1, 2)
    assert isinstance(tenant, TenantRecord)
    assert (tenant.status, tenant.tier, tenant.plane, tenant.domains) == ("active", "shared", "shared", ())
    assert isinstance(member, MemberRecord)
    assert member.joined_at == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert (member.phone, member.role, member.is_active) == (None, "member", True)


def test_it_reads_a_table_of_one_kind() -> None:
    table = '\ufeffkey,name,amount_minor,currency\r\npro,"Pro, ""big""",19000,EUR\r\n\r\nfree,Free,0,EUR\r\n'
    found = read(table.encode(), FileForm.CSV, "plan")
    assert [line for line, _ in found] == [2, 4]
    assert found[0][1] == PlanRecord(key="pro", name='Pro, "big"', amount_minor=19000, currency="EUR")


def test_it_reads_a_table_of_several_kinds() -> None:
    table = (
        b"kind,external_id,slug,name,region,plan,created_at,domains,tenant,email,joined_at,is_active\n"
        b"tenant,crm-1,acme,Acme,eu,pro,2026-01-02T03:04:05Z,acme.example;acme.test,,,,\n"
        b"member,m-1,,Ada,,,,,crm-1,ada@acme.example,2026-01-02T03:04:05Z,false\n"
    )
    tenant, member = (record for _, record in read(table, FileForm.CSV))
    assert isinstance(tenant, TenantRecord)
    assert tenant.domains == ("acme.example", "acme.test")
    assert isinstance(member, MemberRecord)
    assert not member.is_active


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_from_both_forms_as_it_was(kind: str) -> None:
    made = (*demo_world(60, now=NOW).records(), *BILLING)
    records = list(islice((each for each in made if kind_of(each) == kind), 200))
    assert records
    assert [record for _, record in read(lines(*map(row_of, records)))] == records
    assert [record for _, record in read(_table(records), FileForm.CSV, kind)] == records


def _table(records: list[Record]) -> bytes:
    names = [each.name for each in fields(records[0])]
    rows = [",".join(names)]
    for record in records:
        row = row_of(record)
        cells = (_joined(row.get(name, "")) for name in names)
        rows.append(",".join('"{}"'.format(_cell(cell).replace('"', '""')) for cell in cells))
    return "\n".join(rows).encode()


def _joined(value: object) -> str:
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value)
    return " ".join(value) if isinstance(value, list) else str(value)


def _cell(text: str) -> str:
    return {"True": "true", "False": "false"}.get(text, text)


WRONG_ROWS: dict[str, tuple[object, str, str]] = {
    "unknown field": (TENANT | {"xyzzy": "red"}, "xyzzy", "remove it"),
    "typo": (TENANT | {"regoin": "eu"}, "regoin", "did you mean region"),
    "missing field": ({**TENANT, "slug": None}, "slug", "acme-robotics"),
    "unknown kind": (TENANT | {"kind": "user"}, "kind", "member"),
    "no kind": ({k: v for k, v in TENANT.items() if k != "kind"}, "kind", "tenant"),
    "bad slug": (TENANT | {"slug": "Acme Robotics"}, "slug", "acme-robotics"),
    "bad date": (TENANT | {"created_at": "yesterday"}, "created_at", "zone"),
    "date without a zone": (TENANT | {"created_at": "2026-01-02T03:04:05"}, "created_at", "zone"),
    "day without a time": (TENANT | {"created_at": "2026-01-02"}, "created_at", "zone"),
    "date as a number": (TENANT | {"created_at": 1_700_000_000}, "created_at", "zone"),
    "date too early": (TENANT | {"created_at": "0001-01-01T00:00:00+14:00"}, "created_at", "zone"),
    "date before 1970": (TENANT | {"created_at": "1969-01-01T00:00:00Z"}, "created_at", "1970"),
    "name as a number": (TENANT | {"name": 7}, "name", "text"),
    "empty name": (TENANT | {"name": "  "}, "name", "empty"),
    "over-long name": (TENANT | {"name": "a" * 9_000}, "name", "9000"),
    "line break in a name": (TENANT | {"name": "a\nb"}, "name", "control"),
    "a document as text": (INVOICE | {"document": "{}"}, "document", "JSON object"),
    "a document without a field": (INVOICE | {"document": {"id": "in_1"}}, "document", "every field"),
    "a document of another kind": (INVOICE | {"object": "refund"}, "document", "document of one refund"),
    "a document of a price": (INVOICE | {"object": "price"}, "object", "use one of customer"),
    "money that is no whole number": (INVOICE | {"document": document(AN_INVOICE) | {"total_minor": 1.5}}, "document",
                                      "canonical document"),
    "a moment beyond time": (INVOICE | {"document": document(AN_INVOICE) | {"issued_at": 10**18}}, "document",
                             "canonical document"),
    "money beyond all stores": (INVOICE | {"document": document(AN_INVOICE) | {"total_minor": 10**19}}, "document",
                                "smaller"),
    "NUL in a document": (INVOICE | {"document": document(AN_INVOICE) | {"status": "a\x00"}}, "document", "control"),
    "rows that are no objects": (EFFECTIVE | {"rows": ["seats"]}, "rows", "list of JSON objects"),
    "a row without a value": (EFFECTIVE | {"rows": [{"feature": "seats", "access": "granted"}]}, "rows", "whole value"),
    "a row with a text that nobody can store": (
        EFFECTIVE | {"rows": [{"feature": "seats", "value": 20, "access": "granted", "why": ["a\x00b"]}]},
        "rows",
        "without control characters",
    ),
    "a row with a number that nobody can store": (
        EFFECTIVE | {"rows": [{"feature": "seats", "value": 2**64, "access": "granted"}]}, "rows", "smaller numbers",
    ),
    "NUL in a name": (TENANT | {"name": "a\x00b"}, "name", "control"),
    "half a character in a name": (TENANT | {"name": "a\ud800"}, "name", "control"),
    "unknown status": (TENANT | {"status": "asleep"}, "status", "suspended"),
    "unknown tier": (TENANT | {"tier": "gold"}, "tier", "dedicated"),
    "domains as a text": (TENANT | {"domains": "acme.example"}, "domains", "list"),
    "domain with a space": (TENANT | {"domains": ["acme .example"]}, "domains", "acme.example"),
    "country in words": (TENANT | {"country": "Germany"}, "country", "2"),
    "e-mail without an at": (MEMBER | {"email": "ada"}, "email", "ada@"),
    "truth as a word": (MEMBER | {"is_active": "yes"}, "is_active", "true or false"),
    "truth as a number": (MEMBER | {"is_active": 1}, "is_active", "true or false"),
    "number as a text": ({"kind": "entitlement", "plan": "p", "feature": "f", "value": "5"}, "value", "whole number"),
    "number with a fraction": ({"kind": "entitlement", "plan": "p", "feature": "f", "value": 5.5}, "value", "whole"),
    "negative number": ({"kind": "entitlement", "plan": "p", "feature": "f", "value": -1}, "value", "from 0"),
    "huge number": ({"kind": "entitlement", "plan": "p", "feature": "f", "value": 10**30}, "value", "from 0"),
    "list": ([TENANT], "", "one JSON object"),
    "half a character as a field": (TENANT | {"\ud800": 1}, "?", "not a field"),
}  # fmt: skip


@pytest.mark.checklist("V2.2.1")
@pytest.mark.parametrize(("row", "field", "remedy"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_wrong_row_names_line_field_and_remedy(row: object, field: str, remedy: str) -> None:
    found = read(lines(TENANT, row, MEMBER))
    assert [line for line, each in found if not isinstance(each, RowFault)] == [1, 3]
    ((line, named, said),) = faults(found)
    assert (line, named) == (2, field)
    assert remedy in said
    said.encode()


@pytest.mark.parametrize(
    ("raw", "remedy"),
    [(b"{", "one JSON object"), (b'{"kind": "plan", "kind": "plan"}', "twice"), (b'{"a": NaN}', "number"),
     (b'{"kind": "tenant", "name": "J\xfcrgen"}', "UTF-8"), (b"\xff\xfe{\x00", "UTF-8"), (b"[" * 100_000, "JSON"),
     (b'{"kind": "tenant", "name": "' + b"a" * 3_000_000 + b'"}', "shorten")],
    ids=["cut off", "field twice", "NaN", "Latin-1", "UTF-16", "deep", "endless"],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_one_fault(raw: bytes, remedy: str) -> None:
    found = read(lines(TENANT) + raw + b"\n" + lines(MEMBER))
    assert [line for line, each in found if not isinstance(each, RowFault)] == [1, 3]
    ((line, _, said),) = faults(found)
    assert line == 2
    assert remedy in said


def test_one_row_tells_everything_that_is_wrong_with_it() -> None:
    row = TENANT | {"slug": "No", "status": "x", "colour": "red"}
    assert {field for _, field, _ in faults(read(lines(row)))} == {"slug", "status", "colour"}


TABLES: dict[str, tuple[bytes, str | None, int, str, str]] = {
    "unknown column": (b"key,xyzzy\npro,red\n", "plan", 1, "xyzzy", "remove it"),
    "column twice": (b"key,key\npro,pro\n", "plan", 1, "key", "once"),
    "no kind": (b"key,name\npro,Pro\n", None, 1, "kind", "--kind"),
    "too few cells": (b"key,name,amount_minor,currency\npro,Pro\n", "plan", 2, "", "4 cells"),
    "too many cells": (b"key,name,amount_minor,currency\np,P,1,EUR,x\n", "plan", 2, "", "4 cells"),
    "words for a number": (b"key,name,amount_minor,currency\np,P,1e3,EUR\n", "plan", 2, "amount_minor", "whole"),
    "other digits": ("key,name,amount_minor,currency\np,P,٣,EUR\n".encode(), "plan", 2, "amount_minor", "whole"),
    "Latin-1": (b"key,name,amount_minor,currency\np,J\xfcrgen,1,EUR\n", "plan", 2, "name", "UTF-8"),
    "open quote": (b'key,name,amount_minor,currency\np,"P,1,EUR\n', "plan", 2, "", "quotes"),
    "field of another kind": (
        b"kind,key,name,amount_minor,currency,slug\nplan,p,P,1,EUR,acme\n", None, 2, "slug", "not a field",
    ),
    "another kind than announced": (b"kind,key\nfeature,p\n", "plan", 2, "kind", "announced"),
}  # fmt: skip


@pytest.mark.parametrize("cell", ['"{seats: 3}"', '"{""feature"": NaN}"', "[" * 2_000, "12"])
def test_a_cell_that_holds_no_json_is_a_fault_and_not_a_crash(cell: str) -> None:
    table = "tenant,version,computed_at,inputs_digest,source_version,rows\ncrm-1,1,2026-01-02T03:04:05Z,d,1," + cell
    found = faults(read(f"{table}\n".encode(), FileForm.CSV, "effective_set"))
    assert [(line, field) for line, field, _ in found] == [(2, "rows")]


@pytest.mark.parametrize(("table", "kind", "line", "field", "remedy"), TABLES.values(), ids=TABLES)
def test_a_wrong_table_names_line_field_and_remedy(
    table: bytes, kind: str | None, line: int, field: str, remedy: str
) -> None:
    found = faults(read(table, FileForm.CSV, kind))
    assert any(found_line == line and named == field and remedy in said for found_line, named, said in found), found


def test_a_line_without_end_in_a_table_is_one_fault() -> None:
    table = b"key,name,amount_minor,currency\n" + b"p" * 3_000_000 + b"\nq,Q,1,EUR\n"
    found = read(table, FileForm.CSV, "plan")
    assert faults(found) == [(2, "", "shorten the line to 1000000 bytes")]
    assert [line for line, each in found if isinstance(each, PlanRecord)] == [3]


def test_a_good_row_after_a_bad_one_is_still_read() -> None:
    table = b"key,name,amount_minor,currency\np,P,x,EUR\nq,Q,1,EUR\n"
    assert [line for line, each in read(table, FileForm.CSV, "plan") if isinstance(each, PlanRecord)] == [3]


def test_it_never_holds_more_than_a_row() -> None:
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield lines(TENANT)

    stream = read_records(endless(), form=FileForm.JSON_LINES)
    for _ in range(100):
        next(stream)
    assert asked == 100


@given(st.binary(max_size=400), st.sampled_from(FileForm), st.sampled_from([None, *KINDS]))
def test_no_bytes_break_the_reader(raw: bytes, form: FileForm, kind: str | None) -> None:
    for line, found in read(raw, form, kind):
        assert line >= 0
        if isinstance(found, RowFault):
            assert found.remedy.encode()


def test_an_unknown_kind_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="not a kind"):
        read(b"", kind="user")


def test_ids_stay_the_same_and_do_not_collide() -> None:
    assert tenant_id_of("crm-1") == tenant_id_of("crm-1")
    assert member_id_of("a", "bc") != member_id_of("ab", "c")
    ids = {tenant_id_of(f"crm-{number}") for number in range(20_000)}
    assert len(ids) == 20_000
    assert all(each.startswith("ten_") and len(each) == 30 for each in ids)


def test_the_identity_of_a_record_holds_its_tenant() -> None:
    tenant = validate_row(1, {k: v for k, v in TENANT.items() if k != "kind"}, kind="tenant")
    member = validate_row(1, {k: v for k, v in MEMBER.items() if k != "kind"}, kind="member")
    assert isinstance(tenant, TenantRecord)
    assert isinstance(member, MemberRecord)
    assert identity_of(tenant) == ("crm-1",)
    assert identity_of(member) == ("crm-1", "m-1")
    assert len({(kind_of(each), *identity_of(each)) for each in demo_world(50, now=NOW).records()}) == sum(
        1 for _ in demo_world(50, now=NOW).records()
    )


def test_the_form_is_known_by_the_name() -> None:
    assert (form_of("a/b.JSONL"), form_of("b.ndjson"), form_of("c.csv")) == ("jsonl", "jsonl", "csv")
    assert form_of("d.xlsx") is None


@pytest.mark.parametrize("kind", KINDS)
def test_rules_and_records_have_the_same_fields(kind: str) -> None:
    assert list(rules_of(kind)) == [each.name for each in fields(KINDS[kind])]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_documented(kind: str) -> None:
    _, _, section = (ROOT / "docs" / "import.md").read_text("utf-8").partition(f"\n### `{kind}`\n")
    table = section.partition("\n### ")[0]
    for name, rule in rules_of(kind).items():
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` ")]
        assert rule.shape.value in row
        assert ("yes" if rule.is_required else "no") in row


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.*")), ids=lambda file: file.name)
def test_the_examples_are_read_without_a_fault(file: Path) -> None:
    form = form_of(file.name)
    if form is None:
        pytest.skip("not an import file")
    kind = "member" if file.name == "members.csv" else None
    found = read(file.read_bytes(), form, kind)
    assert found
    assert faults(found) == []
