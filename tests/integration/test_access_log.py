"""The customer's log over real databases: every access once, in order, delayed and held back as policy says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.domain.ids import ActionKey, MemberId, ReasonCode
from console.domain.imports import MemberRecord, member_id_of
from console.domain.reasons import Reason
from console.domain.staff import Origin
from console.domain.trust.links import Link, LinkKind
from console.usecases.access_lines import access_lines
from console.usecases.customer_door import NotKnown, TooOften
from console.usecases.execute_request import execute_request
from console.usecases.open_lease import end_lease
from console.usecases.outcomes import Ran, Waiting
from console.usecases.publish_accesses import publish_accesses
from console.usecases.read_access_log import CustomerPage, read_customer_page
from console.usecases.read_tenant import Overview, read_overview
from console.usecases.serve_access_log import LogPage, LogSheet, serve_access_log, show_access_log
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.kill_world import sequencer_in
from tests.integration.stage import CONTRACT, FRAUD, Stage, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import LONG_AGO

TICKET = Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-48213")
MATTER = Reason(code=ReasonCode("LEGAL_PROCESS"), reference="MAT-12", note="A court order, file 7.")
MAKE, REVOKE, HOLD, RELEASE = (
    ActionKey(key) for key in ("customer_token.make", "customer_token.revoke", "legal_hold.set", "legal_hold.release")
)
TOKEN = {"label": "SIEM of Acme", "opens": "log"}


@dataclass
class Desk:
    """A stage whose clock a test moves, and the customer's log beside it."""

    stage: Stage
    clock: HandClock
    folder: Path

    def publish(self) -> None:
        """Let the sequencer and the publisher run until nothing is left."""
        sequencer_in(self.stage, self.folder).run_once()
        while publish_accesses(self.stage.house):
            pass

    def look(self, who: str = "support_lead", slug: str = "acme", reason: Reason = TICKET) -> None:
        """Open the tenant, read its first page, close it again."""
        lease = self.stage.open(who, slug, reason)
        actor = self.stage.actor(who)
        assert isinstance(read_overview(self.stage.house, actor, tenant=tenant(slug)), Overview)
        self.clock.pass_by(minutes=3)
        end_lease(self.stage.house, actor, lease=lease.id)

    def two_people(self, key: ActionKey, raw: dict[str, str], *, reason: Reason) -> Ran:
        """Let one support lead ask, another approve, and the first run it."""
        self.stage.open("support_lead", "acme", reason)
        answer = self.stage.ask("support_lead", "acme", key, raw, reason=reason)
        assert isinstance(answer, Waiting), answer
        voted = self.stage.approve("support_lead_2", answer.request)
        if voted.execution is not None:
            assert isinstance(voted.execution, Ran), voted.execution
            return voted.execution
        ran = execute_request(self.stage.house, self.stage.actor("support_lead"), request_id=answer.request.id)
        assert isinstance(ran, Ran), ran
        return ran

    def token(self) -> str:
        """Return a token of the tenant's programs."""
        return self.two_people(MAKE, TOKEN, reason=CONTRACT).applied.shown["Token"]

    def feed(self, token: str, after: int = 0, limit: int = 200) -> LogPage:
        """Return what a program of the tenant reads."""
        page = serve_access_log(self.stage.house, token=token, after=after, limit=limit, origin=Origin(ip="192.0.2.1"))
        assert isinstance(page, LogPage), page
        return page

    def page(self) -> CustomerPage:
        """Return what staff see of the customer's side."""
        self.stage.open("support_lead", "acme", TICKET)
        page = read_customer_page(
            self.stage.house, self.stage.actor("support_lead"), tenant=tenant("acme"), before=None
        )
        assert isinstance(page, CustomerPage), page
        return page


def told(page: LogPage) -> list[tuple[str, str]]:
    return [(each.line.did, each.line.reference) for each in page.lines]


def of_reference(page: LogPage, reference: str) -> list[Any]:
    return [each.line for each in page.lines if each.line.reference == reference]


@pytest.fixture(params=ENGINES)
def desk(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Desk]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    clock = HandClock()
    with opened_stage(url, planes, clock=clock) as stage:
        settle_in(stage, ["acme", "globex"])
        yield Desk(stage, clock, tmp_path)


def test_it_shows_every_access_once_and_in_order(desk: Desk) -> None:
    desk.look()
    token = desk.token()
    desk.publish()
    desk.publish()
    page = desk.feed(token)
    assert told(page)[:3] == [
        ("Opened your workspace", "SUP-48213"),
        ("Read a page of your workspace", "SUP-48213"),
        ("Closed your workspace", "SUP-48213"),
    ]
    assert ("Ran “Make a customer token”", "CTR-2026-117") in told(page)
    assert [each.disclosure.number for each in page.lines] == list(range(1, len(page.lines) + 1))
    assert page.lines[2].line.minutes == 3
    accesses = desk.stage.count(
        "SELECT count(*) FROM audit_event WHERE tenant = ? AND outcome = 'success' AND action IN"
        " ('lease.open', 'lease.end', 'tenant.read', 'request.previewed', 'request.read', 'action.executed')",
        tenant("acme"),
    )
    assert accesses == len(page.lines)


def test_it_pages_by_number_without_loss(desk: Desk) -> None:
    token = desk.token()
    for _ in range(3):
        desk.look()
    desk.publish()
    whole, after, parts = desk.feed(token), 0, list[int | None]()
    while True:
        part = desk.feed(token, after, limit=2)
        parts += [each.disclosure.number for each in part.lines]
        after = part.after
        if not part.has_more:
            break
    assert parts == [each.disclosure.number for each in whole.lines]
    assert desk.feed(token, after).lines == []


def test_the_same_person_has_one_pseudonym_here_and_another_there(desk: Desk) -> None:
    desk.look()
    desk.look()
    desk.look(slug="globex")
    desk.publish()
    with desk.stage.house.store.read() as unit:
        here = desk.stage.house, unit, unit.disclosures.shown(tenant("acme"), before=None, limit=50)
        there = desk.stage.house, unit, unit.disclosures.shown(tenant("globex"), before=None, limit=50)
        from_here, from_there = _pseudonyms(*here), _pseudonyms(*there)
    assert len(from_here) == len(from_there) == 1
    assert from_here != from_there


def _pseudonyms(house: Any, unit: Any, shown: Any) -> set[str]:  # noqa: ANN401
    return {each.line.staff for each in access_lines(house, unit, shown)}


def test_a_fraud_review_appears_after_its_delay_and_not_before(desk: Desk) -> None:
    token = desk.token()
    desk.look(reason=FRAUD)
    desk.publish()
    assert of_reference(desk.feed(token), FRAUD.reference) == []
    assert {each.is_held for each in desk.page().waiting} == {False}
    began = desk.clock.now()
    desk.clock.pass_by(days=29)
    desk.publish()
    assert of_reference(desk.feed(token), FRAUD.reference) == []
    desk.clock.pass_by(days=1)
    desk.publish()
    lines = of_reference(desk.feed(token), FRAUD.reference)
    assert len(lines) == 3
    assert all(line.at <= began for line in lines)
    assert desk.stage.entries("disclosure.released") == 1


def test_what_appears_late_comes_after_what_a_program_has_read(desk: Desk) -> None:
    token = desk.token()
    desk.look(reason=FRAUD)
    desk.look()
    desk.publish()
    read = desk.feed(token).after
    desk.clock.pass_by(days=31)
    desk.publish()
    late = desk.feed(token, read)
    assert {each.line.reference for each in late.lines} == {FRAUD.reference}


def test_a_legal_hold_keeps_everything_of_its_matter_back_and_its_date_releases_it(desk: Desk) -> None:
    token = desk.token()
    until = (desk.clock.now() + timedelta(days=20)).date()
    desk.two_people(HOLD, {"until": until.isoformat()}, reason=MATTER)
    desk.look(reason=MATTER)
    desk.look()
    desk.publish()
    desk.clock.pass_by(days=10)
    desk.publish()
    assert of_reference(desk.feed(token), MATTER.reference) == []
    assert "hold" not in repr(told(desk.feed(token))).lower()
    assert of_reference(desk.feed(token), TICKET.reference)
    assert {each.is_held for each in desk.page().waiting if each.access.line.reference == "MAT-12"} == {True}
    desk.clock.pass_by(days=10)
    desk.publish()
    lines = of_reference(desk.feed(token), MATTER.reference)
    assert "Ran “Set a legal hold”" in {line.did for line in lines}
    assert "Read a page of your workspace" in {line.did for line in lines}


def test_a_hold_that_is_released_lets_go_at_once(desk: Desk) -> None:
    token = desk.token()
    until = (desk.clock.now() + timedelta(days=200)).date()
    desk.two_people(HOLD, {"until": until.isoformat()}, reason=MATTER)
    desk.look(reason=MATTER)
    desk.clock.pass_by(days=3)
    desk.publish()
    (hold,) = desk.page().holds
    desk.two_people(RELEASE, {"hold": hold.id}, reason=MATTER)
    desk.publish()
    assert of_reference(desk.feed(token), MATTER.reference)


def test_a_legal_matter_without_a_hold_is_shown_after_its_day(desk: Desk) -> None:
    token = desk.token()
    desk.look(reason=MATTER)
    desk.publish()
    assert of_reference(desk.feed(token), MATTER.reference) == []
    desk.clock.pass_by(days=1, minutes=5)
    desk.publish()
    assert of_reference(desk.feed(token), MATTER.reference)


def test_a_revoked_or_foreign_token_reads_nothing_and_is_recorded(desk: Desk) -> None:
    token = desk.token()
    (kept,) = desk.page().tokens
    answer = desk.stage.ask("support_lead", "acme", REVOKE, {"token": kept.id}, reason=TICKET)
    assert isinstance(answer, Ran), answer
    for given in (token, "spc_" + "x" * 43, "", token + "x"):
        answer_ = serve_access_log(desk.stage.house, token=given, after=0, limit=9, origin=Origin(ip="192.0.2.7"))
        assert isinstance(answer_, NotKnown)
    assert desk.stage.entries("customer.refused") == 4
    assert desk.stage.count("SELECT count(*) FROM customer_token WHERE hash = ?", token) == 0


def test_a_token_of_one_tenant_never_reads_of_another(desk: Desk) -> None:
    token = desk.token()
    desk.look(slug="globex", reason=Reason(code=ReasonCode("CUSTOMER_SUPPORT"), reference="SUP-777"))
    desk.publish()
    assert of_reference(desk.feed(token), "SUP-777") == []


def test_a_program_that_asks_too_often_is_slowed(desk: Desk) -> None:
    token = desk.token()
    for _ in range(desk.stage.house.book.limits.customer_reads_per_minute):
        desk.feed(token)
    slowed = serve_access_log(desk.stage.house, token=token, after=0, limit=9, origin=Origin(ip="192.0.2.1"))
    assert isinstance(slowed, TooOften)
    desk.clock.pass_by(minutes=1, seconds=1)
    desk.feed(token)


def test_reading_the_log_is_recorded_in_the_tenants_own_trail(desk: Desk) -> None:
    token = desk.token()
    desk.publish()
    desk.feed(token)
    desk.feed(token, 10_000)
    assert desk.stage.entries("customer.log_read") == 1


def test_an_administrator_reads_the_same_by_a_link_page_by_page(desk: Desk) -> None:
    boss = MemberRecord(
        tenant="acme", external_id="boss", name="Boss", email="boss@acme.example", phone=None, role="owner",
        is_active=True, joined_at=LONG_AGO, last_seen_at=None,
    )  # fmt: skip
    with desk.stage.storage.bulk.write() as bulk:
        bulk.put([boss])
    for _ in range(20):
        desk.look()
    desk.look(slug="globex")
    desk.publish()
    fed = desk.feed(desk.token())
    made = Link(
        kind=LinkKind.LOG, tenant=tenant("acme"), member=MemberId(member_id_of("acme", "boss")), subject="0",
        until=desk.clock.now() + timedelta(days=14),
    )  # fmt: skip
    link = made.signed(desk.stage.house.fingerprints.of)
    read: list[int | None] = []
    before: int | None = None
    while True:
        sheet = show_access_log(desk.stage.house, link=link, before=before, origin=Origin(ip="192.0.2.9"))
        assert isinstance(sheet, LogSheet), sheet
        read += [each.disclosure.number for each in sheet.lines]
        if sheet.older is None:
            break
        before = sheet.older
    assert read == sorted((each.disclosure.number or 0 for each in fed.lines), reverse=True)
    assert len(read) > 50
    assert desk.stage.entries("customer.log_read") == 1 + 2
    desk.clock.pass_by(days=14)
    late = show_access_log(desk.stage.house, link=link, before=None, origin=Origin(ip="192.0.2.9"))
    assert isinstance(late, NotKnown)
    assert desk.stage.entries("customer.refused") == 1
