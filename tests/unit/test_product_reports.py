"""What the product tells of its side is read whole or not at all, and the sentence names the field."""

from typing import Any

import pytest

from console.domain.product_reports import ReportFaultError, event_of, report_of

REPORT: dict[str, Any] = {
    "id": "r-1", "sid": "imp_1", "at": "2026-11-29T18:30:00Z", "method": "GET", "route": "/members/<id>",
    "effect": "read", "outcome": "done", "status": 200,
}  # fmt: skip
EVENT: dict[str, Any] = {
    "id": "e-1", "kind": "member.deleted", "tenant": "crm-1", "member": "m-1", "at": "2026-11-29T18:30:00Z",
}  # fmt: skip


def without(told: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != name}


def test_it_reads_what_is_whole() -> None:
    assert (report_of(REPORT).route, report_of(REPORT).code) == ("/members/<id>", None)
    assert report_of(REPORT | {"code": "impersonation.refused"}).code == "impersonation.refused"
    assert event_of(EVENT).member == "m-1"


@pytest.mark.parametrize("name", sorted(REPORT))
def test_a_report_that_leaves_something_out_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ReportFaultError, match=rf"^{name}: is missing\.$"):
        report_of(without(REPORT, name))


@pytest.mark.parametrize("name", sorted(EVENT))
def test_an_event_that_leaves_something_out_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ReportFaultError, match=rf"^{name}: is missing\.$"):
        event_of(without(EVENT, name))


@pytest.mark.parametrize("plain", [None, [], "r-1", 7])
def test_what_is_no_object_is_no_report(plain: object) -> None:
    with pytest.raises(ReportFaultError, match="each one is an object"):
        report_of(plain)


def test_what_it_does_not_know_is_refused_and_not_passed_over() -> None:
    with pytest.raises(ReportFaultError, match="password: there is no such field"):
        report_of(REPORT | {"password": "x"})
