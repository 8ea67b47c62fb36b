"""A database that stops answering in the middle: no page says “nothing was changed” where something may have been."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console.domain.ids import ActionKey, ReasonCode, RequestId, SessionKey
from console.domain.reasons import Reason
from console.domain.requests import State
from console.usecases.house import House
from console.usecases.outcomes import Waiting
from console.usecases.propose_action import propose_action
from console.usecases.resume_session import save_session_values
from console.web import sessions
from tests.integration.faulting import Faults
from tests.web.cast import PEOPLE, Browser, Cast, on_stage
from tests.web.matrix import THIS, actor_of, lease
from tests.web.world import TENANTS

NOTHING = "Nothing was changed"


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    with on_stage(tmp_path / "answers.db") as opened:
        yield opened


@pytest.fixture
def faults(cast: Cast) -> Iterator[Faults]:
    found = Faults()
    with found.among(cast.storage.engines()):
        yield found


def ended(cast: Cast) -> int:
    file = cast.storage._settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as raw:
        found: int = raw.execute("SELECT count(*) FROM lease WHERE ended_at IS NOT NULL").fetchone()[0]
    return found


def leaving(cast: Cast) -> tuple[Browser, str]:
    """Return a browser with an open tenant, and the address that closes it."""
    browser = cast.sign_in("support_agent")
    lease(cast, "support_agent", THIS)
    with cast.house.store.read() as unit:
        (held,) = unit.leases.open_of(PEOPLE["support_agent"].id)
    browser.get("/tenants")
    return browser, f"/leases/{held.id}/end"


def test_what_was_done_is_answered_so_though_its_message_cannot_be_kept(cast: Cast, faults: Faults) -> None:
    browser, path = leaving(cast)
    faults.reset()
    assert browser.post(path).status_code == 303
    steps = list(faults.seen)
    kept = next(at for at, step in enumerate(steps, 1) if step.startswith("UPDATE staff_session SET"))
    assert steps[kept:] == ["COMMIT"], "the message is the last thing that is stored"
    for number, at in enumerate((kept - 1, kept, kept + 1), start=2):
        browser, path = leaving(cast)
        faults.reset(at)
        assert browser.post(path).status_code == 303, steps[at - 1]
        assert faults.has_struck
        faults.reset()
        assert ended(cast) == number
        assert browser.get("/tenants").status_code == 200


def test_what_was_done_is_answered_so_though_another_tab_shows_a_second_factor_in_the_same_moment(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second factor gives the session another key, under which a page that is on its way finds nothing."""
    browser, path = leaving(cast)

    def late(house: House, key: SessionKey, values: dict[str, object]) -> None:
        with house.store.write() as unit:
            unit.sessions.rotate(key, SessionKey("of-the-other-tab"))
        save_session_values(house, key, values)

    monkeypatch.setattr(sessions, "save_session_values", late)
    assert (browser.post(path).status_code, ended(cast)) == (303, 1)


def test_a_commit_without_an_answer_is_not_told_as_if_nothing_had_been_done(cast: Cast, faults: Faults) -> None:
    browser, path = leaving(cast)
    faults.reset()
    assert browser.post(path).status_code == 303
    commit = faults.seen.index("COMMIT") + 1
    for is_lost in (True, False):
        browser, path = leaving(cast)
        before = ended(cast)
        faults.reset(commit, is_answer_lost=is_lost)
        answer = browser.post(path)
        faults.reset()
        assert (answer.status_code, ended(cast) - before) == (503, int(is_lost))
        assert NOTHING not in answer.text
        assert "may have been done" in answer.text
    browser, path = leaving(cast)
    faults.reset(commit - 1)
    answer = browser.post(path)
    assert (answer.status_code, NOTHING in answer.text) == (503, True)


def test_a_vote_that_counts_is_not_told_as_if_it_did_not_when_its_run_fails(cast: Cast, faults: Faults) -> None:
    lead, request = cast.sign_in("finance_lead"), RequestId("req_0000000000000000000000000e")
    lease(cast, "support_agent", THIS)
    asked = propose_action(
        cast.house, actor_of("support_agent", cast), key=ActionKey("entitlement.override"), tenant=TENANTS[THIS],
        raw={"feature": "seats", "value": "250", "until": "2027-01-31"}, mark=None, form_id=request,
        reason=Reason(code=ReasonCode("CONTRACT_CHANGE"), reference="CTR-2026-0117"),
    )  # fmt: skip
    assert isinstance(asked, Waiting)
    lead.get(f"/requests/{request}")
    faults.reset(3, of="INSERT INTO audit_event")  # the vote and the approval are kept, the run is not
    run = lead.post(f"/requests/{request}/votes", {"digest": asked.request.digest, "verdict": "approve", "comment": ""})
    assert faults.has_struck
    faults.reset()
    assert run.status_code == 503
    assert NOTHING not in run.text
    assert "Your vote counts" in run.text
    with cast.house.store.read() as unit:
        found = unit.requests.get(request)
    assert found is not None
    assert found.state is State.APPROVED
    assert (cast.count("request.vote"), cast.count("request.approved"), cast.count("action.executed")) == (1, 1, 0)
    lead.get(f"/requests/{request}")
    assert lead.post(f"/requests/{request}/execution").status_code == 303
    assert cast.count("action.executed") == 1
