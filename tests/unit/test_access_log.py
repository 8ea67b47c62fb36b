"""What a customer reads of an entry: every access of a person, in plain words, and nothing private of that person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.domain.catalogue import CATALOGUE, Kind, Outcome
from console.domain.disclosure import DisclosureRule, LegalHold, Shown
from console.domain.entries import (
    SYSTEM_ACTOR,
    ActorKind,
    ActorRef,
    Entry,
    EntryDraft,
    Exposure,
    TargetRef,
    TenantRef,
    Writer,
)
from console.domain.ids import ReasonCode, StaffId, TenantId
from console.domain.reasons import Reason
from console.domain.trust.access_log import AccessLine, is_access, is_worth_a_letter, line_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOOR = ActorRef(id="stf_noor", kind=ActorKind.STAFF, name="Noor Haddad", roles=("support_agent",))
ACME = TenantRef(id="ten_acme", name="Acme GmbH", slug="acme", source="lease")
TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-1", note="They sounded angry on the phone.")


def body(action: str = "tenant.read", **fields: Any) -> dict[str, Any]:  # noqa: ANN401  fields of EntryDraft
    usual: dict[str, Any] = {"actor": NOOR, "tenant": ACME, "reason": TICKET}
    draft = EntryDraft(action=action, **(usual | fields))
    writer = Writer(id="wri_1", n=1, prev=None)
    return dict(Entry(uid="ent_1", ts_us=int(NOON.timestamp() * 1_000_000) + 7, writer=writer, draft=draft).body())


def line(entry: dict[str, Any]) -> AccessLine:
    return line_of(
        entry,
        pseudonym=lambda staff: f"staff-{len(staff)}",
        country={"stf_noor": "DE"}.get,
        labels={"CUSTOMER_SUPPORT": "Customer support"},
        titles={"tenant.suspend": "Suspend the tenant"},
        position=5,
    )


def test_it_tells_when_who_why_and_what() -> None:
    told = line(body(targets=(TargetRef(type="page", id="members", name="Members of Acme"),)))
    assert (told.at, told.did) == (NOON + timedelta(microseconds=7), "Read a page of your workspace")
    assert (told.reason, told.reference, told.staff, told.country) == ("Customer support", "SUP-1", "staff-8", "DE")
    assert [(thing.kind, thing.id) for thing in told.objects] == [("page", "members")]
    assert (told.outcome, told.position) == ("done", 5)


def test_it_never_tells_a_name_a_note_or_what_is_inside_the_house() -> None:
    inner = (
        TargetRef(type="staff", id="stf_other", name="Lea Schulz"),
        TargetRef(type="request", id="req_1"),
        TargetRef(type="member", id="mem_1", name="Jo of Acme"),
    )
    told = repr(line(body(targets=inner)))
    for private in ("Noor", "Haddad", "stf_noor", "Lea", "stf_other", "req_1", "angry", "Jo of", "support_agent"):
        assert private not in told
    assert "mem_1" in told


def test_it_names_the_action_that_ran_and_how_it_ended() -> None:
    ran = body("action.executed", governed="tenant.suspend")
    assert line(ran).did == "Ran “Suspend the tenant”"
    failed = body("action.failed", governed="tenant.suspend", error="The plane fell over.")
    assert (line(failed).outcome, "fell over" in repr(line(failed))) == ("failed", False)


def test_it_does_not_name_what_was_only_previewed() -> None:
    assert "Suspend" not in line(body("request.previewed", governed="tenant.suspend")).did


@pytest.mark.parametrize("name", [name for name, each in CATALOGUE.items() if each.kind is Kind.READ])
def test_every_reading_of_a_tenant_by_a_person_is_an_access(name: str) -> None:
    governed = "tenant.suspend" if CATALOGUE[name].is_governed else None
    assert is_access(body(name, governed=governed))


def test_what_was_refused_asked_for_or_done_by_the_house_is_none() -> None:
    refused = body("tenant.read_refused")
    assert refused["outcome"] == Outcome.DENIED
    for other in (
        refused,
        body("request.proposed", governed="tenant.suspend"),
        body("request.vote", governed="tenant.suspend"),
        body("access.recalculated", actor=SYSTEM_ACTOR, reason=None),
        body("tenant.read", tenant=None),
        body("customer.log_read", actor=ActorRef(id="cut_1", kind=ActorKind.CUSTOMER, name="A program")),
    ):
        assert not is_access(other)


@pytest.mark.parametrize("kind", [Kind.INTENT, Kind.SESSION, Kind.SYSTEM])
def test_what_reaches_nothing_of_a_tenant_is_none_though_a_person_did_it(kind: Kind) -> None:
    """An intent is followed by its outcome, which is told; a session is the house's own affair."""
    assert not is_access(body("action.executed", governed="tenant.suspend") | {"kind": kind.value})


def test_what_has_no_words_yet_is_told_by_what_it_is() -> None:
    assert line(body() | {"action": "ledger.read"}).did == "Looked at your data"
    assert line(body("action.executed", governed="tenant.suspend") | {"action": "ledger.moved"}).did == (
        "Worked on your data"
    )


def test_what_it_does_not_know_is_shown() -> None:
    """A new kind of work on a tenant reaches the customer without anybody thinking of it."""
    assert is_access(body("finding.opened", kind=Kind.ACTION))


def test_the_end_of_a_lease_by_the_clock_is_told_with_its_minutes() -> None:
    facts = {"lease": "lea_1", "because": "time", "staff": "stf_noor", "minutes": 30}
    told = line(body("lease.expired", actor=SYSTEM_ACTOR, facts=facts))
    assert (told.staff, told.minutes) == ("staff-8", 30)
    assert is_access(body("lease.expired", actor=SYSTEM_ACTOR, facts=facts))


def test_work_without_a_reason_code_says_so() -> None:
    told = line(body(reason=None, exposure=Exposure(records=1)))
    assert (told.reason_code, told.reason) == (None, "No reason code: work that needs none")


def test_a_delay_counts_from_the_access() -> None:
    rule = DisclosureRule(shown=Shown.DELAYED, delay_days=30)
    assert rule.due(NOON) == NOON + timedelta(days=30)


def test_a_hold_stands_until_its_date_or_its_release() -> None:
    hold = LegalHold(
        id="lgh_1",
        tenant=TenantId("ten_acme"),
        reference="MAT-1",
        until=NOON + timedelta(days=1),
        set_at=NOON,
        set_by=StaffId("stf_noor"),
    )
    assert hold.stands(NOON)
    assert not hold.stands(NOON + timedelta(days=1))


def test_of_what_lasts_a_while_only_the_beginning_is_worth_a_letter() -> None:
    assert is_worth_a_letter(body("lease.open"))
    assert is_worth_a_letter(body("action.executed", governed="tenant.suspend"))
    for other in (body(), body("lease.end"), body("request.previewed", governed="tenant.suspend")):
        assert not is_worth_a_letter(other)
