"""Events that never came: found in the provider's own list, page by page, and fetched."""

import json
from datetime import timedelta
from typing import Any

import pytest

from console.domain.jobs import Job
from console.ports.inbound import ListedEvent
from console.storage.inbox import StoredInbox
from console.usecases import find_gaps as gaps
from console.usecases.find_gaps import find_gaps
from tests.databases import NOON
from tests.integration.inbound_world import World, invoice_paid, there
from tests.integration.overtaking import overtake
from tests.integration.stage import behind, rows

__all__ = ["there"]


def listed(number: int, *, minutes_ago: int, **other: Any) -> ListedEvent:  # noqa: ANN401  an event's fields
    body = invoice_paid(**{"id": f"evt_{number}", **other})
    return ListedEvent(
        event_id=f"evt_{number}",
        event_type="invoice.paid",
        made_at=NOON - timedelta(minutes=minutes_ago),
        payload=json.dumps(body).encode(),
    )


def test_it_fetches_what_never_came(there: World) -> None:
    there.provider.says("acme", "paid")
    there.call(invoice_paid(id="evt_7"))
    there.provider.events = [listed(number, minutes_ago=300 - number) for number in range(1, 250)]
    there.provider.events.append(listed(900, minutes_ago=1))
    there.provider.events.append(listed(901, minutes_ago=20, type=None))
    for _ in range(2):
        find_gaps(there.stage.house, _job())
    events = rows(there.stage.url, "SELECT event_id, is_fetched FROM inbound_event")
    fetched = {event_id for event_id, is_fetched in events if is_fetched}
    assert len(events) == 249
    assert fetched == {f"evt_{number}" for number in range(1, 250)} - {"evt_7"}
    told = rows(there.stage.url, "SELECT body FROM audit_event WHERE action = 'inbound.gap_found'")
    assert (
        sum(json.loads(bytes(body) if not isinstance(body, str) else body)["exposure"]["records"] for (body,) in told)
        == 248
    )


def _job() -> Job:
    return Job(
        id="job_1", kind="inbound.find_gaps", key="k", queue="inbound", payload={}, state="running", tenant=None,  # type: ignore[arg-type]  # plain words
        actor=None, reason=None, request=None, created_at=NOON, run_at=NOON, attempts=0, most_attempts=8, version=1,
    )  # fmt: skip


def test_it_asks_no_provider_whose_events_it_cannot_read(there: World) -> None:
    house = behind(there.stage, inbound_verifiers={})
    there.provider.events = [listed(1, minutes_ago=60)]
    find_gaps(house, _job())
    assert there.events() == []


SMALL = pytest.mark.parametrize("there", ["sqlite"], indirect=True)


@SMALL
def test_more_events_of_one_moment_than_a_page_holds_are_all_found_and_what_came_later(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "_PAGE", 3)
    crowd = [listed(number, minutes_ago=60) for number in range(1, 6)]
    there.provider.events = [*crowd, listed(8, minutes_ago=50), listed(9, minutes_ago=40)]
    find_gaps(there.stage.house, _job())
    assert {event.event_id for event in there.events()} == {each.event_id for each in there.provider.events}


@SMALL
def test_it_reads_so_many_pages_of_a_list_and_no_more(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "_PAGE", 3)
    monkeypatch.setattr(gaps, "_MOST_PAGES", 2)
    there.provider.events = [listed(number, minutes_ago=300 - number) for number in range(1, 20)]
    find_gaps(there.stage.house, _job())
    assert {event.event_id for event in there.events()} == {f"evt_{number}" for number in range(1, 7)}


@SMALL
def test_a_gap_that_closes_while_it_is_filled_was_none(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    there.provider.events = [listed(1, minutes_ago=60)]
    overtake(monkeypatch, StoredInbox, "add")
    find_gaps(there.stage.house, _job())
    assert (len(there.events()), there.stage.entries("inbound.gap_found")) == (1, 0)
