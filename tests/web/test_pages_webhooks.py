"""A tenant's webhooks: endpoints, deliveries and dead letters, each only under the lease of that tenant."""

import pytest

from console.domain.replays import RunState
from console.domain.webhooks import DeliveryState
from console.web.marks import Marks
from tests.bench.counting import counted
from tests.web.cast import Browser, Cast
from tests.web.walks import FRAGMENT, fields, opened
from tests.web.webhook_stage import DOWN_FROM, MAIN, MISSED, Left, furnish, open_for_incident, planned_run, release
from tests.web.world import KESTREL

MOST_STATEMENTS = 40
HOOKS = "/t/nordwind/webhooks"


@pytest.fixture
def left(cast: Cast) -> Left:
    """Give what the outage left."""
    return furnish(cast)


@pytest.fixture
def engineer(cast: Cast, left: Left) -> Browser:
    """Give the browser of an engineer who opened Nordwind because of an incident."""
    assert left.failed
    return open_for_incident(cast)


def pages(left: Left, run: str) -> list[str]:
    """Return every page of the webhooks of a tenant."""
    return ["", f"/endpoints/{MAIN}", "/deliveries", f"/deliveries/{left.failed[0]}", "/dead-letters", "/replays",
            f"/replays/{run}", f"/replays/{run}/list"]  # fmt: skip


def test_it_shows_each_page_whole_and_as_a_fragment_in_few_statements(
    cast: Cast, engineer: Browser, left: Left
) -> None:
    run = planned_run(cast, left)
    for page in pages(left, run):
        with counted(cast.storage.engines()) as found:
            whole = engineer.get(HOOKS + page)
        part = engineer.get(HOOKS + page, headers=FRAGMENT)
        assert whole.status_code == part.status_code == 200, (page, whole.text)
        assert "tenantbar" in whole.text
        assert "<!doctype" not in part.text
        assert whole.text.count("<h1") == 1
        assert len(whole.text) < 60_000, page
        assert found.statements <= MOST_STATEMENTS, (page, found.statements, found.seen.most_common(5))
        assert "Kestrel" not in whole.text


@pytest.mark.parametrize("who", ["engineer", "support_agent"])
def test_it_is_not_there_without_the_lease_of_this_tenant(cast: Cast, left: Left, who: str) -> None:
    run = planned_run(cast, left)
    browser = opened(cast, "support_agent", "kestrel") if who == "support_agent" else cast.sign_in(who)
    for page in [*pages(left, run), f"/replays/{run}/progress", f"/replays/{run}/events"]:
        answer = browser.get(HOOKS + page)
        assert answer.status_code == 404, page
        assert "invoice.created" not in answer.text


@pytest.mark.parametrize("who", ["administrator", "security_auditor"])
def test_it_is_never_there_for_those_who_judge_or_administer(cast: Cast, left: Left, who: str) -> None:
    assert cast.sign_in(who).get(HOOKS).status_code == 404


def test_it_finds_nothing_of_another_tenant_under_the_own_lease(cast: Cast, left: Left) -> None:
    run = planned_run(cast, left)
    other = opened(cast, "support_agent", "kestrel")
    for page in pages(left, run)[1:]:
        if page not in {"/deliveries", "/dead-letters", "/replays"}:
            assert other.get(f"/t/kestrel/webhooks{page}").status_code == 404, page
    assert "invoice.created" not in other.get("/t/kestrel/webhooks/deliveries").text
    assert KESTREL


def test_it_records_each_page_with_what_it_is_about(cast: Cast, engineer: Browser, left: Left) -> None:
    engineer.get(f"{HOOKS}/deliveries/{left.failed[0]}")
    entry = cast.entries("tenant.read")[-1]
    assert [target["type"] for target in entry["targets"]] == ["page", "webhook_delivery"]
    assert entry["targets"][1]["id"] == left.failed[0]
    assert entry["tenant"]["slug"] == "nordwind"


def test_it_says_first_what_is_wrong_and_plans_its_replay(engineer: Browser) -> None:
    text = engineer.get(HOOKS).text
    assert f"{MISSED} deliveries gave up" in text
    assert f"webhook.plan_replay?endpoint={MAIN}" in text
    assert "since=2026" in text
    assert "An endpoint is disabled" in text
    assert "https://old.nordwind.example/hooks" in text


def test_it_offers_support_only_what_support_may_do(cast: Cast, left: Left) -> None:
    agent = opened(cast)
    assert "webhook.plan_replay" not in agent.get(HOOKS).text
    text = agent.get(f"{HOOKS}/deliveries/{left.failed[0]}").text
    assert "webhook.resend" in text
    assert "webhook.reemit" not in text
    assert "webhook.reveal_payload" not in text


def test_it_shows_an_endpoint_with_health_keys_and_what_it_missed(engineer: Browser) -> None:
    text = engineer.get(f"{HOOKS}/endpoints/{MAIN}").text
    assert "https://api.nordwind.example/hooks" in text
    assert "attempts arrived and" in text
    assert "503 Server error" in text
    assert "No answer in time" in text
    assert f"webhook.pause_endpoint?endpoint={MAIN}" in text


def test_it_pages_through_deliveries_without_missing_or_doubling_one(engineer: Browser) -> None:
    seen: list[str] = []
    path = f"{HOOKS}/deliveries"
    while path:
        text = engineer.get(path).text
        seen += [part.partition('"')[0] for part in text.split(f'href="{HOOKS}/deliveries/')[1:]]
        _, _, older = text.partition('rel="next" href="')
        path = older.partition('"')[0].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == MISSED + 1


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("state=delivered", "msg_nordwind1", "msg_nordwindmiss"),
        ("state=exhausted", "msg_nordwindmiss", "msg_nordwind1<"),
        ("event_type=invoice.paid", "msg_nordwind1", "msg_nordwindmiss"),
        ("message=msg_nordwindmiss003", "msg_nordwindmiss003", "msg_nordwindmiss004"),
        (f"endpoint={MAIN}", "msg_nordwind1", "No delivery matches"),
        ("endpoint=whe_nobody", "No delivery matches", "msg_nordwind"),
        (f"since={DOWN_FROM:%Y-%m-%d+%H:%M}&until={DOWN_FROM:%Y-%m-%d}T{DOWN_FROM:%H}:02", "miss000", "miss001"),
    ],
)
def test_it_filters_deliveries_by_the_address(engineer: Browser, query: str, shown: str, hidden: str) -> None:
    answer = engineer.get(f"{HOOKS}/deliveries?{query}")
    assert answer.status_code == 200
    table = answer.text.partition("</details>")[2]
    assert shown in table
    assert hidden not in table


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("state=gone", "Choose one of the states."),
        ("since=yesterday", "Give a moment in UTC"),
        ("since=0001-01-01+00:00", "Give a year from 2000"),
        ("since=2026-11-21+05:00&until=2026-11-21+02:00", "The end lies before the beginning"),
        ("message=%27or", "Give a message id"),
        ("event_type=%3Cb%3E", "Choose one of the event types."),
    ],
)
def test_it_says_which_filter_is_wrong(engineer: Browser, query: str, told: str) -> None:
    answer = engineer.get(f"{HOOKS}/deliveries?{query}")
    assert answer.status_code == 422
    assert told in answer.text


@pytest.mark.parametrize("before", ["", "whd_nobody", "<script>", "x" * 300])
def test_it_bears_a_page_mark_that_is_none(engineer: Browser, before: str) -> None:
    assert engineer.get(f"{HOOKS}/deliveries", headers=None).status_code == 200
    answer = engineer.get(f"{HOOKS}/deliveries?before={before}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_it_tells_a_delivery_s_story_and_masks_its_payload(engineer: Browser, left: Left) -> None:
    text = engineer.get(f"{HOOKS}/deliveries/{left.failed[7]}").text
    assert "It gave up after 2 attempts" in text
    assert "the first try failed" in text
    assert "503 Server error" in text
    assert "contact7@" not in text
    assert "&#34;email&#34;: &#34;•••&#34;" in text
    assert "webhook.reveal_payload?message=msg_nordwindmiss007" in text


def test_it_shows_only_the_verbs_that_the_state_leaves(cast: Cast, engineer: Browser, left: Left) -> None:
    text = engineer.get(f"{HOOKS}/deliveries/{left.failed[0]}").text
    assert "webhook.resend?delivery=" in text
    assert "webhook.cancel_delivery" not in text
    release(cast, planned_run(cast, left, state=RunState.RUNNING))
    held = engineer.get(f"{HOOKS}/deliveries/{left.failed[1]}").text
    assert "A bulk replay holds it." in held
    assert "webhook.resend" not in held


def test_it_reveals_a_payload_once_with_a_reason(engineer: Browser, left: Left) -> None:
    path = "/t/nordwind/actions/webhook.reveal_payload"
    page = engineer.get(f"{path}?message=msg_nordwindmiss007")
    assert "contact7@" not in page.text
    answer = engineer.post(path, {**fields(page, path), "step": "ask"})
    assert answer.status_code == 200
    assert "contact7@nordwind.example" in answer.text
    assert answer.headers["Refresh"] == f"60; url={HOOKS}"


def test_it_groups_dead_letters_by_the_way_they_failed(engineer: Browser) -> None:
    text = engineer.get(f"{HOOKS}/dead-letters").text
    assert text.count("Plan a replay<") == 2
    assert "Plan a replay of all" in text
    assert "503 Server error" in text
    assert "No answer in time" in text


def test_it_reassures_where_nothing_gave_up(cast: Cast) -> None:
    agent = opened(cast, "support_agent", "kestrel")
    assert "Nothing gave up" in agent.get("/t/kestrel/webhooks/dead-letters").text
    assert "No replay yet" in agent.get("/t/kestrel/webhooks/replays").text
    assert "gave up</h2>" not in agent.get("/t/kestrel/webhooks").text


def test_it_has_words_for_every_state() -> None:
    marks = Marks(lambda name: name)
    for state in DeliveryState:
        assert "circle-dot" not in marks.state(state.value), state
