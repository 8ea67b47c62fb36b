"""Bulk replays from plan to report: what the pages show in each state, and how progress is followed."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from flask import Response
from werkzeug.test import TestResponse

from console.actions.webhook import planning
from console.domain.replays import Excluded, RunState
from console.domain.staff import Role
from console.usecases import plan_replay
from console.usecases.run_jobs import run_due_jobs
from console.web import live
from console.web.live import Look, Streams, stream
from console.web.shaping_replays import REASONS, duration
from tests.web.cast import PEOPLE, Browser, Cast
from tests.web.matrix import lease
from tests.web.walks import approved, fields
from tests.web.webhook_stage import DOWN_FROM, INCIDENT, MAIN, MISSED, Left, furnish, open_for_incident, planned_run

RUNS = "/t/nordwind/webhooks/replays"
PLAN = "/t/nordwind/actions/webhook.plan_replay"
ACTIONS = "/t/nordwind/actions/"


@pytest.fixture
def left(cast: Cast) -> Left:
    """Give what the outage left."""
    return furnish(cast)


@pytest.fixture
def engineer(cast: Cast, left: Left) -> Browser:
    """Give the browser of an engineer who opened Nordwind because of an incident."""
    assert left.failed
    return open_for_incident(cast)


def done(browser: Browser, path: str, **params: str) -> TestResponse:
    """Return what came of an action that needs nobody else."""
    query = "&".join(f"{name}={value}" for name, value in params.items())
    page = browser.get(f"{path}?{query}")
    assert page.status_code == 200, page.text
    return browser.post(path, {**fields(page, path), **INCIDENT, "step": "ask"})


def planned(browser: Browser) -> str:
    """Return the address of a replay of the whole outage, planned on the pages."""
    answer = done(browser, PLAN, endpoint=MAIN, wanted="failed", since=f"{DOWN_FROM:%Y-%m-%d+%H:%M}",
                  until="2026-11-21+12:00")  # fmt: skip
    assert answer.status_code == 303, answer.text
    address: str = answer.headers["Location"]
    assert address.startswith(RUNS)
    return address


def test_it_plans_asks_and_runs_with_a_second_person(cast: Cast, engineer: Browser) -> None:
    path = planned(engineer)
    page = engineer.get(path).text
    assert f"Replay of {MISSED} deliveries" in page
    assert "Everything that matched is in the plan" in page or "Left out" in page
    run = path.rpartition("/")[2]
    ask = f"{ACTIONS}webhook.run_replay"
    assert f"{ask}?run={run}" in page
    answer = done(engineer, ask, run=run)
    request = answer.headers["Location"]
    assert request.startswith("/requests/")
    lead = cast.sign_in("support_lead")
    text = lead.get(request).text
    assert f"Replay {MISSED} deliveries in bulk" in text
    approved(lead, request)
    running = engineer.get(path).text
    assert "Running" in running
    assert f'data-live="{path}/events"' in running
    assert "webhook.pause_replay?run=" in running
    assert "webhook.run_replay" not in running
    assert f'href="{path}"' in engineer.get(request).text


def test_it_follows_a_long_list_while_it_is_made(
    cast: Cast, engineer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (planning, plan_replay):
        monkeypatch.setattr(module, "FROZEN_AT_ONCE", 20)
    path = planned(engineer)
    run_due_jobs(cast.house, worker="w1")
    page = engineer.get(path).text
    assert "Replay being planned" in page
    assert f'data-live="{path}/events"' in page
    assert "webhook.cancel_replay?run=" in page
    assert "webhook.run_replay" not in page
    assert "none: the list is still being made" in page
    told = json.loads(engineer.get(f"{path}/progress").text)
    assert (told["state"], told["looked_at"], told["done"], told["planned"]) == ("counting", 20, 20, 20)
    for _each in range(4):
        run_due_jobs(cast.house, worker="w1")
    page = engineer.get(path).text
    assert f"Replay of {MISSED} deliveries" in page
    assert "webhook.run_replay?run=" in page
    assert 'data-live=""' in page


def test_it_pauses_resumes_and_cancels_from_the_page(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)
    for verb, word, next_verb in (("pause", "Paused", "resume"), ("resume", "Running", "pause")):
        assert done(engineer, f"{ACTIONS}webhook.{verb}_replay", run=run).status_code == 303
        text = engineer.get(f"{RUNS}/{run}").text
        assert f">{word}</span>" in text
        assert f"webhook.{next_verb}_replay?run=" in text
    assert done(engineer, f"{ACTIONS}webhook.cancel_replay", run=run).status_code == 303
    text = engineer.get(f"{RUNS}/{run}").text
    assert ">Cancelled</span>" in text
    assert "Being wound up" in text
    assert 'data-live="/t/' in text
    assert "claims__claim" not in text
    assert "_replay?run=" not in text


def test_it_shows_a_plan_that_was_cancelled_as_one_that_never_ran(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left)
    assert done(engineer, f"{ACTIONS}webhook.cancel_replay", run=run).status_code == 303
    text = engineer.get(f"{RUNS}/{run}").text
    assert ">Cancelled</span>" in text
    assert 'data-live=""' in text
    assert "What came of it" not in text


def test_it_does_not_offer_a_plan_that_is_too_old(cast: Cast, left: Left) -> None:
    run = planned_run(cast, left)
    cast.clock.pass_by(hours=25)
    text = open_for_incident(cast).get(f"{RUNS}/{run}").text
    assert "This plan is too old to run" in text
    assert "webhook.run_replay" not in text


def test_it_proves_at_the_end_that_nothing_is_missing(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.FINISHED)
    text = engineer.get(f"{RUNS}/{run}").text
    assert "4 = 1 sent + 3 skipped (3 because it failed again, three times), nothing left over." in text
    assert "equals the one in the approval" in text
    assert text.count("claims__claim--holds") == 4
    assert "claims__claim--fails" not in text
    assert "Entries of this tenant" in text


def test_it_says_so_when_the_rows_tell_another_story(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.CANCELLED, count=3)
    with closing(sqlite3.connect(str(cast.storage.engines()[0].url.database))) as raw:
        raw.execute("UPDATE plane_webhook_run SET sent = sent + 1")
        raw.commit()
    text = engineer.get(f"{RUNS}/{run}").text
    assert text.count("claims__claim--fails") == 1
    assert "panel--stop" in text


def test_it_lists_exactly_what_is_planned(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)
    text = engineer.get(f"{RUNS}/{run}/list").text
    assert [text.count(f"/deliveries/{each}") for each in left.failed[:5]] == [1, 1, 1, 1, 0]
    assert f"/deliveries/{left.failed[0]}" not in engineer.get(f"{RUNS}/{run}/list?state=waiting").text
    for odd in ("state=odd&after=x", "after=-1", "after=99999999999999999999", "after=٣"):
        assert engineer.get(f"{RUNS}/{run}/list?{odd}").status_code == 200


def test_it_has_words_for_every_reason_to_leave_one_out() -> None:
    assert set(Excluded) == set(REASONS)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (90, "1 min 30 s"), (3_600, "1 h"), (5_400, "1 h 30 min"), (-5, "0 s")],
)
def test_it_tells_durations_in_two_units(seconds: int, told: str) -> None:

    assert duration(timedelta(seconds=seconds)) == told


# --- progress ---


def test_it_tells_the_counters_to_pages_that_ask(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)
    answer = engineer.get(f"{RUNS}/{run}/progress")
    assert answer.mimetype == "application/json"
    assert json.loads(answer.text) == {
        "state": "running", "planned": 4, "sent": 1, "skipped": 0, "left": 3, "done": 1, "failing": 0,
            "looked_at": 0,
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_records_following_once_in_a_while_and_keeps_nothing_alive(
    cast: Cast, engineer: Browser, left: Left
) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)
    used = last_used(cast)
    for _ in range(5):
        cast.clock.pass_by(seconds=4)
        assert engineer.get(f"{RUNS}/{run}/progress").status_code == 200
    assert len(followed(cast)) == 1
    cast.clock.pass_by(minutes=6)
    engineer.get(f"{RUNS}/{run}/progress")
    assert len(followed(cast)) == 2
    assert last_used(cast) == used
    cast.clock.pass_by(minutes=20)
    answer = engineer.get(f"{RUNS}/{run}/progress")
    assert answer.status_code in {401, 404}


@pytest.mark.parametrize("kind", ["progress", "events"])
def test_it_records_each_refusal_though_it_was_followed_a_moment_ago(
    cast: Cast, engineer: Browser, left: Left, kind: str
) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)
    assert engineer.get(f"{RUNS}/{run}/progress").status_code == 200
    lease(cast, "engineer", None)
    for already in (0, 1):
        assert len(cast.entries("tenant.read_refused")) == already
        assert engineer.get(f"{RUNS}/{run}/{kind}").status_code == 404
    assert len(cast.entries("tenant.read_refused")) == 2


def last_used(cast: Cast) -> Any:  # noqa: ANN401  a moment
    with cast.house.store.read() as unit:
        (lease,) = unit.leases.open_of(PEOPLE["engineer"].id)
    return lease.last_used_at


def followed(cast: Cast) -> list[dict[str, Any]]:
    """Return the entries that say that somebody followed a replay."""
    return [entry for entry in cast.entries("tenant.read") if entry["targets"][0]["id"] == "replay progress"]


def test_it_streams_the_counters_and_ends_when_nothing_moves(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.FINISHED)
    answer = engineer.get(f"{RUNS}/{run}/events")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    events = answer.text.split("\n\n")
    assert events[0].startswith("retry:")
    assert json.loads(events[1].removeprefix("data: "))["state"] == "finished"
    assert events[2] == "event: over\ndata: {}"
    assert cast.app.extensions["sallyport"].streams.count == 0


def test_it_ends_the_stream_with_the_lease(
    cast: Cast, engineer: Browser, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)

    def ends_lease(_seconds: float) -> None:
        cast.clock.pass_by(minutes=21)

    monkeypatch.setattr(time, "sleep", ends_lease)
    events = engineer.get(f"{RUNS}/{run}/events").text.split("\n\n")
    assert [event.partition(":")[0] for event in events[:3]] == ["retry", "data", "event"]
    assert cast.app.extensions["sallyport"].streams.count == 0


@pytest.mark.parametrize("left_with", [frozenset({Role.FINANCE, Role.ADMINISTRATOR}), None], ids=["role", "account"])
def test_it_ends_the_stream_of_whoever_may_not_look_any_more(
    cast: Cast, engineer: Browser, left: Left, monkeypatch: pytest.MonkeyPatch, left_with: frozenset[Role] | None
) -> None:
    run, me, waits = planned_run(cast, left, state=RunState.RUNNING), PEOPLE["engineer"].id, []

    def takes_away(seconds: float) -> None:
        waits.append(seconds)
        with cast.house.store.write() as unit:
            if left_with is None:
                unit.staff.set_active(me, is_active=False, at=cast.clock.now())
            else:
                unit.staff.set_roles(me, left_with, at=cast.clock.now())

    monkeypatch.setattr(time, "sleep", takes_away)
    events = engineer.get(f"{RUNS}/{run}/events").text.split("\n\n")
    assert [event.partition(":")[0] for event in events[:3]] == ["retry", "data", "event"]
    assert len(waits) == 1


@pytest.mark.checklist("V15.2.2")
def test_it_sends_whoever_follows_too_much_to_ask_instead(cast: Cast, engineer: Browser, left: Left) -> None:
    run = planned_run(cast, left, state=RunState.RUNNING)
    streams: Streams = cast.app.extensions["sallyport"].streams
    me = PEOPLE["engineer"].id
    assert [streams.enter(me) for _ in range(3)] == [True, True, False]
    refused = engineer.get(f"{RUNS}/{run}/events")
    assert refused.status_code == 429
    assert cast.count("throttle.refused") == 1
    assert engineer.get(f"{RUNS}/{run}/progress").status_code == 200
    others = [PEOPLE[role.value].id for role in Role if role.value != "engineer"]
    assert [streams.enter(each) for each in others[:3]] == [True, True, False]
    streams.leave(me)
    assert streams.enter(others[2])


def following(looks: list[Look | None]) -> tuple[Response, list[float], list[str]]:
    """Return a stream over prepared looks, how it waited and how often it said goodbye."""
    waited: list[float] = []
    left: list[str] = []
    rest: Iterator[Look | None] = iter(looks)
    look: Callable[[], Look | None] = lambda: next(rest, looks[-1])  # noqa: E731  the last one stays
    return stream(look, left=lambda: left.append("left"), wait=waited.append), waited, left


def test_it_tells_only_what_moved_and_never_for_long() -> None:
    moving = [Look(values={"left": left}, is_last=False) for left in (3, 3, 2)]
    response, waited, left = following(list(moving))
    text = response.get_data(as_text=True)
    response.close()
    assert text.count("data: ") == 2
    assert text.count(": still here") == 7
    assert sum(waited) == live.LONGEST_S
    assert left == ["left"]
    assert "event: over" not in text


def test_it_says_goodbye_when_somebody_may_not_look_any_more() -> None:
    response, waited, left = following([Look(values={"left": 3}, is_last=False), None])
    assert response.get_data(as_text=True).endswith("event: over\ndata: {}\n\n")
    response.close()
    assert (waited, left) == ([live.TICK_S], ["left"])


def test_it_leaves_the_place_of_a_stream_that_nobody_read() -> None:
    response, _waited, left = following([Look(values={}, is_last=False)])
    response.close()
    assert left == ["left"]
