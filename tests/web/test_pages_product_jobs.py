"""The product's own jobs of a tenant: shown under the lease of that tenant, never steered."""

from datetime import timedelta

import pytest

from console.domain.product_jobs import ProductJobRecord
from tests.bench.counting import counted
from tests.databases import NOON
from tests.web.cast import Browser, Cast
from tests.web.walks import FRAGMENT, opened
from tests.web.world import KESTREL, NORDWIND, SLUGS

JOBS = "/t/nordwind/jobs"
MANY = 90
MOST_STATEMENTS = 25


def job(number: int, *, tenant: str = NORDWIND, state: str = "succeeded", error: str | None = None) -> ProductJobRecord:
    """Return a job; two share each moment, so that pages must tell them apart by id."""
    at = NOON - timedelta(days=1) + timedelta(minutes=number // 2)
    return ProductJobRecord(
        tenant=tenant, external_id=f"{SLUGS[tenant]}/{number:03d}", job=f"report.{SLUGS[tenant]}{number:03d}",
        state=state, attempts=1, created_at=at, run_at=at, queue="reports", last_error=error,
    )  # fmt: skip


@pytest.fixture
def filled(cast: Cast) -> Cast:
    """Give both tenants jobs, Nordwind many."""
    leak = "no room for ada@acme.example (token=hunter22) <b>" + " and so on" * 100
    with cast.storage.bulk.write() as bulk:
        bulk.put([job(number) for number in range(MANY)])
        bulk.put([job(MANY, state="failed", error=leak), job(MANY + 1, state="running")])
        bulk.put([job(number, tenant=KESTREL, state="failed") for number in range(3)])
    return cast


@pytest.fixture
def agent(filled: Cast) -> Browser:
    """Give the browser of an agent who opened Nordwind."""
    return opened(filled)


def names(text: str) -> list[str]:
    """Return the jobs that a page shows, in their order."""
    return [part[:11] for part in text.split("report.nordwind")[1:]]


def test_it_shows_them_newest_first_whole_and_as_a_fragment(cast: Cast, agent: Browser) -> None:
    with counted(cast.storage.engines()) as found:
        whole = agent.get(JOBS)
    part = agent.get(JOBS, headers=FRAGMENT)
    assert whole.status_code == part.status_code == 200
    assert found.statements <= MOST_STATEMENTS, found.seen.most_common(5)
    assert "<!doctype" not in part.text
    assert whole.text.count("<h1") == 1
    assert 'href="/t/nordwind/jobs"' in whole.text
    assert "kestrel" not in whole.text.lower()
    assert len(whole.text) < 60_000
    assert [name[:3] for name in names(whole.text)][:3] == ["091", "090", "089"]
    assert "it does not start, retry or stop them" in whole.text
    assert "/actions/job." not in whole.text


def test_it_takes_as_many_statements_for_many_jobs_as_for_none(cast: Cast) -> None:
    browser = opened(cast)
    with counted(cast.storage.engines()) as few:
        browser.get(JOBS)
    with cast.storage.bulk.write() as bulk:
        bulk.put([job(number) for number in range(MANY)])
    with counted(cast.storage.engines()) as many:
        browser.get(JOBS)
    assert many.statements <= few.statements


def test_it_pages_without_missing_or_doubling_one(agent: Browser) -> None:
    seen: list[str] = []
    path, pages = JOBS, 0
    while path:
        text = agent.get(path).text
        seen += [name[:3] for name in names(text)]
        path = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        pages += 1
    assert seen == [f"{number:03d}" for number in range(MANY + 1, -1, -1)]
    assert pages == 3


def test_it_filters_by_state_and_keeps_the_state_while_paging(agent: Browser) -> None:
    assert [name[:3] for name in names(agent.get(f"{JOBS}?state=failed").text)] == ["090"]
    assert [name[:3] for name in names(agent.get(f"{JOBS}?state=running").text)] == ["091"]
    assert "No job matches" in agent.get(f"{JOBS}?state=queued").text
    done = agent.get(f"{JOBS}?state=succeeded").text
    assert "state=succeeded&amp;before=nordwind" in done


@pytest.mark.parametrize("query", ["state=lost", "state=FAILED"])
def test_a_state_that_there_is_none_of_is_named_and_filters_nothing(agent: Browser, query: str) -> None:
    answer = agent.get(f"{JOBS}?{query}")
    assert answer.status_code == 422
    assert "Choose one of the states." in answer.text
    assert len(names(answer.text)) == 40


@pytest.mark.parametrize("before", ["nobody", "kestrel/001"])
def test_a_job_that_is_not_there_is_no_place_to_go_on_from(agent: Browser, before: str) -> None:
    answer = agent.get(f"{JOBS}?before={before}")
    assert answer.status_code == 200
    assert "No job matches" in answer.text


@pytest.mark.parametrize("before", ["a%0Ab", "x" * 201])
def test_what_can_be_no_id_is_left_out(agent: Browser, before: str) -> None:
    assert len(names(agent.get(f"{JOBS}?before={before}").text)) == 40


def test_an_error_is_shown_redacted_escaped_and_cut(agent: Browser) -> None:
    text = agent.get(f"{JOBS}?state=failed").text
    assert "no room for ••• (token=[redacted] &lt;b&gt;" in text
    assert "hunter22" not in text
    assert "ada@acme" not in text
    assert text.count(" and so on") < 40


def test_a_tenant_without_jobs_says_so(cast: Cast) -> None:
    assert "No jobs yet" in opened(cast).get(JOBS).text


def test_it_is_not_there_without_the_lease_of_this_tenant(filled: Cast) -> None:
    other = opened(filled, "support_agent", "kestrel")
    for browser in (filled.sign_in("engineer"), other):
        answer = browser.get(JOBS)
        assert answer.status_code == 404
        assert "report." not in answer.text
    own = other.get("/t/kestrel/jobs").text
    assert "report.kestrel" in own
    assert "report.nordwind" not in own


@pytest.mark.parametrize("who", ["administrator", "security_auditor"])
def test_it_is_never_there_for_those_who_judge_or_administer(cast: Cast, who: str) -> None:
    assert cast.sign_in(who).get(JOBS).status_code == 404


def test_it_is_recorded_as_a_page_read_and_ends_with_the_lease(cast: Cast, agent: Browser) -> None:
    agent.get(JOBS)
    entry = cast.entries("tenant.read")[-1]
    assert [(target["type"], target["id"]) for target in entry["targets"]] == [("page", "jobs")]
    assert entry["tenant"]["slug"] == "nordwind"
    cast.clock.pass_by(hours=9)
    assert agent.get(JOBS).status_code != 200
