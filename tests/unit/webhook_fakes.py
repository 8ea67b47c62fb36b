"""In-memory webhooks for the tests of actions: every method does what the port's sentence says and nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from console.domain.ids import DeliveryId, Digest, EndpointId, JobId, MessageId, ReasonCode, RunId, StaffId
from console.domain.jobs import Job, JobEvent, JobState, after
from console.domain.replays import Candidate, Run, RunItem, RunState, Selector, Wanted, list_digest
from console.domain.webhooks import (
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointKey,
    EndpointState,
    KeyAlgorithm,
    Message,
    MessageKind,
    Trigger,
)
from console.ports.sending import NewKey
from tests.unit.fakes import NOON

HOOK = EndpointId("ep_hook")
URL = "https://hooks.acme.example/in"
SECRET = "whsec_the-new-secret"
_WANTED = {
    Wanted.FAILED: {
        DeliveryState.EXHAUSTED,
        DeliveryState.RETRY_SCHEDULED,
        DeliveryState.SUPPRESSED,
        DeliveryState.HELD,
    },
    Wanted.DELIVERED: {DeliveryState.DELIVERED},
    Wanted.ALL: set(DeliveryState),
}


def endpoint(**other: Any) -> Endpoint:  # noqa: ANN401  fields of Endpoint
    """Return an active endpoint that wants every event."""
    base = Endpoint(
        id=HOOK, url=URL, description="", event_types=(), state=EndpointState.ACTIVE, because=None, rate_per_s=10,
        created_at=NOON - timedelta(days=90), version=4,
    )  # fmt: skip
    return replace(base, **other)


def message(number: int = 1, **other: Any) -> Message:  # noqa: ANN401  fields of Message
    """Return a message of an hour ago."""
    base = Message(
        id=MessageId(f"msg_{number}"), event_type="invoice.paid", kind=MessageKind.EVENT,
        payload=b'{"type":"invoice.paid","email":"ada@acme.example"}', created_at=NOON - timedelta(hours=1),
        expires_at=NOON + timedelta(days=30),
    )  # fmt: skip
    return replace(base, **other)


def delivery(number: int = 1, **other: Any) -> Delivery:  # noqa: ANN401  fields of Delivery
    """Return an exhausted delivery of a message."""
    base = Delivery(
        id=DeliveryId(f"dlv_{number}"), message=MessageId(f"msg_{number}"), endpoint=HOOK, event_type="invoice.paid",
        state=DeliveryState.EXHAUSTED, created_at=NOON - timedelta(hours=1), due_at=None, attempts=8, tries=8,
        version=9,
    )  # fmt: skip
    return replace(base, **other)


def attempt(number: int = 1, **other: Any) -> Attempt:  # noqa: ANN401  fields of Attempt
    """Return an attempt at the first delivery that a receiver refused."""
    base = Attempt(
        id=f"wha_{number}", delivery=DeliveryId("dlv_1"), endpoint=HOOK, number=number, trigger=Trigger.SCHEDULED,
        run=None, started_at=NOON, took_ms=4, outcome=AttemptOutcome.SERVER_ERROR, status=500, error=None, keys=(),
        sent_headers=(), got_headers=(), got_body=None,
    )  # fmt: skip
    return replace(base, **other)


@dataclass
class FakeWebhooks:
    """The webhooks of one tenant in dictionaries. Shape: `is_raced` lets every conditional update lose."""

    hooks: list[Endpoint] = field(default_factory=lambda: [endpoint()])
    kept_keys: list[EndpointKey] = field(default_factory=list)
    told: list[Message] = field(default_factory=lambda: [message()])
    sent: list[Delivery] = field(default_factory=lambda: [delivery()])
    tried: list[Attempt] = field(default_factory=list)
    kept_runs: list[Run] = field(default_factory=list)
    kept_items: list[RunItem] = field(default_factory=list)
    moved: list[tuple[str, str, str | None]] = field(default_factory=list)
    recalled: list[RunId] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    ended_at: datetime | None = None
    digest: Digest | None = None
    is_raced: bool = False

    def endpoints(self, *, with_deleted: bool = False) -> Sequence[Endpoint]:
        return [each for each in self.hooks if with_deleted or each.state is not EndpointState.DELETED]

    def endpoint(self, endpoint: EndpointId) -> Endpoint | None:
        return next((each for each in self.hooks if each.id == endpoint), None)

    def add_endpoint(self, endpoint: Endpoint) -> None:
        self.hooks.append(endpoint)

    def change_endpoint(self, endpoint: Endpoint, *, version: int) -> bool:
        index = next(i for i, each in enumerate(self.hooks) if each.id == endpoint.id)
        if self.is_raced or self.hooks[index].version != version:
            return False
        self.hooks[index] = replace(endpoint, version=version + 1)
        return True

    def keys(self, endpoint: EndpointId, *, now: datetime) -> Sequence[EndpointKey]:
        return [each for each in reversed(self.kept_keys) if each.endpoint == endpoint]

    def add_key(self, key: EndpointKey, *, older_until: datetime) -> None:
        self.kept_keys.append(key)
        self.ended_at = older_until

    def message(self, message: MessageId) -> Message | None:
        return next((each for each in self.told if each.id == message), None)

    def add_message(self, message: Message, deliveries: Sequence[Delivery]) -> None:
        self.told.append(message)
        self.sent += deliveries

    def delivery(self, delivery: DeliveryId) -> Delivery | None:
        return next((each for each in self.sent if each.id == delivery), None)

    def deliveries_of(self, message: MessageId) -> Sequence[Delivery]:
        return [each for each in self.sent if each.message == message]

    def attempts(self, delivery: DeliveryId, *, limit: int) -> Sequence[Attempt]:
        return [each for each in self.tried if each.delivery == delivery][:limit]

    def change_delivery(self, delivery: Delivery, *, version: int) -> bool:
        index = next(i for i, each in enumerate(self.sent) if each.id == delivery.id)
        if self.is_raced or self.sent[index].version != version:
            return False
        self.sent[index] = replace(delivery, version=version + 1)
        return True

    def event_types(self, *, limit: int) -> Sequence[str]:
        return sorted({each.event_type for each in self.told})[:limit]

    def hold(self, endpoint: EndpointId, *, state: DeliveryState, reason: str, limit: int) -> int:
        self.moved.append((endpoint, state.value, reason))
        return 0

    def unhold(self, endpoint: EndpointId, *, at: datetime, limit: int) -> int:
        self.moved.append((endpoint, "queued", None))
        return 0

    def candidates(
        self, selector: Selector, *, after: tuple[datetime, DeliveryId] | None, limit: int
    ) -> Sequence[Candidate]:
        self.asked.append(limit)
        fits = sorted(
            (
                (each.created_at, each.id, each)
                for each in self.sent
                if each.state in _WANTED[selector.wanted]
                and selector.since <= each.created_at < selector.until
                and (not selector.endpoints or each.endpoint in selector.endpoints)
                and (not selector.event_types or each.event_type in selector.event_types)
            ),
            key=lambda row: row[:2],
        )
        rows = [each for at, id_, each in fits if after is None or (at, id_) > after][:limit]
        expiry = {each.id: each.expires_at for each in self.told}
        return [
            Candidate(
                delivery=each.id, endpoint=each.endpoint, event_type=each.event_type, state=each.state,
                created_at=each.created_at, payload_expires_at=expiry.get(each.message, NOON + timedelta(days=1)),
                run=each.run,
            )
            for each in rows
        ]  # fmt: skip

    def count_candidates(self, selector: Selector, *, most: int, state: DeliveryState | None = None) -> int:
        sent = [each for each in self.sent if state in {None, each.state}]
        return len(FakeWebhooks(sent=sent, told=self.told).candidates(selector, after=None, limit=most))

    def candidate_at(self, selector: Selector, position: int) -> datetime | None:
        found = FakeWebhooks(sent=self.sent, told=self.told).candidates(selector, after=None, limit=position)
        return found[-1].created_at if len(found) == position else None

    def add_run(self, run: Run, items: Iterable[RunItem]) -> None:
        self.kept_runs.append(run)
        self.kept_items += items

    def run(self, run: RunId) -> Run | None:
        return next((each for each in self.kept_runs if each.id == run), None)

    def move_run(self, run: Run, to: RunState, *, at: datetime, **fields: Any) -> bool:  # noqa: ANN401  fields of Run
        index = next(i for i, each in enumerate(self.kept_runs) if each.id == run.id)
        if self.is_raced or self.kept_runs[index].version != run.version:
            return False
        self.kept_runs[index] = replace(run, state=to, version=run.version + 1, **fields)
        return True

    def recall_items(self, run: RunId) -> int:
        self.recalled.append(run)
        return 0

    def frozen_digest(self, run: RunId) -> Digest:
        return self.digest or list_digest(item.delivery for item in self.kept_items if item.run == run)


@dataclass
class FakeOutbound:
    """Refuses the addresses that it is told to."""

    faults: dict[str, str] = field(default_factory=dict)

    def fault_of(self, url: str) -> str | None:
        return self.faults.get(url)


@dataclass
class FakeKeys:
    """Makes keys with a known secret."""

    made: list[KeyAlgorithm] = field(default_factory=list)

    def make(self, algorithm: KeyAlgorithm) -> NewKey:
        self.made.append(algorithm)
        public = "whpk_public" if algorithm is KeyAlgorithm.V1A else None
        return NewKey(sealed="v1.sealed", secret=SECRET, public=public)


def job(number: int = 1, **other: Any) -> Job:  # noqa: ANN401  fields of Job
    """Return a dead job."""
    base = Job(
        id=JobId(f"job_{number}"), kind="inbound.process", key=f"key-{number}", queue="inbound", payload={},
        state=JobState.DEAD, tenant=None, actor=None, reason=ReasonCode("NONE"), request=None, created_at=NOON,
        run_at=NOON, attempts=8, most_attempts=8, version=3, fingerprint="f00d",
    )  # fmt: skip
    return replace(base, **other)


@dataclass
class FakeJobs:
    """Jobs in a list, newest last."""

    kept: list[Job] = field(default_factory=list)
    is_raced: bool = False

    def get(self, wanted: JobId) -> Job | None:
        return next((each for each in self.kept if each.id == wanted), None)

    def page(
        self, *, state: JobState | None, kind: str | None, fingerprint: str | None, before: JobId | None, limit: int,
        tenant: str | None,
    ) -> Sequence[Job]:  # fmt: skip
        newest = [
            each for each in reversed(self.kept)
            if each.state is state and each.kind == kind and each.fingerprint == fingerprint
        ]  # fmt: skip
        at = next((i for i, each in enumerate(newest) if each.id == before), -1)
        return newest[at + 1 :][:limit]

    def retry(self, wanted: Job, *, by: StaffId, at: datetime) -> bool:
        return self._moved(wanted, JobEvent.RETRY, by)

    def discard(self, wanted: Job, *, by: StaffId, at: datetime) -> bool:
        return self._moved(wanted, JobEvent.DISCARD, by)

    def _moved(self, wanted: Job, event: JobEvent, by: StaffId) -> bool:
        to = after(wanted.state, event)
        if self.is_raced or to is None:
            return False
        index = next(i for i, each in enumerate(self.kept) if each.id == wanted.id)
        self.kept[index] = replace(wanted, state=to, retried_by=by)
        return True
