"""One consent is one access: what begins by it spends it, in the same transaction, and nothing else can again."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from console.domain.decisions import Deny, DenyCode
from console.domain.ids import ImpersonationId, RequestId
from console.domain.impersonations import ImpersonationEnd, Mode
from console.domain.trust.access_policy import AccessPolicy, ImpersonationRule
from console.domain.trust.consents import Consent, ConsentState
from console.usecases.control_tools import UnitTools
from console.usecases.end_impersonation import end_impersonation
from console.usecases.outcomes import Ran
from tests.conftest import NewDatabase
from tests.web.cast import PEOPLE, Browser, Cast, on_stage, peopled_postgres, peopled_url
from tests.web.product_stage import TICKET, Kit, actor, ask_to_act, begun, entered, member
from tests.web.world import TENANTS

NORDWIND = TENANTS["nordwind"]
AGENT = PEOPLE["support_agent"].id
CROWD = 6
ROUNDS = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def cast(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Cast]:
    with on_stage(peopled_url(request.param, tmp_path / "cast.db", pg_database)) as cast:
        asks_for_consent(cast)
        yield cast


@pytest.fixture
def agent(cast: Cast) -> Browser:
    browser = cast.sign_in("support_agent")
    assert cast.open_tenant(browser, "nordwind").status_code == 303
    return browser


def asks_for_consent(cast: Cast) -> None:
    with cast.house.store.write() as unit:
        wish = AccessPolicy(impersonation=ImpersonationRule.CONSENT)
        assert unit.access_policies.put(NORDWIND, wish, by="m", at=cast.clock.now())


def approved(cast: Cast, number: int = 1, **changed: Any) -> Consent:  # noqa: ANN401  fields of a consent
    """Store a consent as an administrator of the customer has given it."""
    now = cast.clock.now()
    consent = Consent(
        id=f"cns_{number}", tenant=NORDWIND, staff=AGENT, what="See why your invoice shows two taxes.", member=None,
        mode="read", reason_code=TICKET.code, reference=TICKET.reference, minutes=20, asked_at=now,
        decide_by=now + timedelta(hours=24), use_by=now + timedelta(hours=48), state=ConsentState.APPROVED,
        decided_at=now, decided_by="mem_boss",
    )  # fmt: skip
    consent = replace(consent, **changed)
    with cast.house.store.write() as unit:
        unit.consents.add(consent)
    return consent


def kept(cast: Cast, number: int = 1) -> Consent:
    with cast.house.store.read() as unit:
        found = unit.consents.get(f"cns_{number}")
    assert found is not None
    return found


def ended(cast: Cast, sid: ImpersonationId) -> None:
    end_impersonation(cast.house, actor(cast, "support_agent"), impersonation=sid)


def test_without_consent_nothing_begins(cast: Cast, agent: Browser) -> None:
    answer = ask_to_act(cast, "support_agent")
    assert isinstance(answer, Deny)
    assert answer.code is DenyCode.TENANT_OPTED_OUT


def test_what_begins_spends_it_and_the_next_needs_another(cast: Cast, agent: Browser) -> None:
    approved(cast)
    sid = begun(cast)
    spent = kept(cast)
    assert (spent.state, spent.used_by, spent.used_at) == (ConsentState.USED, sid, cast.clock.now())
    assert (spent.decided_by, cast.count("consent.used")) == ("mem_boss", 1)
    ended(cast, sid)
    again = ask_to_act(cast, "support_agent")
    assert isinstance(again, Deny)
    assert again.code is DenyCode.TENANT_OPTED_OUT
    approved(cast, 2)
    assert kept(cast, 2).used_by is None
    assert begun(cast) == kept(cast, 2).used_by


def test_it_lasts_no_longer_than_was_agreed_to(cast: Cast, agent: Browser) -> None:
    approved(cast, minutes=7)
    sid = begun(cast, minutes=30)
    with cast.house.store.read() as unit:
        row = unit.impersonations.get(sid)
    assert row is not None
    assert row.not_after - row.started_at == timedelta(minutes=7)


def test_what_was_spent_carries_the_access_past_the_end_of_the_consent(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    approved(cast, use_by=cast.clock.now() + timedelta(minutes=2))
    inside = entered(cast, agent)
    cast.clock.pass_by(minutes=3)
    assert Kit(cast).introspect(inside.token)["active"]


@pytest.mark.parametrize(
    "other",
    [
        {"staff": PEOPLE["support_lead"].id},
        {"member": member("nordwind", 1)},
        {"reference": "ZD-1"},
        {"reason_code": "INCIDENT_RESPONSE"},
        {"tenant": TENANTS["kestrel"]},
        {"state": ConsentState.WITHDRAWN},
        {"state": ConsentState.PENDING},
    ],
    ids=["person", "member", "ticket", "reason", "tenant", "withdrawn", "unanswered"],
)
def test_a_consent_to_something_else_begins_nothing(cast: Cast, agent: Browser, other: dict[str, Any]) -> None:
    approved(cast, **other)
    assert isinstance(ask_to_act(cast, "support_agent"), Deny)
    assert cast.count("consent.used") == 0


def test_a_consent_that_is_over_begins_nothing(cast: Cast, agent: Browser) -> None:
    approved(cast, use_by=cast.clock.now() + timedelta(minutes=1))
    cast.clock.pass_by(minutes=1)
    assert isinstance(ask_to_act(cast, "support_agent"), Deny)


def test_a_spent_consent_carries_nothing_but_its_own_access(cast: Cast) -> None:
    agent = cast.sign_in("support_agent")
    approved(cast)
    inside = entered(cast, agent)
    wish = AccessPolicy(impersonation=ImpersonationRule.REFUSED)
    with cast.house.store.write() as unit:
        assert unit.access_policies.put(NORDWIND, replace(wish, version=1), by="m", at=cast.clock.now())
    found = Kit(cast).introspect(inside.token)
    assert (found["active"], found["ended_by"]) == (False, ImpersonationEnd.OPTED_OUT.value)


def widened(cast: Cast, sid: ImpersonationId) -> tuple[bool, bool]:
    """Do what the action does once a lead agreed, as the executor lets it: all of it or nothing."""
    with cast.house.store.write() as unit:
        tools = UnitTools(house=cast.house, unit=unit, actor=actor(cast, "support_agent"), tenant=NORDWIND)
        row = unit.impersonations.get(sid)
        assert row is not None
        assert tools.why_over(row, at=cast.clock.now()) is None
        may = tools.may_widen(row, at=cast.clock.now())
        is_spent = tools.spend_consent(row, Mode.WRITE, at=cast.clock.now())
        assert not is_spent or unit.impersonations.widen(sid, by=RequestId("req_w"))
    return may, is_spent


def test_writing_takes_a_consent_to_writing(cast: Cast, agent: Browser) -> None:
    approved(cast)
    sid = begun(cast)
    assert widened(cast, sid) == (False, False)
    approved(cast, 2, mode="write", minutes=5)
    assert widened(cast, sid) == (False, False), "five minutes do not carry it to its end"
    approved(cast, 3, mode="write")
    assert widened(cast, sid) == (True, True)
    assert [kept(cast, number).used_by for number in (1, 2, 3)] == [sid, None, sid]


def test_one_consent_to_writing_carries_reading_and_writing(cast: Cast, agent: Browser) -> None:
    approved(cast, mode="write")
    sid = begun(cast)
    assert widened(cast, sid) == (True, True)
    assert cast.count("consent.used") == 1


def test_of_many_that_reach_for_one_consent_at_once_one_gets_it(pg_database: NewDatabase) -> None:
    with on_stage(peopled_postgres(pg_database)) as cast:
        asks_for_consent(cast)
        cast.open_tenant(cast.sign_in("support_agent"), "nordwind")
        for number in range(ROUNDS):
            consent = approved(cast, number)
            gate = Barrier(CROWD)

            def spend(access: int, consent: Consent = consent, gate: Barrier = gate) -> bool:
                with cast.house.store.write() as unit:
                    seen = unit.consents.get(consent.id)
                    gate.wait()
                    assert seen is not None
                    return unit.consents.use(seen, by=ImpersonationId(f"imp_{access}"), at=cast.clock.now())

            with ThreadPoolExecutor(CROWD) as pool:
                won = list(pool.map(spend, range(CROWD)))
            assert won.count(True) == 1
            assert kept(cast, number).used_by == f"imp_{won.index(True)}"


def test_of_many_attempts_at_once_one_begins_by_one_consent(pg_database: NewDatabase) -> None:
    with on_stage(peopled_postgres(pg_database)) as cast:
        asks_for_consent(cast)
        cast.open_tenant(cast.sign_in("support_agent"), "nordwind")
        for number in range(ROUNDS):
            approved(cast, number)
            gate = Barrier(CROWD)

            def reach(gate: Barrier = gate) -> object:
                gate.wait()
                answer = ask_to_act(cast, "support_agent")
                if isinstance(answer, Ran):
                    ended(cast, ImpersonationId(str(answer.applied.made)))  # so that only the consent stops the others
                return answer

            reaches: list[Callable[[], object]] = [reach] * CROWD
            with ThreadPoolExecutor(CROWD) as pool:
                answers = list(pool.map(lambda each: each(), reaches))
            assert sum(isinstance(answer, Ran) for answer in answers) == 1, answers
        assert cast.count("consent.used") == ROUNDS
