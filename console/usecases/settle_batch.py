"""Write what came of a batch: attempts, deliveries, the endpoint's health and runs, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.entries import SYSTEM_ACTOR
from console.domain.entry_parts import TargetRef
from console.domain.ids import RunId
from console.domain.jobs import JobDraft
from console.domain.replays import Excluded, ItemState, RunState
from console.domain.sending import ENDPOINT_DISABLED, Tried, item_after
from console.domain.staff import Role
from console.domain.webhooks import AttemptOutcome, Delivery, DeliveryState, Endpoint, EndpointState
from console.ports.store import ControlUnit
from console.ports.webhooks import ItemOutcome, Settled, WebhookBook
from console.usecases.claim_deliveries import Batch
from console.usecases.house import House
from console.usecases.notices import tell
from console.usecases.recording import emit_as, row_ref
from console.usecases.written_tenant import written_tenant

SLOW_DOWN = "slow_down"
FAILURES_IN_ROW = "failures_in_row"
PAYLOAD_EXPIRED = "payload_expired"
_AT_ONCE = 1_000
_TOLD = frozenset({Role.ON_CALL, Role.SUPPORT_LEAD})


@dataclass(frozen=True, slots=True)
class Tally:
    """What a sender did with its batch.

    Shape: `tries` belong to `results` in their order; `expired` had no payload any more; `rest` was not tried.
    """

    endpoint: Endpoint
    results: Sequence[Settled]
    tries: Sequence[Tried]
    expired: Sequence[Delivery]
    rest: Sequence[Delivery]


def settle_batch(house: House, batch: Batch, tally: Tally) -> None:
    """Write the whole batch and give the endpoint back.

    Shape: on a plane of its own the entries are committed first, so that no endpoint is disabled without one.
    """
    now = house.clock.now()
    if not house.planes.shares_control(batch.scope.plane):
        with house.planes.read(batch.scope) as plane:
            tally = _unless_changed(plane.webhooks, batch, tally)
        if _news(batch.endpoint, tally.endpoint) is not None:
            with house.store.write() as unit:
                _record(house, unit, batch, tally.endpoint, at=now)
    with written_tenant(house, batch.scope) as tenant:
        book = tenant.plane.webhooks
        # Its row before its deliveries, as whoever takes over from a sender that was too slow has them.
        book.claim_endpoint(batch.endpoint.id, by=batch.sender, now=now, until=batch.until)
        tally = _unless_changed(book, batch, tally)
        if now >= batch.until:
            tally = _still_held(book, batch, tally)
        book.settle(tally.results, by=batch.sender)
        _drop_expired(book, batch, tally)
        book.give_back([_as_before(batch, each) for each in tally.rest], by=batch.sender)
        _settle_runs(house, book, batch, tally, now=now)
        if tally.endpoint.state is not batch.endpoint.state:
            _disable(book, tally.endpoint)
        book.release_endpoint(tally.endpoint, by=batch.sender)
        if tenant.unit is not None:
            _record(house, tenant.unit, batch, tally.endpoint, at=now)


def _disable(book: WebhookBook, endpoint: Endpoint) -> None:
    """Write an endpoint that is disabled by itself, and suppress what waits there; a job does the rest."""
    if book.change_endpoint(endpoint, version=endpoint.version):
        book.hold(endpoint.id, state=DeliveryState.SUPPRESSED, reason=ENDPOINT_DISABLED, limit=_AT_ONCE)


def _unless_changed(book: WebhookBook, batch: Batch, tally: Tally) -> Tally:
    """Leave an endpoint as it is that staff have changed meanwhile: the next failure judges it again."""
    if tally.endpoint.state is batch.endpoint.state:
        return tally
    stands = book.endpoint(batch.endpoint.id)
    if stands is not None and stands.version == batch.endpoint.version:
        return tally
    kept = replace(tally.endpoint, state=batch.endpoint.state, because=batch.endpoint.because, disabled_at=None)
    return replace(tally, endpoint=kept)


def _still_held(book: WebhookBook, batch: Batch, tally: Tally) -> Tally:
    """Return what a sender that was too slow may still write: what nobody took over meanwhile."""
    now = book.named([each.id for each in batch.claimed])
    mine = {each.id for each in now.values() if each.claimed_by == batch.sender and each.state is DeliveryState.SENDING}
    kept = [pair for pair in zip(tally.results, tally.tries, strict=True) if pair[0].delivery.id in mine]
    return replace(
        tally,
        results=[settled for settled, _tried in kept],
        tries=[tried for _settled, tried in kept],
        expired=[each for each in tally.expired if each.id in mine],
        rest=[each for each in tally.rest if each.id in mine],
    )


def _news(before: Endpoint, after: Endpoint) -> str | None:
    """Return the entry that a change of an endpoint deserves."""
    if after.state is not before.state:
        return "webhook.endpoint_disabled"
    return "webhook.endpoint_warned" if after.warned_at is not None and before.warned_at is None else None


def _as_before(batch: Batch, claimed: Delivery) -> Delivery:
    """Return a delivery as it stood before this sender took it."""
    before = batch.before[claimed.id]
    return replace(claimed, state=before.state, due_at=before.due_at, claimed_by=None)


def _drop_expired(book: WebhookBook, batch: Batch, tally: Tally) -> None:
    for each in tally.expired:
        is_known = each.delivered_at is not None
        ended = replace(
            each,
            state=DeliveryState.DELIVERED if is_known else DeliveryState.EXHAUSTED,
            reason=None if is_known else PAYLOAD_EXPIRED,
            due_at=None,
            run=None,
            claimed_by=None,
        )
        book.change_delivery(ended, version=each.version)


def _settle_runs(house: House, book: WebhookBook, batch: Batch, tally: Tally, *, now: datetime) -> None:
    """Move the items of the bulk replays that these deliveries belong to, and pause a run that runs into a wall."""
    claimed = {each.id: each for each in batch.claimed}
    for run in sorted({each.run for each in batch.claimed if each.run is not None}):
        moved = [
            ItemOutcome(delivery=each.id, state=ItemState.SKIPPED, tries=each.tries, reason=Excluded.PAYLOAD_EXPIRED)
            for each in tally.expired
            if each.run == run
        ]
        mine: list[Tried] = []
        for settled, tried in zip(tally.results, tally.tries, strict=True):
            before = claimed[settled.delivery.id]
            item = item_after(before, settled.delivery, tried) if before.run == run else None
            if item is not None:
                moved.append(ItemOutcome(delivery=before.id, state=item.state, tries=item.tries, reason=item.reason))
                mine.append(tried)
        book.settle_items(run, moved)
        _watch_run(house, book, run, mine, now=now)


def _watch_run(house: House, book: WebhookBook, run_id: RunId, tries: Sequence[Tried], *, now: datetime) -> None:
    """Count failures in a row; pause a run at too many or when a receiver asks for time, and take back its work."""
    failing = 0
    for tried in tries:
        failing = 0 if tried.is_success else failing + 1
    if len(tries) > failing:
        book.note_outcome(run_id, is_success=True)
    counted = 0
    for _each in range(failing):
        counted = book.note_outcome(run_id, is_success=False)
    run = book.run(run_id)
    is_running = run is not None and run.state is RunState.RUNNING
    because = None
    if any(tried.outcome is AttemptOutcome.SLOW_DOWN for tried in tries):
        because = SLOW_DOWN
    elif counted >= house.book.sending.run_failures_in_row:
        because = FAILURES_IN_ROW
    if because is not None and run is not None and is_running:
        book.note_outcome(run_id, is_success=True)  # who resumes begins a new count
        book.move_run(run, RunState.PAUSED, at=now, because=because)
    if because is not None or not is_running:
        book.recall_items(run_id)


def _record(house: House, unit: ControlUnit, batch: Batch, endpoint: Endpoint, *, at: datetime) -> None:
    """Write the entry where there is news, tell those who can help, and queue what remains to be held."""
    news = _news(batch.endpoint, endpoint)
    if news is None:
        return
    row = unit.directory.get(batch.scope.tenant)
    emit_as(
        unit,
        SYSTEM_ACTOR,
        news,
        at=at,
        tenant=row_ref(row, source="sender"),
        targets=(TargetRef(type="webhook_endpoint", id=endpoint.id),),
        error=endpoint.because if endpoint.state is EndpointState.DISABLED else None,
        facts={"failures_in_row": endpoint.failures_in_row},
    )
    is_disabled = endpoint.state is EndpointState.DISABLED
    what = "was disabled" if is_disabled else "keeps failing and will be disabled"
    for member in unit.staff.eligible(_TOLD):
        tell(
            house,
            unit,
            member.id,
            kind="webhook_endpoint",
            sentence=f"A webhook endpoint {what}.",
            path=f"/t/{row.slug if row else ''}/webhooks/endpoints/{endpoint.id}",
            at=at,
        )
    if is_disabled:
        key = f"hold:{endpoint.id}:{endpoint.version}"
        draft = JobDraft(kind="webhook.hold", key=key, payload={"endpoint": endpoint.id}, tenant=batch.scope.tenant)
        unit.jobs.add(draft, at=at)
