"""Many at once on the customer's side: one answer counts, and every access gets one number, without a gap."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console.domain.ids import MemberId
from console.domain.imports import MemberRecord, member_id_of
from console.domain.staff import Origin
from console.domain.trust.consents import ConsentVerdict
from console.domain.trust.links import Link, LinkKind
from console.usecases.decide_consent import Question, TooLate, decide_by_link
from console.usecases.outcomes import Ran
from console.usecases.publish_accesses import publish_accesses
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.customer_desk import ASK, QUESTION, TICKET
from tests.integration.kill_world import sequencer_in
from tests.integration.stage import Stage, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import LONG_AGO

AT_ONCE = 6
ROUNDS = 5


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database)
    with opened_stage(url, planes, clock=HandClock(), pool_size=2 * AT_ONCE) as opened:
        settle_in(opened, ["acme"])
        with opened.storage.bulk.write() as bulk:
            bulk.put([_boss(number) for number in range(AT_ONCE)])
        yield opened


def _boss(number: int) -> MemberRecord:
    return MemberRecord(
        tenant="acme", external_id=f"boss{number}", name=f"Boss {number}", email=f"boss{number}@acme.example",
        phone=None, role="owner", is_active=True, joined_at=LONG_AGO, last_seen_at=None,
    )  # fmt: skip


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Let every call begin in the same moment."""
    start = threading.Barrier(len(calls), timeout=10)

    def run(call: Callable[[], object]) -> object:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_many_answers_at_once_one_counts(stage: Stage) -> None:
    for _ in range(ROUNDS):
        stage.open("support_agent", "acme", TICKET)
        assert isinstance(stage.ask("support_agent", "acme", ASK, QUESTION, reason=TICKET), Ran)
        with stage.house.store.read() as unit:
            consent = unit.consents.of_tenant(tenant("acme"), limit=1)[0]
        links = [
            Link(
                kind=LinkKind.CONSENT,
                tenant=consent.tenant,
                member=MemberId(member_id_of("acme", f"boss{number}")),
                subject=consent.id,
                until=consent.decide_by,
            ).signed(stage.house.fingerprints.of)
            for number in range(AT_ONCE)
        ]
        verdicts = [list(ConsentVerdict)[number % 2] for number in range(AT_ONCE)]

        def answer(link: str, verdict: ConsentVerdict) -> object:
            return decide_by_link(stage.house, link=link, verdict=verdict, origin=Origin(ip="192.0.2.9"))

        calls = [
            (lambda link=link, verdict=verdict: answer(link, verdict))
            for link, verdict in zip(links, verdicts, strict=True)
        ]
        kinds = [type(each) for each in at_once(list(calls))]
        assert (kinds.count(Question), kinds.count(TooLate)) == (1, AT_ONCE - 1)
    assert stage.entries("consent.approved") + stage.entries("consent.refused") == ROUNDS


def test_many_publishers_number_every_access_once_and_without_a_gap(stage: Stage, tmp_path: Path) -> None:
    sequencer = sequencer_in(stage, tmp_path)
    for _ in range(ROUNDS):
        for _ in range(4):
            stage.open("support_lead", "acme", TICKET)
        sequencer.run_once()
        at_once([lambda: publish_accesses(stage.house) for _ in range(AT_ONCE)])
    while publish_accesses(stage.house):
        pass
    with stage.house.store.read() as unit:
        shown = unit.disclosures.shown_after(tenant("acme"), number=0, limit=500)
    assert [each.number for each in shown] == list(range(1, len(shown) + 1))
    accesses = stage.count("SELECT count(*) FROM audit_event WHERE action IN ('lease.open', 'lease.end')")
    assert len({each.event for each in shown}) == len(shown) == accesses
