"""`tenant.suspend` and `tenant.resume`: one status, both ways, and the directory follows."""

import pytest

from console.actions.tenant import resume, suspend
from console.domain.tenancy import TenantStatus
from tests.unit.fakes import FakeControl, FakePlane, FakeStaffBook, Unchanged, fault_of, shown, tools

BECAUSE = suspend.Params(because="Invoices are unpaid since May.")
USABLE = (TenantStatus.ACTIVE, TenantStatus.TRIAL)


def test_they_build_their_parameters() -> None:
    assert suspend.ACTION.build({"because": "  Invoices are unpaid since May. "}) == BECAUSE
    assert resume.ACTION.build({}) == resume.Params()
    assert (suspend.ACTION.undo, resume.ACTION.undo) == (resume.ACTION.key, suspend.ACTION.key)


@pytest.mark.parametrize("status", USABLE)
def test_it_shows_a_suspension_without_changing_anything(status: TenantStatus) -> None:
    there = FakePlane(status=status)
    with Unchanged(there):
        seen = suspend.preview(BECAUSE, tools(there))
    assert shown(seen) == {
        "Status": (status.value, "suspended"),
        "Access: Seats": ("10 seats", "0 seats (denied) · Invoices are unpaid since May."),
    }
    assert seen.warnings == (
        "Every member loses access at once.",
        "The tenant loses one feature, or part of it, at once.",
    )
    assert seen.fingerprint == {"account_version": 7, "entitlement_version": 3}
    assert "Invoices are unpaid since May." in seen.customer
    assert seen.target_id == "ten_acme"


def test_it_shows_a_resumption_without_changing_anything() -> None:
    there = FakePlane(status=TenantStatus.SUSPENDED)
    with Unchanged(there):
        seen = resume.preview(resume.Params(), tools(there))
    assert shown(seen) == {"Status": ("suspended", "active"), "Access: Seats": ("0 seats (denied)", "10 seats · Plan")}
    assert (seen.warnings, seen.facts) == ((), {})


@pytest.mark.parametrize("status", [TenantStatus.SUSPENDED, TenantStatus.CLOSED])
def test_it_refuses_to_suspend_what_is_out_already(status: TenantStatus) -> None:
    there = FakePlane(status=status)
    with Unchanged(there):
        for function in (suspend.preview, suspend.apply):
            assert fault_of(function, BECAUSE, tools(there))[0] == "tenant"


@pytest.mark.parametrize("status", [*USABLE, TenantStatus.CLOSED])
def test_it_refuses_to_resume_what_is_not_suspended(status: TenantStatus) -> None:
    there = FakePlane(status=status)
    with Unchanged(there):
        for function in (resume.preview, resume.apply):
            assert fault_of(function, resume.Params(), tools(there))[0] == "tenant"


def test_they_change_the_status_and_the_directory() -> None:
    there, books = FakePlane(), FakeControl(staff=FakeStaffBook([]))
    done = suspend.apply(BECAUSE, tools(there, books))
    assert (there.status, there.suspended_because) == (TenantStatus.SUSPENDED, BECAUSE.because)
    assert done.sentence == "The tenant is suspended now."
    resume.apply(resume.Params(), tools(there, books))
    assert (there.status, there.suspended_because) == (TenantStatus.ACTIVE, None)
    assert books.asked == [("directory", "suspended"), ("directory", "active")]


def test_it_works_on_another_plane_where_the_caller_moves_the_directory() -> None:
    there = FakePlane()
    suspend.apply(BECAUSE, tools(there))
    assert there.status is TenantStatus.SUSPENDED


def test_it_says_so_when_somebody_was_faster() -> None:
    there = FakePlane(is_raced=True)
    books = FakeControl(staff=FakeStaffBook([]))
    assert "changed meanwhile" in fault_of(suspend.apply, BECAUSE, tools(there, books))[1]
    assert books.asked == []
