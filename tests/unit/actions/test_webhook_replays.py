"""Bulk replays: what a plan holds and leaves out, what its approval binds, and how a run is steered."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from console.actions.webhook import cancel_replay, pause_replay, plan_replay, planning, resume_replay, run_replay
from console.actions.webhook.planning import duration_text
from console.domain.ids import Digest, EndpointId, ExecutionId, RunId
from console.domain.replays import FROZEN_AT_ONCE, MOST_PLANNED, RunState, list_digest
from console.domain.webhooks import DeliveryState, EndpointState
from console.ports.action_tools import Tools
from console.ports.actions import Fault
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, shown, tools
from tests.unit.webhook_fakes import HOOK, URL, FakeWebhooks, delivery, endpoint, message

BLANK = {"endpoint": "", "event_type": "", "wanted": "", "most": "", "rate_per_s": "", "ignores_filters": ""}


def tooled(book: FakeWebhooks) -> Tools:
    return tools(FakePlane(webhooks=book))


def wanted(**values: Any) -> plan_replay.Params:  # noqa: ANN401  typed values of the form
    range_ = {"since": "2026-11-21 00:00", "until": "2026-11-21 12:00"}
    return plan_replay.build({**BLANK, **range_, **values})


def failed(count: int, **other: Any) -> FakeWebhooks:  # noqa: ANN401  fields of Delivery
    """Return a book with failed deliveries, the first of them the newest."""
    sent = [delivery(n, created_at=NOON - timedelta(minutes=n), **other) for n in range(1, count + 1)]
    return FakeWebhooks(sent=sent, told=[message(n) for n in range(1, count + 1)])


def planned(count: int = 3) -> tuple[FakeWebhooks, RunId]:
    book = failed(count)
    done = plan_replay.apply(wanted(), tooled(book))
    return book, RunId(str(done.made))


def run(module: Any, run_id: RunId) -> Any:  # noqa: ANN401  an action's module and its parameters
    return module.build({"run": run_id})


def test_it_freezes_the_list_oldest_first() -> None:
    book = failed(5)
    with Unchanged(book.kept_runs, book.kept_items, book.sent):
        seen = plan_replay.preview(wanted(rate_per_s=2), tooled(book))
    assert shown(seen)["Planned"] == (None, "5 deliveries, oldest first")
    assert shown(seen)["Takes"] == (None, "about 3 s at 2 a second")
    assert shown(seen)[f"To {URL}"] == (None, "5")
    done = plan_replay.apply(wanted(rate_per_s=2), tooled(book))
    (made,) = book.kept_runs
    ids = [f"dlv_{n}" for n in (5, 4, 3, 2, 1)]
    assert [(item.position, item.delivery) for item in book.kept_items] == list(enumerate(ids, start=1))
    assert made.digest == list_digest(item.delivery for item in book.kept_items) == seen.fingerprint["digest"]
    assert (made.state, made.planned, made.left, done.made) == (RunState.PLANNED, 5, 5, made.id)
    assert (made.oldest_at, made.newest_at) == (NOON - timedelta(minutes=5), NOON - timedelta(minutes=1))
    assert made.expires_at == NOON + timedelta(hours=24)


def test_it_says_what_it_leaves_out_and_why() -> None:
    hooks = [
        endpoint(event_types=("invoice.*",)),
        endpoint(id=EndpointId("ep_off"), url=f"{URL}/off", state=EndpointState.DISABLED),
        endpoint(id=EndpointId("ep_gone"), url=f"{URL}/gone", state=EndpointState.DELETED),
    ]
    at = {"created_at": NOON - timedelta(hours=1)}
    sent = [
        delivery(1, **at),
        delivery(2, **at, endpoint=EndpointId("ep_off")),
        delivery(3, **at, endpoint=EndpointId("ep_gone")),
        delivery(4, **at, event_type="order.made"),
        delivery(5, **at, run=RunId("run_9")),
        delivery(6, **at),
        delivery(7, **at, state=DeliveryState.DELIVERED),
    ]
    told = [message(6, expires_at=NOON)]
    book = FakeWebhooks(hooks=hooks, sent=sent, told=told)
    plan_replay.apply(wanted(), tooled(book))
    (made,) = book.kept_runs
    assert made.planned == 1
    assert made.excluded == {
        "endpoint_disabled": 1, "endpoint_deleted": 1, "filtered_out": 1, "in_another_run": 1, "payload_expired": 1,
        "already_delivered": 1,
    }  # fmt: skip
    plan_replay.apply(wanted(ignores_filters="yes", wanted="all"), tooled(book))
    assert book.kept_runs[1].planned == 3, "the filtered and the delivered one are in it now"
    warnings = plan_replay.preview(wanted(ignores_filters="yes", wanted="all"), tooled(book)).warnings
    assert any("acts on them twice" in warning for warning in warnings)
    assert any("not subscribe" in warning for warning in warnings)


def test_it_leaves_out_what_is_on_its_way() -> None:
    book = failed(2, state=DeliveryState.SENDING)
    assert "2 being sent" in fault_of(plan_replay.preview, wanted(wanted="all"), tooled(book))[1]


def retry_warnings(book: FakeWebhooks, **values: Any) -> list[str]:  # noqa: ANN401  typed values of the form
    warnings = plan_replay.preview(wanted(**values), tooled(book)).warnings
    return [warning for warning in warnings if "automatic retry" in warning]


@pytest.mark.parametrize("which", ["failed", "all"])
def test_it_says_that_it_takes_over_automatic_retries(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    book = failed(5)
    assert retry_warnings(book, wanted=which) == []
    for number, run_id in ((1, None), (2, None), (3, RunId("run_9"))):
        book.sent[number] = replace(book.sent[number], state=DeliveryState.RETRY_SCHEDULED, run=run_id)
    (told,) = retry_warnings(book, wanted=which)
    assert told.startswith("2 wait for an automatic retry, which this replaces"), "not the one that is left out"
    assert "not tried again by itself" in told
    monkeypatch.setattr(planning, "FROZEN_AT_ONCE", 3)
    (told,) = retry_warnings(book, wanted=which)
    assert told.startswith("Up to 3 wait for an automatic retry"), "a long list is looked at later"


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"since": "2026-11-21 05:00", "until": "2026-11-21 02:00"}, "until", "before the beginning"),
        ({"since": "2026-11-21 02:00", "until": "2026-11-21 02:00"}, "until", "before the beginning"),
        ({"since": "2026-02-30 02:00"}, "since", "day and time"),
        ({"until": "21.11.2026"}, "until", "day and time"),
    ],
)
def test_it_refuses_a_range_that_is_none(values: dict[str, str], field: str, words: str) -> None:
    wrong, remedy = fault_of(lambda: wanted(**values))
    assert wrong == field
    assert words in remedy


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"since": "2026-11-21 13:00", "until": "2026-11-21 14:00"}, "since"),
        ({"since": "2026-10-01 00:00", "until": "2026-10-02 00:00"}, "since"),
        ({"wanted": "some"}, "wanted"),
        ({"endpoint": "ep_of_another_tenant"}, "endpoint"),
        ({"event_type": "no.such"}, "event_type"),
        ({"ignores_filters": "perhaps"}, "ignores_filters"),
    ],
)
def test_it_names_what_is_wrong_with_a_plan(values: dict[str, str], field: str) -> None:
    book = failed(2)
    with Unchanged(book.sent, book.kept_runs):
        assert fault_of(plan_replay.preview, wanted(**values), tooled(book))[0] == field


def test_it_reads_no_more_than_one_past_the_most() -> None:
    book = failed(30)
    field, remedy = fault_of(plan_replay.preview, wanted(most=20), tooled(book))
    assert (field, "More than 20" in remedy, "11:50 UTC" in remedy) == ("until", True, False)
    assert book.asked == [21]
    endless = Endless()
    field, remedy = fault_of(plan_replay.preview, wanted(), tooled(endless))
    assert (field, "More than 100,000" in remedy, "08:40 UTC" in remedy) == ("until", True, True)
    assert sum(endless.asked) == FROZEN_AT_ONCE + 1 + MOST_PLANNED + 1, "counted no further than one past the most"


def test_it_begins_a_list_too_long_to_be_frozen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "FROZEN_AT_ONCE", 3)
    book = failed(5)
    with Unchanged(book.kept_runs, book.kept_items, book.sent):
        seen = plan_replay.preview(wanted(rate_per_s=2), tooled(book))
    assert shown(seen)["Matching"] == (None, "5 deliveries")
    assert shown(seen)["Takes"] == (None, "up to about 3 s at 2 a second")
    assert "digest" not in seen.fingerprint, "what is run is bound by the run's own approval"
    execution = ExecutionId("exe_1abc")
    done = plan_replay.apply(wanted(), replace(tooled(book), execution=execution))
    (made,) = book.kept_runs
    assert (made.id, made.state, made.planned, made.digest, made.left) == (
        "whr_1abc", RunState.COUNTING, 0, "", 0,
    )  # fmt: skip
    assert (done.made, book.kept_items) == (made.id, [])
    (job,) = plan_replay.ACTION.follow_up(wanted(), execution)
    assert (job.kind, job.payload) == ("webhook.plan", {"run": made.id})
    with pytest.raises(Fault, match="counting"):
        run_replay.preview(run(run_replay, made.id), tooled(book))
    cancel_replay.apply(run(cancel_replay, made.id), tooled(book))
    assert book.kept_runs[0].state is RunState.CANCELLED


class Endless(FakeWebhooks):
    """Matches ten million deliveries."""

    def candidates(self, selector: Any, *, after: Any, limit: int) -> Any:  # noqa: ANN401  as the port's
        self.asked.append(limit)
        one = FakeWebhooks().candidates(selector, after=None, limit=1)
        return list(one) * limit

    def count_candidates(self, selector: Any, *, most: int, state: Any = None) -> int:  # noqa: ANN401  as the port's
        self.asked.append(most)
        return min(10_000_000, most)

    def candidate_at(self, selector: Any, position: int) -> datetime:  # noqa: ANN401  as the port's
        assert position == MOST_PLANNED
        return NOON - timedelta(hours=3, minutes=20)


def test_it_runs_exactly_the_frozen_list() -> None:
    book, run_id = planned()
    with Unchanged(book):
        seen = run_replay.preview(run(run_replay, run_id), tooled(book))
    assert seen.facts == {"planned": 3}
    assert seen.fingerprint["digest"] == book.kept_runs[0].digest
    run_replay.apply(run(run_replay, run_id), tooled(book))
    (made,) = book.kept_runs
    assert (made.state, made.started_at) == (RunState.RUNNING, NOON)
    (job,) = run_replay.ACTION.follow_up(run(run_replay, run_id), ExecutionId("exe_1"))
    assert (job.kind, job.key, job.payload) == ("webhook.replay", f"replay:{run_id}", {"run": run_id})
    assert fault_of(run_replay.preview, run(run_replay, run_id), tooled(book))[0] == "run", "not a second time"


def test_it_runs_no_list_that_was_altered_after_the_plan() -> None:
    book, run_id = planned()
    book.digest = Digest("0" * 64)
    for function in (run_replay.preview, run_replay.apply):
        assert "not what was planned" in fault_of(function, run(run_replay, run_id), tooled(book))[1]
    assert book.kept_runs[0].state is RunState.PLANNED


def test_it_binds_the_addresses_too() -> None:
    book, run_id = planned()
    before = run_replay.preview(run(run_replay, run_id), tooled(book)).fingerprint
    book.hooks[0] = endpoint(url=f"{URL}/elsewhere")
    assert run_replay.preview(run(run_replay, run_id), tooled(book)).fingerprint != before


def test_it_runs_no_plan_of_yesterday() -> None:
    book, run_id = planned()
    late = tools(FakePlane(webhooks=book), now=NOON + timedelta(hours=24))
    assert "plan it again" in fault_of(run_replay.preview, run(run_replay, run_id), late)[1]
    assert fault_of(run_replay.preview, run(run_replay, RunId("run_of_another_tenant")), late)[0] == "run"


@pytest.mark.parametrize(
    ("module", "start", "end", "recalls"),
    [
        (pause_replay, RunState.RUNNING, RunState.PAUSED, True),
        (resume_replay, RunState.PAUSED, RunState.RUNNING, False),
        (cancel_replay, RunState.PLANNED, RunState.CANCELLED, True),
        (cancel_replay, RunState.RUNNING, RunState.CANCELLED, True),
        (cancel_replay, RunState.PAUSED, RunState.CANCELLED, True),
    ],
)
def test_it_steers_a_run(module: Any, start: RunState, end: RunState, recalls: bool) -> None:  # noqa: ANN401  a module, a row of the table
    book, run_id = planned()
    book.move_run(book.kept_runs[0], start, at=NOON)
    with Unchanged(book):
        assert shown(module.preview(run(module, run_id), tooled(book))) == {"Replay": (start.value, end.value)}
    module.apply(run(module, run_id), tooled(book))
    assert (book.kept_runs[0].state, book.recalled) == (end, [run_id] if recalls else [])
    assert fault_of(module.preview, run(module, run_id), tooled(book))[0] == "run"


def test_it_closes_the_books_of_a_plan_that_is_cancelled() -> None:
    params = run(cancel_replay, RunId("run_1"))
    (job,) = cancel_replay.ACTION.follow_up(params, ExecutionId("exe_1"))
    assert (job.kind, job.key) == ("webhook.replay", "replay:run_1"), "as the running job, so that there is no second"


@pytest.mark.parametrize("module", [run_replay, cancel_replay])
def test_it_notices_that_a_run_moved(module: Any) -> None:  # noqa: ANN401  a module
    book, run_id = planned()
    book.is_raced = True
    assert "meanwhile" in fault_of(module.apply, run(module, run_id), tooled(book))[1]
    assert book.recalled == []


@pytest.mark.parametrize(("seconds", "text"), [(0, "about 0 s"), (61, "about 1 min 1 s"), (7_384, "about 2 h 3 min")])
def test_it_tells_durations_in_two_units(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_it_offers_active_endpoints_and_all() -> None:
    assert [choice.value for choice in plan_replay.choices("endpoint", tooled(FakeWebhooks()))] == ["all", HOOK]
    assert [choice.value for choice in plan_replay.choices("wanted", tooled(FakeWebhooks()))] == [
        "failed", "delivered", "all",
    ]  # fmt: skip
