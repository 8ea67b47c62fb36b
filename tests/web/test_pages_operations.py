"""Queues, jobs and the inbox: for those who repair, and read-only for the auditor."""

import re

import pytest

from console.domain.ids import RequestId
from console.domain.inbound import InboundState
from console.domain.jobs import JobDraft, JobState
from console.web.marks import Marks
from console.web.shaping_operations import INBOUND_STATES, JOB_STATES
from tests.bench.counting import counted
from tests.web.cast import Browser, Cast
from tests.web.walks import FRAGMENT, asked, fields, opened
from tests.web.webhook_stage import INCIDENT, SECRET_EMAIL, SECRET_TOKEN, Left, dead_job, furnish

MOST_STATEMENTS = 25


@pytest.fixture
def left(cast: Cast) -> Left:
    """Give a dead job and a quarantined event."""
    return furnish(cast)


@pytest.fixture
def engineer(cast: Cast, left: Left) -> Browser:
    """Give the browser of an engineer."""
    assert left.job
    return cast.sign_in("engineer")


def pages(left: Left) -> list[str]:
    """Return every page of operations."""
    return ["/operations", "/operations/jobs", f"/operations/jobs/{left.job}", "/operations/inbox",
            f"/operations/inbox/{left.event}"]  # fmt: skip


def test_it_shows_each_page_whole_and_as_a_fragment_in_few_statements(
    cast: Cast, engineer: Browser, left: Left
) -> None:
    for path in pages(left):
        with counted(cast.storage.engines()) as found:
            whole = engineer.get(path)
        part = engineer.get(path, headers=FRAGMENT)
        assert whole.status_code == part.status_code == 200, (path, whole.text)
        assert whole.text.count("<h1") == 1
        assert "<!doctype" not in part.text
        assert len(whole.text) < 60_000
        assert found.statements <= MOST_STATEMENTS, (path, found.seen.most_common(4))
        assert SECRET_EMAIL not in whole.text
        assert SECRET_TOKEN not in whole.text
    assert cast.count("job.read") == 6
    assert cast.count("inbound.read") == 4


@pytest.mark.parametrize("who", ["support_agent", "support_lead", "finance", "finance_lead", "administrator"])
def test_it_is_refused_to_everybody_else(cast: Cast, left: Left, who: str) -> None:
    browser = cast.sign_in(who)
    assert "Operations" not in browser.get("/").text
    for path in pages(left):
        answer = browser.get(path)
        assert answer.status_code == 403, path
        assert "role_missing" in answer.text
    assert cast.count("job.read_refused") == 3
    assert cast.count("inbound.read_refused") == 2


def test_it_lets_the_auditor_look_at_jobs_and_do_nothing(cast: Cast, left: Left) -> None:
    auditor = cast.sign_in("security_auditor")
    for path in pages(left)[:3]:
        text = auditor.get(path).text
        assert "/actions/job." not in text
        assert "/operations/inbox" not in text
    assert auditor.get("/operations/inbox").status_code == 403


def test_it_groups_what_failed_alike_and_offers_the_whole_group(cast: Cast, engineer: Browser) -> None:
    dead_job(cast, key="replay:run_lost2")
    text = engineer.get("/operations").text
    assert "There is no such replay." in text
    assert "job.retry?kind=webhook.replay&amp;fingerprint=f00d" in text
    assert "Quarantined" in text
    assert "every 15 min" in text
    group = engineer.get("/operations/jobs?state=dead&kind=webhook.replay&fingerprint=f00d").text
    assert group.count("run_lost") == 0
    assert "job.discard?kind=webhook.replay&amp;fingerprint=f00d" in group


def test_it_redacts_arguments_at_every_depth(engineer: Browser, left: Left) -> None:
    text = engineer.get(f"/operations/jobs/{left.job}").text
    assert text.count("[redacted]") == 2
    assert "run_lost" in text
    assert "Jonas Weber" in text
    assert "Nordwind Logistik" in text


def steered(who: Browser, action: str, left: Left) -> None:
    """Retry or discard the dead job by its form."""
    path = f"/actions/{action}"
    form = fields(who.get(f"{path}?job={left.job}"), path)
    page = who.post(path, {**form, **INCIDENT, "step": "preview"})
    answer = who.post(path, {**fields(page, path), "step": "ask"})
    assert answer.status_code == 303, answer.text


def test_it_says_what_a_job_was_asked_for_to_those_who_may_open_the_request(cast: Cast, engineer: Browser) -> None:
    request = RequestId(asked(cast, opened(cast)).rpartition("/")[2])
    with cast.house.store.write() as unit:
        job = unit.jobs.add(JobDraft(kind="webhook.replay", key="of a request", request=request), at=cast.clock.now())
    page = engineer.get(f"/operations/jobs/{job}").text
    assert request in page
    assert "300 seats" not in page
    assert "300 seats" in cast.sign_in("security_auditor").get(f"/operations/jobs/{job}").text


def test_it_offers_only_what_the_state_leaves_and_says_who_retried(cast: Cast, engineer: Browser, left: Left) -> None:
    path = f"/operations/jobs/{left.job}"
    assert f"/actions/job.retry?job={left.job}" in engineer.get(path).text
    steered(cast.sign_in("on_call"), "job.retry", left)  # not who asked for the job
    text = engineer.get(path).text
    assert "job.retry?job=" not in text
    assert "job.discard?job=" in text
    assert re.search(r"Retried by</dt>\s*<dd[^>]*>\s*<bdi>Kwame Mensah</bdi>", text)
    assert ">Queued</span>" in text
    assert cast.count("action.executed") == 1


def test_it_says_who_discarded_what(cast: Cast, engineer: Browser, left: Left) -> None:
    steered(cast.sign_in("on_call"), "job.discard", left)
    text = engineer.get(f"/operations/jobs/{left.job}").text
    assert re.search(r"Discarded by</dt>\s*<dd[^>]*>\s*<bdi>Kwame Mensah</bdi>", text)
    assert "Retried by" not in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [("state=dead", True), ("state=succeeded", False), ("kind=webhook.replay", True), ("kind=other", False),
     ("fingerprint=f00d", True), ("fingerprint=beef", False), ("tenant=ten_nobody", False)],
)  # fmt: skip
def test_it_filters_jobs_by_the_address(engineer: Browser, left: Left, query: str, shown: bool) -> None:
    text = engineer.get(f"/operations/jobs?{query}").text
    assert (f"/operations/jobs/{left.job}" in text) is shown
    assert ("No job matches" in text) is not shown


@pytest.mark.parametrize(
    ("path", "told"),
    [("/operations/jobs?state=odd", "Choose one of the states."), ("/operations/jobs?kind=%3Cb%3E", "Give a kind"),
     ("/operations/jobs?tenant=%27or", "Give a tenant id")],
)  # fmt: skip
def test_it_says_which_filter_is_wrong(engineer: Browser, path: str, told: str) -> None:
    answer = engineer.get(path)
    assert answer.status_code == 422
    assert told in answer.text


def test_it_shows_events_of_providers_by_state_and_type(engineer: Browser, left: Left) -> None:
    assert f"/operations/inbox/{left.event}" in engineer.get("/operations/inbox?state=quarantined").text
    assert "No event here" in engineer.get("/operations/inbox?state=processed").text
    assert f"/operations/inbox/{left.event}" in engineer.get("/operations/inbox?event_type=invoice.paid").text
    assert engineer.get("/operations/inbox?state=odd").status_code == 422
    text = engineer.get(f"/operations/inbox/{left.event}").text
    assert "It is set aside: nobody here knows this customer. Nothing was changed." in text
    assert "inbound.replay?event=" in text


@pytest.mark.parametrize("path", ["/operations/jobs/job_nobody", "/operations/inbox/inb_nobody"])
def test_it_does_not_find_what_is_not_there(engineer: Browser, path: str) -> None:
    assert engineer.get(path).status_code == 404


def test_it_has_words_for_every_state() -> None:
    assert set(JOB_STATES) == set(JobState)
    assert set(INBOUND_STATES) == set(InboundState)
    marks = Marks(lambda name: name)
    for state in (*JobState, *InboundState):
        assert "circle-dot" not in marks.state(state.value), state
