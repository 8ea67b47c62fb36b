"""Every field of a tenant has a class, and the class alone decides how it looks."""

import logging

import pytest
from sqlalchemy import Table

from console.app.scrubbing import ScrubbedRecord
from console.domain.entries import SYSTEM_ACTOR, Entry, EntryDraft, Writer
from console.domain.field_classes import FIELDS, PERSONAL_FIELDS, FieldClass, revealable, shown
from console.domain.header_redaction import redacted_headers
from console.storage import store  # noqa: F401  maps every table
from console.storage.bases import PlaneBase, TenantOwned

SECRETS = (
    "Bearer abcdefghijklmnop",
    "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
    "sk_live_0123456789abcdef",
    "session_token=0123456789abcdef",
    '"password": "correct horse"',
    "Set-Cookie: sid=0123456789abcdef",
    "https://user:hunter2@db.example/x",
    "https://console.example/customer/consents/consent.ten_1.mem_1.cns_1.1.0123456789abcdef",
)
MARKS = ("abcdefghijklmnop", "c2VjcmV0", "0123456789abcdef", "correct horse", "hunter2")


def tenant_columns() -> set[str]:
    """Return every mapped column of tenant-owned tables, as the registry names it."""
    owned = [mapper for mapper in PlaneBase.registry.mappers if issubclass(mapper.class_, TenantOwned)]
    tables = [table for mapper in owned for table in mapper.tables if isinstance(table, Table)]
    return {f"{table.name}.{column.name}" for table in tables for column in table.columns if column.name != "tenant_id"}


def test_every_mapped_column_of_a_tenant_has_a_class() -> None:
    assert tenant_columns() - set(FIELDS) == set(), "say in domain/field_classes.py what these are"


def test_no_class_is_of_a_column_that_is_gone() -> None:
    assert set(FIELDS) - tenant_columns() == set()


@pytest.mark.parametrize("field", sorted(name for name, each in FIELDS.items() if each is FieldClass.PERSONAL))
def test_a_personal_field_shows_its_shape_and_can_be_revealed(field: str) -> None:
    table, _, column = field.partition(".")
    assert column in revealable(table)
    clear = "jo.doe@acme.example" if "email" in field else "+49 30 1234567"
    seen = shown(field, clear)
    assert seen is not None
    assert clear not in seen
    assert seen == PERSONAL_FIELDS[field].mask(clear)


@pytest.mark.parametrize("field", sorted(name for name, each in FIELDS.items() if each is FieldClass.MIXED))
def test_what_programs_wrote_holds_no_secret_when_it_is_shown(field: str) -> None:
    seen = shown(field, " and ".join(SECRETS) + " for jo@acme.example") or ""
    assert [mark for mark in (*MARKS, "jo@acme") if mark in seen] == []


@pytest.mark.parametrize("field", sorted(name for name, each in FIELDS.items() if each is FieldClass.SECRET))
def test_a_secret_is_never_shown(field: str) -> None:
    assert shown(field, "sealed") == "[redacted]"


@pytest.mark.parametrize("class_", [FieldClass.PUBLIC, FieldClass.BUSINESS, FieldClass.NAMED])
def test_what_is_the_tenants_own_affair_is_shown_under_a_lease_as_it_stands(class_: FieldClass) -> None:
    for field in sorted(name for name, each in FIELDS.items() if each is class_):
        assert shown(field, "Jo Doe, 4,900 EUR") == "Jo Doe, 4,900 EUR"
        assert shown(field, None) is None


def test_a_field_without_a_class_is_not_shown_at_all() -> None:
    with pytest.raises(KeyError):
        shown("plane_member.shoe_size", "44")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_log_line_holds_no_secret_in_message_arguments_or_trace(secret: str) -> None:
    broken = ValueError(secret)
    error = (ValueError, broken, broken.__traceback__)
    record = ScrubbedRecord("x", logging.ERROR, __file__, 1, "failed with %s", (secret,), error)
    line = logging.Formatter("%(message)s").format(record)
    assert "failed with" in line
    assert [mark for mark in MARKS if mark in line.replace(__file__, "")] == []


@pytest.mark.parametrize("secret", SECRETS)
def test_an_entry_does_not_repeat_the_secret_in_an_error(secret: str) -> None:
    draft = EntryDraft(action="job.failed", actor=SYSTEM_ACTOR, error=f"OutsideError: {secret}")
    body = Entry(uid="ent_1", ts_us=1, writer=Writer(id="wri_1", n=1, prev=None), draft=draft).body()
    assert [mark for mark in MARKS if mark in str(body["error"])] == []


def test_a_header_that_hides_a_secret_in_its_value_is_scrubbed() -> None:
    kept = dict(redacted_headers([("Location", "https://x.example/?access_token=0123456789abcdef"), ("X-A", "b")]))
    assert "0123456789abcdef" not in kept["location"]
    assert kept["x-a"] == "b"
