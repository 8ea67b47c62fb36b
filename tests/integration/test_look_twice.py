"""Looking twice: what changes between two lists, what comes meanwhile, and webhooks that are still on their way."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.adapters.inbound_stripe import StripeSignatures
from console.domain.billing.objects import ObjectKind
from console.domain.ids import InboundId
from console.domain.inbound import InboundEvent, InboundState
from console.domain.reconciling.findings import Candidate
from console.ports.inbound import ListedEvent
from console.usecases import look_twice
from console.usecases.look_twice import listed_again, looked_again
from tests.billing import AN_INVOICE
from tests.integration.reconciling_world import World, customer, subscription, world
from tests.integration.stage import behind
from tests.reconciling import A_CANDIDATE, A_RUN


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    with world("sqlite", tmp_path, str) as made:
        yield made


class Events:
    """A provider's list of events."""

    def __init__(self, *events: ListedEvent) -> None:
        self.events = events

    def since(self, at: datetime, *, limit: int, after: str | None = None) -> Sequence[ListedEvent]:
        begin = [event.event_id for event in self.events].index(after) + 1 if after else 0
        return [event for event in self.events[begin:] if event.made_at >= at][:limit]


def saying(*amounts: int) -> list[Candidate]:
    """Return one candidate for each amount, whose words follow it."""
    return [
        replace(A_CANDIDATE, objects=(f"pi_{number}",), theirs=f"{amount} EUR") for number, amount in enumerate(amounts)
    ]


def test_it_believes_at_once_what_stands_still() -> None:
    looks = iter([saying(5, 7)])
    assert looked_again(saying(5, 7), lambda: next(looks)) == saying(5, 7)


def test_it_looks_until_two_looks_say_the_same() -> None:
    looks = iter([saying(6, 7, 8), saying(6, 7, 8)])
    assert looked_again(saying(5, 7), lambda: next(looks)) == saying(6, 7)


def test_it_forgets_what_is_gone_and_never_believes_what_changes_with_every_look() -> None:
    looks = iter([saying(number, 7) for number in range(10, 99)])
    assert looked_again(saying(5, 7), lambda: next(looks)) == saying(13, 7)[1:]
    assert looked_again(saying(5, 7), list) == []


def test_it_lists_all_of_a_customer_also_what_was_made_meanwhile(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_twice, "_AT_ONCE", 2)
    now = small.clock.now()
    invoices = [
        replace(AN_INVOICE, id=f"in_{number}", customer="cus_acme", issued_at=now, subscription=None)
        for number in range(5)
    ]
    small.provider.knows(*invoices)
    wanted = [(ObjectKind.INVOICE, "in_gone"), (ObjectKind.INVOICE, "in_1")]
    side = listed_again(small.house, replace(A_RUN, window_from=now - timedelta(days=1)), ["cus_acme"], wanted)
    assert {name for _, name in side.objects} == {"cus_acme", "sub_acme", *(each.id for each in invoices)}
    nobody = listed_again(small.house, A_RUN, ["cus_nobody"], [])
    assert (nobody.objects, nobody.unreadable) == ({}, {})


def test_what_the_provider_told_of_lately_waits_for_its_webhook(small: World) -> None:
    body = {"id": "evt_1", "type": "customer.subscription.updated", "data": {"object": {"id": "sub_bolt"}}}
    event = ListedEvent(event_id="evt_1", event_type="x", made_at=small.clock.now(), payload=json.dumps(body).encode())
    events = {"paper": Events(event), "without a verifier": Events(event)}
    small.stage = replace(
        small.stage,
        house=behind(small.stage, provider_events=events, inbound_verifiers={"paper": StripeSignatures(["whsec"])}),
    )
    small.provider.knows(subscription("bolt", status="dreaming"))
    run = small.run()
    assert ([each[2] for each in small.kinds()], run.counts["in_flight"]) == (["in_flight"], 1)
    small.clock.pass_by(minutes=11)
    small.run()
    assert "open" in {state for kind, _, state in small.kinds() if kind == "unknown_enum"}


def test_what_arrived_and_moved_on_is_on_its_way_anew_and_what_never_arrived_is_not(small: World) -> None:
    def moved(name: str, ours: str, number: int) -> tuple[str, int]:
        small.provider.known = [each for each in small.provider.known if each.thing.id != "cus_bolt"]
        small.provider.knows(replace(bolt, name=name))
        small.mirror("bolt", replace(bolt, name=ours))
        body = {"id": f"evt_{number}", "type": "customer.updated", "data": {"object": {"id": "cus_bolt"}}}
        told.events = (
            ListedEvent(
                event_id=f"evt_{number}", event_type="x", made_at=small.clock.now(), payload=json.dumps(body).encode()
            ),
        )
        run = small.run()
        (state,) = [state for kind, _, state in small.kinds() if kind == "customer_drift"]
        return state, run.counts.get("healed", 0)

    told = Events()
    small.stage = replace(
        small.stage,
        house=behind(
            small.stage, provider_events={"paper": told}, inbound_verifiers={"paper": StripeSignatures(["whsec"])}
        ),
    )
    bolt, said = customer("bolt"), list[tuple[str, int]]()
    for number, (theirs, ours) in enumerate([("B", "A"), ("C", "B"), ("D", "C"), ("E", "C")]):
        said.append(moved(theirs, ours, number))
        small.clock.pass_by(minutes=11)
    # Nothing came after C for longer than the window: it was called a difference, and healed.
    assert said == [("in_flight", 0), ("in_flight", 0), ("in_flight", 0), ("resolved", 1)]
    (finding,) = small.findings()
    assert finding.times_reopened == small.stage.entries("finding.reopened") == 2


def test_what_was_resolved_and_is_on_its_way_again_waits_as_if_for_the_first_time(small: World) -> None:
    def states() -> list[str]:
        return [state for kind, _, state in small.kinds() if kind == "unknown_enum"]

    small.provider.knows(subscription("bolt", status="dreaming"))
    small.run()
    assert states() == ["open"]
    small.clock.pass_by(days=1)
    small.provider.knows(subscription("bolt"))
    small.run()
    assert states() == ["resolved"]
    small.clock.pass_by(days=1)
    small.provider.knows(subscription("bolt", status="dreaming"))
    said, back = list[str](), small.clock.now()
    for number in range(20):  # an event about it is always under way, and the finding is older than that by two days
        with small.stage.storage.store.write() as unit:
            unit.inbox.add(event_about_bolt(small, number))
        small.run()
        said += states()
        if said[-1] == "open":
            break
        small.clock.pass_by(seconds=30)
    assert said == [*["in_flight"] * (len(said) - 1), "open"]
    waited = small.clock.now() - back  # nothing is on its way for that long
    assert timedelta(minutes=10) <= waited < timedelta(minutes=14)
    assert len(said) >= 5
    (finding,) = [each for each in small.findings() if each.kind == "unknown_enum"]
    assert finding.times_reopened == small.stage.entries("finding.reopened") == 1


def event_about_bolt(small: World, number: int) -> InboundEvent:
    """Return an event that waits in the inbox."""
    now = small.clock.now()
    return InboundEvent(
        id=InboundId(f"inb_{number}"), provider="paper", account="", is_live=True, event_id=f"evt_{number}",
        event_type="customer.subscription.updated", object_id="sub_bolt", customer="cus_bolt", made_at=now,
        received_at=now, payload=b"{}", state=InboundState.RECEIVED,
    )  # fmt: skip
