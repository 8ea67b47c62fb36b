"""A tenant on a plane of its own: its rules live in the control store, its administrators are read where they are."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.errors import OutsideError
from console.domain.imports import MemberRecord
from console.domain.staff import Origin
from console.usecases.decide_consent import Question, show_question
from console.usecases.deliver_letters import deliver_letters
from console.usecases.outcomes import Ran
from tests.conftest import NewDatabase
from tests.databases import ENGINES, HandClock
from tests.integration.customer_desk import ADDRESS, ASK, POLICY, QUESTION, TICKET, Post
from tests.integration.stage import FAR, Stage, behind, new_urls, opened_stage, settle_in, tenant
from tests.web.cast import LONG_AGO

FROM = Origin(ip="192.0.2.9")


class Away:
    """Planes of which the far one does not answer."""

    def shares_control(self, plane: str) -> bool:
        return plane != FAR

    def read(self, _scope: object) -> object:
        raise OutsideError("The plane does not answer.", permanent=False)

    write = read


@pytest.fixture(params=ENGINES)
def stage(request: pytest.FixtureRequest, tmp_path: Path, pg_database: NewDatabase) -> Iterator[Stage]:
    url, planes = new_urls(request.param, tmp_path, pg_database, far=True)
    with opened_stage(url, planes, clock=HandClock()) as opened:
        settle_in(opened, ["acme"], far=["zeta"])
        boss = MemberRecord(
            tenant="zeta", external_id="boss", name="Boss", email="boss@zeta.example", phone=None, role="owner",
            is_active=True, joined_at=LONG_AGO, last_seen_at=None,
        )  # fmt: skip
        with opened.storage.bulk.write() as bulk:
            bulk.put([boss])
        yield opened


def test_its_rules_are_set_in_one_transaction_without_its_plane(stage: Stage) -> None:
    stage.open("support_agent", "zeta")
    away = replace(stage, house=behind(stage, planes=Away()))
    done = away.ask("support_agent", "zeta", POLICY, {"impersonation": "refused", "notify": "each"})
    assert isinstance(done, Ran), done
    assert stage.entries("action.intent") == 0
    with stage.house.store.read() as unit:
        assert unit.access_policies.of(tenant("zeta")).version == 1


def test_its_administrators_are_asked_and_answer(stage: Stage) -> None:
    stage.open("support_agent", "zeta", TICKET)
    assert isinstance(stage.ask("support_agent", "zeta", ASK, QUESTION, reason=TICKET), Ran)
    post = Post()
    deliver_letters(stage.house, post, address=ADDRESS)
    assert [each.to for each in post.taken] == ["boss@zeta.example"]
    (link,) = post.links("consents")
    assert isinstance(show_question(stage.house, link=link, origin=FROM), Question)


def test_while_its_plane_is_away_nothing_is_lost_and_nobody_is_believed(stage: Stage) -> None:
    stage.open("support_agent", "zeta", TICKET)
    stage.ask("support_agent", "zeta", ASK, QUESTION, reason=TICKET)
    post, away = Post(), behind(stage, planes=Away())
    deliver_letters(away, post, address=ADDRESS)
    assert post.taken == []
    assert stage.count("SELECT count(*) FROM customer_letter WHERE tries = 1") == 1
    stage.house.clock.pass_by(minutes=5)  # type: ignore[attr-defined]  # a hand clock
    deliver_letters(stage.house, post, address=ADDRESS)
    (link,) = post.links("consents")
    with pytest.raises(OutsideError):
        show_question(away, link=link, origin=FROM)
