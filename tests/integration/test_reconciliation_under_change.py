"""Runs over clean books while the provider works: payments, refunds, renewals and their webhooks raise no finding."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from console.adapters.fake_stripe.delivering import Deliverer, Endpoint
from console.adapters.inbound_stripe import PROVIDER
from console.adapters.stripe.lists import VERSION
from console.domain.reconciling.findings import FindingState
from console.domain.reconciling.runs import Reconciliation, RunState
from console.usecases.receive_inbound import Received, receive_inbound
from console.usecases.run_jobs import run_due_jobs
from console.usecases.written_tenant import written_tenant
from tests.databases import ENGINES
from tests.integration.drift_world import DriftWorld, drift_world
from tests.integration.inbound_world import ORIGIN
from tests.integration.reconciling_world import BUSINESS, customer, subscription
from tests.integration.stage import settle_in
from tests.web.cast import LONG_AGO

SLUGS = tuple(f"shop{number}" for number in range(10))
RUNS = 3
MOST_WAITING = 12
PATIENCE_S = 120
SECRET = "whsec_drift"


class Post(Deliverer):
    """Brings the provider's webhooks straight to the console's door."""

    def __init__(self, world: DriftWorld) -> None:
        super().__init__(world.fake.book, Endpoint(url="http://console.invalid", secret=SECRET, version=VERSION))
        self._house = world.house

    def _posted(self, body: bytes, signed: str) -> bool:
        taken = receive_inbound(
            self._house, provider=PROVIDER, headers={"stripe-signature": signed}, body=body, origin=ORIGIN
        )
        return isinstance(taken, Received)


@dataclass
class Traffic:
    """Threads that do things until they are told to stop; a fault of any of them is kept."""

    over: threading.Event = field(default_factory=threading.Event)
    faults: list[BaseException] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def going(self, **works: Callable[[], object]) -> Iterator[None]:
        """Let all of it go on meanwhile."""
        self.over.clear()
        threads = [threading.Thread(target=self._repeat, args=each, name=each[0]) for each in works.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        assert self.faults == []

    def _repeat(self, name: str, work: Callable[[], object]) -> None:
        try:
            while not self.over.is_set():
                self.done[name] = self.done.get(name, 0) + bool(work())
                time.sleep(0.001)
        except BaseException as fault:  # noqa: BLE001  told by the test
            self.faults.append(fault)
            self.over.set()


class Company:
    """What goes on at the provider; each call is one thing that happened."""

    def __init__(self, world: DriftWorld) -> None:
        self.world = world
        self.dice = random.Random(7)

    def act(self) -> bool:
        """Do one thing, unless the console has not caught up with the last ones."""
        waiting = self.world.stage.count("SELECT count(*) FROM inbound_event WHERE state = 'received'")
        return waiting < MOST_WAITING and self.dice.choice((self.pay, self.refund, self.rename))()

    def pay(self) -> bool:
        """Bill somebody for work, and let the card pay."""
        who = f"cus_{self.dice.choice(SLUGS)}"
        draft = self._post("invoices", customer=who, amount=self.dice.randrange(500, 5_000), currency="eur",
                           description="Work")  # fmt: skip
        self._post(f"invoices/{draft}/finalize")
        self._post(f"invoices/{draft}/pay")
        return True

    def refund(self) -> bool:
        """Send a part of some payment back."""
        found = self.world.fake.book.rows(
            "SELECT json_extract(doc, '$.payment_intent') FROM object WHERE type = 'charge' "
            "AND json_extract(doc, '$.amount_captured') > json_extract(doc, '$.amount_refunded') + 100 LIMIT 20"
        )
        if found:
            self._post("refunds", payment_intent=self.dice.choice(found)[0], amount=100)
        return bool(found)

    def rename(self) -> bool:
        """Change a customer's name."""
        slug = self.dice.choice(SLUGS)
        self._post(f"customers/cus_{slug}", name=f"{slug} {self.dice.randrange(1_000)}")
        return True

    def pass_by(self) -> bool:
        """Let some seconds pass, with the renewals that fall into them."""
        time.sleep(0.3)
        self.world.clock.pass_by(seconds=4)
        self.world.calls.post("/v1/test_helpers/clock/advance", {"seconds": 0}, key=self.world.house.ids.new("key"))
        return True

    def _post(self, path: str, **params: object) -> str:
        return str(self.world.calls.post(f"/v1/{path}", params, key=self.world.house.ids.new("key"))["id"])


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DriftWorld]:
    create = request.getfixturevalue("pg_database") if request.param == "postgresql" else str
    with drift_world(request.param, tmp_path, create) as made:
        settle_in(made.stage, SLUGS)
        made.fake.load([BUSINESS])
        for number, slug in enumerate(SLUGS):
            begun = made.clock.now() - timedelta(days=30)
            renews = made.clock.now() + timedelta(seconds=20 * number)
            sides = customer(slug), subscription(slug, period_from=begun, period_until=renews, started_at=LONG_AGO)
            made.fake.load(sides)
            made.mirror(slug, *sides)
            with written_tenant(made.house, made.scope(slug)) as written:
                written.plane.customers.link(f"cus_{slug}", by="test", because="import", at=LONG_AGO)
            made.recalculate(slug)
        yield made


def ran(world: DriftWorld) -> Reconciliation:
    """Start a run and wait until the threads have carried it to its end."""
    run = world.start()
    deadline = time.monotonic() + PATIENCE_S
    while world.stands(run).is_open and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [job.last_error for job in world.jobs() if job.last_error] == []
    return world.stands(run)


@pytest.mark.slow
def test_it_raises_nothing_while_everything_moves(world: DriftWorld) -> None:
    assert world.run().found == {}
    company, post, traffic = Company(world), Post(world), Traffic()
    busy: list[Reconciliation] = []
    works = {f"worker{n}": lambda n=n: run_due_jobs(world.house, worker=f"w{n}", limit=1) for n in range(3)}
    for _ in range(RUNS):
        with traffic.going(
            one=company.act, other=company.act, time=company.pass_by, post=post.deliver_due, **works,
        ):  # fmt: skip
            busy.append(ran(world))
        caught_up(world, post)
        world.clock.pass_by(hours=1)  # drafts of renewals become invoices
    assert {run.state for run in busy} == {RunState.DONE}
    # What was seen twice was on its way, and was taken as that; nothing was called a difference, nothing was healed.
    assert [run.counts.get("seen", 0) - run.counts.get("in_flight", 0) for run in busy] == [0] * RUNS
    assert [run.counts.get("healed", 0) for run in busy] == [0] * RUNS
    quiet = world.run()
    assert (quiet.state, quiet.found, quiet.counts.get("looked_twice")) == (RunState.DONE, {}, 0)
    assert {each.state for each in world.findings()} <= {FindingState.RESOLVED}
    looked, vanished, waited = (
        sum(run.counts.get(name, 0) for run in busy) for name in ("looked_twice", "vanished", "in_flight")
    )
    print(f"\n{dict(sorted(traffic.done.items()))}: {looked} looked at again, {vanished} were gone, {waited} in flight")  # noqa: T201


def caught_up(world: DriftWorld, post: Post) -> None:
    """Let every webhook arrive and be processed."""
    while post.deliver_due():
        pass
    world.work(rounds=1_000)
