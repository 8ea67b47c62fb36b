"""A re-emission that supersedes an automatic retry: the receiver is told once more, under the new id and no other."""

from dataclasses import replace
from datetime import timedelta

from console.domain.ids import SHARED_PLANE, DeliveryId
from console.domain.requests import Request, State
from console.domain.webhooks import DeliveryState, MessageKind
from console.ports.webhooks import DeliveryFilter
from console.usecases.outcomes import BadFields, Proposal, Waiting
from console.usecases.send_deliveries import send_due
from tests.integration.test_sending import FAIL, URL, Bench, bench, messages_of
from tests.integration.test_webhook_actions import ask

__all__ = ["bench"]


def failed_once(bench: Bench) -> DeliveryId:
    """Return a delivery that failed and waits for its retry."""
    (made,) = bench.ground.messages(bench.ground.endpoint(URL), 1)
    bench.wire.answers = [FAIL]
    assert send_due(bench.ground.house, sender="s1") == 1
    assert bench.ground.delivery(made).state is DeliveryState.RETRY_SCHEDULED
    return made


def asked(bench: Bench, made: DeliveryId, **raw: str) -> Proposal:
    slug = "acme" if bench.ground.plane == SHARED_PLANE else "bolt"
    stage = replace(bench.stage, house=bench.ground.house)
    return ask(stage, slug, "reemit", {"delivery": made, **raw})


def waiting(bench: Bench, made: DeliveryId) -> Request:
    """Ask for a re-emission instead of the retry; somebody else has to agree."""
    answer = asked(bench, made, supersede="yes")
    assert isinstance(answer, Waiting), answer
    return answer.request


def test_the_receiver_gets_the_new_id_only(bench: Bench) -> None:
    made = failed_once(bench)
    (old,) = messages_of(bench, [made])
    request = waiting(bench, made)
    bench.stage.approve("on_call", request)
    assert bench.stage.now(request.id).state is State.EXECUTED
    bench.wire.sent.clear()
    bench.clock.pass_by(seconds=timedelta(days=2).total_seconds())
    while send_due(bench.ground.house, sender="s1"):
        pass
    with bench.ground.seen() as plane:
        new = plane.webhooks.message(plane.webhooks.deliveries(DeliveryFilter(), before=None, limit=1)[0].message)
    assert new is not None
    assert (new.kind, new.replay_of) == (MessageKind.REEMIT, old)
    assert bench.wire.sent == [new.id]
    stays = bench.ground.delivery(made)
    assert (stays.state, stays.reason, stays.due_at) == (DeliveryState.CANCELLED, "reemitted", None)


def test_it_is_refused_while_the_retry_waits(bench: Bench) -> None:
    made = failed_once(bench)
    answer = asked(bench, made)
    assert isinstance(answer, BadFields), answer
    assert [fault.field for fault in answer.faults] == ["supersede"]
    assert bench.ground.delivery(made).state is DeliveryState.RETRY_SCHEDULED


def test_it_does_not_run_once_the_retry_went_out_before_it(bench: Bench) -> None:
    made = failed_once(bench)
    request = waiting(bench, made)
    bench.clock.pass_by(seconds=60)
    assert send_due(bench.ground.house, sender="s1") == 1
    assert bench.ground.delivery(made).state is DeliveryState.DELIVERED
    bench.stage.approve("on_call", request)
    assert bench.stage.now(request.id).state is State.STALE
    assert bench.wire.sent == messages_of(bench, [made]) * 2
    assert send_due(bench.ground.house, sender="s1") == 0
