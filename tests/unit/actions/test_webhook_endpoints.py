"""The actions on endpoints: what they show, what they change, and how they refuse."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from console.actions.webhook import (
    add_endpoint,
    change_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    pause_endpoint,
    rotate_secret,
)
from console.actions.webhook.endpoints import DEFAULT_RATE
from console.domain.ids import EndpointId, ExecutionId
from console.domain.replays import RunState
from console.domain.webhooks import DeliveryState, EndpointState, KeyAlgorithm
from console.ports.action_tools import Tools
from tests.unit.fakes import NOON, FakePlane, Unchanged, fault_of, shown, tools
from tests.unit.webhook_fakes import HOOK, SECRET, URL, FakeKeys, FakeOutbound, FakeWebhooks, delivery, endpoint

PRIVATE = "https://10.0.0.1/in"
NEW = "https://new.acme.example/in"
EMPTY = {"url": "", "event_types": "", "rate_per_s": "", "description": ""}


def tooled(book: FakeWebhooks) -> Tools:
    outbound = FakeOutbound({PRIVATE: "That address is private; give a public one."})
    return tools(FakePlane(webhooks=book), outbound=outbound, keys=FakeKeys())


def added(**values: Any) -> add_endpoint.Params:  # noqa: ANN401  typed values of the form
    return add_endpoint.build({**EMPTY, "url": NEW, "event_types": "*", **values})


def changed(**values: Any) -> change_endpoint.Params:  # noqa: ANN401  typed values of the form
    return change_endpoint.build({**EMPTY, "endpoint": HOOK, **values})


def enabled(recover: str = "") -> enable_endpoint.Params:
    return enable_endpoint.build({"endpoint": HOOK, "recover": recover})


def rotated(hours: int | str = "", algorithm: str = "") -> rotate_secret.Params:
    return rotate_secret.build({"endpoint": HOOK, "overlap_hours": hours, "algorithm": algorithm})


def test_it_adds_an_endpoint_and_shows_its_secret_once() -> None:
    book = FakeWebhooks()
    with Unchanged(book):
        seen = add_endpoint.preview(added(event_types="invoice.paid"), tooled(book))
    assert shown(seen)["Address"] == (None, NEW)
    done = add_endpoint.apply(added(event_types="invoice.paid"), tooled(book))
    made = book.hooks[-1]
    assert (made.url, made.event_types, made.rate_per_s, made.state) == (
        NEW, ("invoice.paid",), DEFAULT_RATE, EndpointState.ACTIVE,
    )  # fmt: skip
    assert done.shown == {"Signing secret": SECRET}
    assert done.made == made.id
    assert SECRET not in repr((seen, done.sentence, done.changes, book))


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"url": PRIVATE}, "url", "private"),
        ({"url": "hooks.acme.example"}, "url", "no web address"),
        ({"url": "https://[::1"}, "url", "no web address"),
        ({"url": "ftp://hooks.acme.example/in"}, "url", "no web address"),
        ({"url": "https://hooks.acme.example:0/in"}, "url", "no web address"),
        ({"url": "https://ada:pw@hooks.acme.example/in"}, "url", "name and password"),
        ({"url": "https://hooks.acme.example/in#x"}, "url", "after #"),
        ({"url": f"https://hooks.acme.example/{'x' * 2000}"}, "url", "2,000"),
        ({"url": URL}, "url", "change that one"),
        ({"event_types": "invoice.lost"}, "event_types", "invoice.lost. Known: invoice.paid"),
        ({"event_types": "Invoice Paid"}, "event_types", "no event type"),
        ({"event_types": "*, invoice.paid"}, "event_types", "alone"),
    ],
)
def test_it_refuses_what_must_not_be_sent_to(values: dict[str, str], field: str, words: str) -> None:
    book = FakeWebhooks()
    with Unchanged(book):
        for function in (add_endpoint.preview, add_endpoint.apply):
            wrong, remedy = fault_of(function, added(**values), tooled(book))
            assert wrong == field
            assert words in remedy


def test_it_lets_a_tenant_that_was_never_told_anything_name_any_event() -> None:
    book = FakeWebhooks(hooks=[], told=[])
    add_endpoint.apply(added(event_types="invoice.*,order.made"), tooled(book))
    assert book.hooks[0].event_types == ("invoice.*", "order.made")


def test_it_understands_a_family_of_events() -> None:
    book = FakeWebhooks()
    assert "invoice.*" in str(shown(add_endpoint.preview(added(event_types="invoice.*"), tooled(book))))
    assert fault_of(add_endpoint.preview, added(event_types="order.*"), tooled(book))[0] == "event_types"


def test_it_stops_at_fifty_endpoints() -> None:
    book = FakeWebhooks(hooks=[endpoint(id=EndpointId(f"ep_{n}"), url=f"{URL}/{n}") for n in range(50)])
    assert "at most 50" in fault_of(add_endpoint.preview, added(), tooled(book))[1]


def test_it_tells_policy_whether_the_address_moves() -> None:
    book = FakeWebhooks()
    assert change_endpoint.preview(changed(rate_per_s=5), tooled(book)).facts == {"changes_address": False}
    seen = change_endpoint.preview(changed(url=NEW), tooled(book))
    assert (seen.facts, shown(seen)) == ({"changes_address": True}, {"Address": (URL, NEW)})
    assert seen.fingerprint == {"endpoint": HOOK, "endpoint_version": 4}


def test_it_changes_only_what_was_given() -> None:
    book = FakeWebhooks(hooks=[endpoint(event_types=("invoice.paid",))])
    change_endpoint.apply(changed(event_types="*"), tooled(book))
    (after,) = book.hooks
    assert (after.event_types, after.url, after.rate_per_s, after.version) == ((), URL, 10, 5)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "endpoint"),
        ({"url": PRIVATE}, "url"),
        ({"url": f"{URL}/2"}, "url"),
        ({"endpoint": "ep_of_another_tenant", "rate_per_s": 3}, "endpoint"),
        ({"endpoint": "ep_gone", "rate_per_s": 3}, "endpoint"),
        ({"event_types": "no.such"}, "event_types"),
    ],
)
def test_it_names_what_is_wrong_with_a_change(values: dict[str, Any], field: str) -> None:
    others = [
        endpoint(id=EndpointId("ep_other"), url=f"{URL}/2"),
        endpoint(id=EndpointId("ep_gone"), state=EndpointState.DELETED),
    ]
    book = FakeWebhooks(hooks=[endpoint(), *others])
    with Unchanged(book):
        assert fault_of(change_endpoint.preview, changed(**values), tooled(book))[0] == field


def test_it_shows_what_holds_now_beside_the_fields() -> None:
    current = change_endpoint.current({"endpoint": HOOK}, tooled(FakeWebhooks()))
    assert current == {"url": f"now {URL}", "event_types": "now all events", "rate_per_s": "now 10"}
    assert change_endpoint.current({}, tooled(FakeWebhooks())) == {}


@pytest.mark.parametrize(
    ("action", "to", "fate"),
    [
        (pause_endpoint, EndpointState.PAUSED, (HOOK, "held", "endpoint_paused")),
        (disable_endpoint, EndpointState.DISABLED, (HOOK, "suppressed", "endpoint_disabled")),
        (delete_endpoint, EndpointState.DELETED, (HOOK, "suppressed", "endpoint_deleted")),
    ],
)
def test_it_stops_an_endpoint_and_what_waits_for_it(action: Any, to: EndpointState, fate: tuple[str, ...]) -> None:  # noqa: ANN401  a module
    book, params = FakeWebhooks(), action.build({"endpoint": HOOK})
    with Unchanged(book):
        assert shown(action.preview(params, tooled(book))) == {"State": ("active", to.value)}
    action.apply(params, tooled(book))
    assert (book.hooks[0].state, book.moved) == (to, [fate])
    (rest,) = action.ACTION.follow_up(params, ExecutionId("exe_1"))
    assert (rest.kind, rest.key, rest.payload) == ("webhook.hold", "hold:exe_1", {"endpoint": HOOK})
    assert "endpoint" in fault_of(action.preview, params, tooled(book))[0]
    assert [choice.value for choice in action.choices("endpoint", tooled(FakeWebhooks()))] == [HOOK]
    assert action.choices("other", tooled(book)) == ()


@pytest.mark.parametrize("action", [pause_endpoint, disable_endpoint, delete_endpoint])
def test_it_notices_that_somebody_was_faster(action: Any) -> None:  # noqa: ANN401  a module
    book = FakeWebhooks(is_raced=True)
    with Unchanged(book):
        assert "meanwhile" in fault_of(action.apply, action.build({"endpoint": HOOK}), tooled(book))[1]


def test_it_queues_again_what_a_pause_held() -> None:
    book = FakeWebhooks(hooks=[endpoint(state=EndpointState.PAUSED)])
    seen = enable_endpoint.preview(enabled(), tooled(book))
    assert "same message ids" in seen.warnings[0]
    enable_endpoint.apply(enabled(), tooled(book))
    assert (book.hooks[0].state, book.moved, book.kept_runs) == (EndpointState.ACTIVE, [(HOOK, "queued", None)], [])
    paused = FakeWebhooks(hooks=[endpoint(state=EndpointState.PAUSED)])
    assert fault_of(enable_endpoint.preview, enabled("plan"), tooled(paused))[0] == "recover"


def disabled_book() -> FakeWebhooks:
    down = endpoint(
        state=EndpointState.DISABLED, failing_since=NOON - timedelta(hours=9), disabled_at=NOON - timedelta(hours=4),
        failures_in_row=23, because="failing",
    )  # fmt: skip
    return FakeWebhooks(
        hooks=[down],
        sent=[delivery(n, created_at=NOON - timedelta(hours=n)) for n in range(1, 12)],
    )


def test_it_offers_the_recovery_of_the_gap() -> None:
    book = disabled_book()
    with Unchanged(book.hooks, book.sent, book.kept_runs):
        seen = enable_endpoint.preview(enabled(), tooled(book))
    assert "Since 21 Nov 2026, 03:00 UTC, 9 deliveries did not arrive" in seen.warnings[0]
    assert "choose to plan" in seen.warnings[1]
    enable_endpoint.apply(enabled(), tooled(book))
    after = book.hooks[0]
    assert (after.state, after.failing_since, after.failures_in_row, after.because) == (
        EndpointState.ACTIVE, None, 0, None,
    )  # fmt: skip
    assert book.kept_runs == []


def test_it_plans_the_recovery_where_that_is_wanted() -> None:
    book = disabled_book()
    seen = enable_endpoint.preview(enabled("plan"), tooled(book))
    assert "Replay of the gap" in shown(seen)
    done = enable_endpoint.apply(enabled("plan"), tooled(book))
    (run,) = book.kept_runs
    assert (done.made, run.planned, run.state) == (run.id, 9, RunState.PLANNED)
    assert fault_of(enable_endpoint.preview, enabled("perhaps"), tooled(disabled_book()))[0] == "recover"


def test_it_says_that_the_recovery_takes_over_automatic_retries() -> None:
    book = disabled_book()
    book.sent[0] = replace(book.sent[0], state=DeliveryState.RETRY_SCHEDULED)
    assert enable_endpoint.preview(enabled("plan"), tooled(book)).warnings[-1].startswith("1 waits for an automatic")
    assert "automatic retry" not in " ".join(enable_endpoint.preview(enabled(), tooled(book)).warnings)


def test_it_holds_the_address_against_the_rules_again_before_enabling() -> None:
    book = FakeWebhooks(hooks=[endpoint(state=EndpointState.DISABLED, url=PRIVATE)])
    assert fault_of(enable_endpoint.preview, enabled(), tooled(book))[0] == "url"


def test_it_rotates_a_secret_with_an_overlap() -> None:
    book = FakeWebhooks()
    with Unchanged(book):
        seen = rotate_secret.preview(rotated(), tooled(book))
    assert shown(seen)["Older keys"] == ("0", "go on for 24 hours")
    done = rotate_secret.apply(rotated(48), tooled(book))
    assert book.ended_at == NOON + timedelta(hours=48)
    assert book.kept_keys[0].sealed == "v1.sealed"
    assert done.shown == {"Signing secret": SECRET}
    assert SECRET not in repr((seen, done.sentence, done.changes, book.kept_keys))


def test_it_ends_the_older_keys_at_once_when_a_secret_leaked() -> None:
    book = FakeWebhooks()
    assert "end at once" in rotate_secret.preview(rotated(0), tooled(book)).sentence
    rotate_secret.apply(rotated(0), tooled(book))
    assert book.ended_at == NOON


def test_it_shows_the_public_half_of_a_key_pair_only() -> None:
    book = FakeWebhooks()
    done = rotate_secret.apply(rotated(algorithm="v1a"), tooled(book))
    assert done.shown == {"Public key": "whpk_public"}
    assert book.kept_keys[0].algorithm is KeyAlgorithm.V1A
    rotate_secret.apply(rotated(), tooled(book))
    assert book.kept_keys[1].algorithm is KeyAlgorithm.V1A, "as the newest key does"


def test_it_names_what_is_wrong_with_a_rotation() -> None:
    assert fault_of(rotate_secret.preview, rotated(algorithm="v9"), tooled(FakeWebhooks()))[0] == "algorithm"
    book = FakeWebhooks()
    for _ in range(10):
        rotate_secret.apply(rotated(), tooled(book))
    assert fault_of(rotate_secret.preview, rotated(1), tooled(book))[0] == "overlap_hours"
    gone = FakeWebhooks(hooks=[replace(endpoint(), state=EndpointState.DELETED)])
    assert fault_of(rotate_secret.preview, rotated(), tooled(gone))[0] == "endpoint"


def test_it_bounds_the_overlap_to_a_week() -> None:
    field = next(each for each in rotate_secret.ACTION.fields if each.name == "overlap_hours")
    assert (field.least, field.most) == (0, 168)
    assert [choice.value for choice in rotate_secret.choices("algorithm", tooled(FakeWebhooks()))] == ["v1", "v1a"]
