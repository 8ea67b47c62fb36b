"""What reconciliation finds, what heals, and what must not be found."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from console.domain.billing.objects import ObjectKind
from console.domain.ids import InboundId
from console.domain.imports import WebhookEndpointRecord
from console.domain.inbound import InboundEvent, InboundState
from console.domain.reconciling.findings import FindingState
from console.domain.reconciling.runs import RunState
from console.storage.access import StoredAccess
from console.storage.mirror import StoredMirror
from tests.integration.reconciling_fleet import bound, broken, fleet, small
from tests.integration.reconciling_world import World, customer, subscription
from tests.integration.stage import tenant

__all__ = ["fleet", "small"]


def test_it_finds_nothing_where_the_books_agree(fleet: World) -> None:
    run = fleet.run()
    assert fleet.kinds() == []
    assert (run.state, run.counts["tenants"], run.found) == (RunState.DONE, 3, {})
    assert (run.counts["pulled.customer"], run.counts["pulled.subscription"], run.tenants_total) == (3, 3, 3)
    again = fleet.run()
    assert (again.inputs_digest, again.findings_digest) == (run.inputs_digest, run.findings_digest)
    assert again.previous == run.id


def test_it_heals_from_the_provider_and_then_finds_nothing(fleet: World) -> None:
    fleet.provider.knows(subscription("bolt", status="past_due"))
    run = fleet.run()
    assert fleet.kinds() == [("sub_status_drift", tenant("bolt"), "resolved")]
    assert (run.state, run.counts["healed"], run.found["sub_status_drift"].count) == (RunState.DONE, 1, 1)
    healed = fleet.mirrored("bolt", ObjectKind.SUBSCRIPTION, "sub_bolt")
    assert healed is not None
    assert getattr(healed.thing, "status", "") == "past_due"
    assert (fleet.stage.entries("finding.opened"), fleet.stage.entries("finding.healed")) == (1, 1)
    (finding,) = fleet.findings()
    assert (finding.resolved_by, finding.first_run) == (run.id, run.id)
    again = fleet.run()
    assert (again.found, len(fleet.findings())) == ({}, 1)


def test_it_takes_the_tenants_turn_before_it_writes_a_row_of_its_mirror(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As whoever settles a command to the provider does; the other way about they wait for each other."""
    done: list[str] = []
    for book_of, verb in ((StoredAccess, "take_turn"), (StoredMirror, "put")):
        real = getattr(book_of, verb)

        def noted(self: object, *given: object, real: Callable[..., object] = real, verb: str = verb) -> object:
            done.append(verb)
            return real(self, *given)

        monkeypatch.setattr(book_of, verb, noted)
    small.provider.knows(subscription("bolt", status="past_due"))
    assert small.run().counts["healed"] == 1
    assert done[:2] == ["take_turn", "put"]


def test_healing_tells_the_tenant_whose_access_changes(fleet: World) -> None:
    with fleet.stage.storage.bulk.write() as bulk:
        endpoint = WebhookEndpointRecord(
            tenant="bolt", external_id="named", url="https://bolt.example/in", created_at=fleet.clock.now(),
            event_types=("entitlements.*",),
        )  # fmt: skip
        bulk.put([endpoint])
    told = "SELECT count(*) FROM plane_webhook_delivery WHERE event_type = 'entitlements.updated'"
    fleet.provider.knows(subscription("bolt", ends_at_period_end=True))
    fleet.run()
    assert fleet.stage.count(told) == 0  # healed, and nothing changes for the tenant
    before = fleet.stage.entries("access.recalculated")
    fleet.provider.knows(subscription("bolt", status="canceled", ended_at=fleet.clock.now()))
    assert fleet.run().counts["healed"] == 1
    assert fleet.stage.count(told) == 1
    assert fleet.stage.entries("access.recalculated") == before + 1


def test_it_is_the_same_finding_in_every_run(fleet: World) -> None:
    broken(fleet)
    first = fleet.run()
    (before,) = fleet.findings()
    assert before.state is FindingState.OPEN
    second = fleet.run()
    (finding,) = fleet.findings()
    assert second.findings_digest == first.findings_digest
    assert (finding.id, finding.first_run, finding.last_run) == (before.id, first.id, second.id)
    assert finding.last_seen_at > before.last_seen_at
    assert fleet.stage.entries("finding.opened") == 1


def test_it_resolves_what_is_gone_and_opens_what_comes_back(fleet: World) -> None:
    broken(fleet)
    fleet.run()
    fleet.provider.knows(subscription("bolt"))
    gone = fleet.run()
    (finding,) = fleet.findings()
    assert (finding.state, finding.resolved_by, gone.counts["resolved"]) == (FindingState.RESOLVED, gone.id, 1)
    broken(fleet)
    fleet.run()
    (finding,) = fleet.findings()
    assert (finding.state, finding.times_reopened, finding.resolved_at) == (FindingState.OPEN, 1, None)
    assert fleet.stage.entries("finding.resolved") == fleet.stage.entries("finding.reopened") == 1


def test_it_believes_only_what_it_sees_twice(fleet: World) -> None:
    def webhook(question: tuple[str, ...]) -> None:
        if question[:2] == ("page", "invoice"):  # the subscriptions were listed just before
            fleet.provider.meanwhile = lambda _question: None
            fleet.provider.knows(subscription("bolt", status="past_due"))
            fleet.mirror("bolt", subscription("bolt", status="past_due"))
            fleet.recalculate("bolt")

    fleet.provider.meanwhile = webhook
    run = fleet.run()
    assert (fleet.kinds(), run.found) == ([], {})
    assert (run.counts["looked_twice"], run.counts["vanished"]) == (1, 1)


def test_a_busy_fleet_raises_no_false_finding(small: World) -> None:
    asked = 0

    def busy(question: tuple[str, ...]) -> None:
        nonlocal asked
        asked += 1
        slug = ("acme", "bolt", "cold")[asked % 3]
        status = ("active", "past_due")[asked % 2]
        small.provider.known = [each for each in small.provider.known if each.thing.id != f"sub_{slug}"]
        small.provider.knows(subscription(slug, status=status))
        small.mirror(slug, subscription(slug, status=status))
        small.recalculate(slug)

    small.provider.meanwhile = busy
    for _ in range(4):
        run = small.run()
        assert (small.kinds(), run.found, run.state) == ([], {}, RunState.DONE)
    assert asked > 40


def test_a_young_difference_that_an_event_is_about_is_in_flight(fleet: World) -> None:
    fleet.provider.knows(subscription("bolt", status="dreaming"))
    event = InboundEvent(
        id=InboundId("inb_1"), provider="paper", account="", is_live=True, event_id="evt_1",
        event_type="customer.subscription.updated", object_id="sub_bolt", customer="cus_bolt",
        made_at=fleet.clock.now(), received_at=fleet.clock.now(), payload=b"{}", state=InboundState.RECEIVED,
    )  # fmt: skip
    with fleet.stage.storage.store.write() as unit:
        unit.inbox.add(event)
    run = fleet.run()
    assert [each[2] for each in fleet.kinds()] == ["in_flight"]
    assert (run.counts["in_flight"], run.newest_event) == (1, "evt_1")
    fleet.clock.pass_by(minutes=11)
    fleet.run()
    assert [each[2] for each in fleet.kinds()] == ["open"]  # the event is late: that is no excuse any more


def test_it_stops_at_a_mass_difference_and_calls_somebody(fleet: World) -> None:
    bound(fleet, heal_least_tenants=1)
    for slug in ("acme", "bolt"):
        fleet.provider.knows(subscription(slug, status="past_due"))
    run = fleet.run()
    assert (run.state, run.counts["healable_tenants"], run.counts.get("healed", 0)) == (RunState.STOPPED, 2, 0)
    assert {each[2] for each in fleet.kinds()} == {"open"}
    assert fleet.stage.entries("reconciliation.stopped") == 1
    called = fleet.stage.count(
        "SELECT count(DISTINCT to_staff) FROM notice WHERE kind = 'reconciliation_stopped' AND path = ?",
        f"/reconciliation/runs/{run.id}",
    )
    assert called >= 2
    mirrored = fleet.mirrored("acme", ObjectKind.SUBSCRIPTION, "sub_acme")
    assert mirrored is not None
    assert getattr(mirrored.thing, "status", "") == "active"


def test_a_waiver_lapses_by_itself(fleet: World) -> None:
    broken(fleet)
    fleet.run()
    (finding,) = fleet.findings()
    fleet.change(finding, state=FindingState.WAIVED, waived_until=fleet.clock.now() + timedelta(days=1))
    fleet.run()
    assert [each[2] for each in fleet.kinds()] == ["waived"]
    fleet.clock.pass_by(days=1)
    run = fleet.run()
    assert [each[2] for each in fleet.kinds()] == ["open"]
    assert (run.counts["lapsed"], fleet.stage.entries("finding.lapsed")) == (1, 1)


def test_what_was_explained_opens_again_when_it_says_something_else(fleet: World) -> None:
    broken(fleet)
    fleet.run()
    (finding,) = fleet.findings()
    fleet.change(finding, state=FindingState.EXPLAINED, explanation="A test of the provider's.")
    fleet.run()
    assert [each[2] for each in fleet.kinds()] == ["explained"]
    fleet.provider.knows(subscription("bolt", status="sleepwalking"))
    fleet.run()
    (finding,) = fleet.findings()
    assert (finding.state, finding.explanation, finding.times_reopened) == (FindingState.OPEN, None, 1)


def test_a_run_over_one_tenant_judges_no_other(fleet: World) -> None:
    broken(fleet)
    fleet.run()
    fleet.provider.knows(subscription("bolt"))
    run = fleet.run("acme")
    assert (run.state, run.tenants_total, run.counts["pulled.customer"]) == (RunState.DONE, 1, 1)
    assert [each[2] for each in fleet.kinds()] == ["open"]  # Bolt's stands until somebody looks at Bolt
    fleet.run("bolt")
    assert [each[2] for each in fleet.kinds()] == ["resolved"]


def test_a_customer_of_nobody_is_a_finding_of_the_account(fleet: World) -> None:
    fleet.provider.knows(customer("stray", tenant=None, name="Acme GmbH"))
    fleet.run()
    (finding,) = fleet.findings()
    assert (finding.kind, finding.tenant, finding.objects) == ("customer_unmapped", None, ("cus_stray",))
    assert any("by name" in said for said in finding.evidence.values())
    fleet.provider.known = [each for each in fleet.provider.known if each.thing.id != "cus_stray"]
    fleet.run()
    assert [each[2] for each in fleet.kinds()] == ["resolved"]
