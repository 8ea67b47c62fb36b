"""A stage on which money moves: a tenant that is linked to its customer, a mirror, and a provider that can fail."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from console.domain.billing.objects import Allocation, BillingObject, ObjectKind
from console.domain.billing.writes import ProviderWrite
from console.domain.ids import SHARED_PLANE, ActionKey, ExecutionId, JobId, PlaneId, ReasonCode
from console.domain.jobs import Job
from console.domain.reasons import Reason
from console.domain.requests import Request, State
from console.domain.tenancy import ScopeBasis, TenantScope
from console.policy.book import PolicyBook
from console.ports.planes import TenantPlane
from console.usecases.outcomes import Waiting
from console.usecases.run_jobs import run_due_jobs
from console.usecases.written_tenant import written_tenant
from tests.billing import A_CUSTOMER, A_DISPUTE, A_PAYMENT, A_SUBSCRIPTION, AN_INVOICE, DAY, PAID, told
from tests.billing_writer import ModelProvider
from tests.databases import NOON, HandClock
from tests.integration.stage import FAR, Stage, by_hand, new_urls, opened_stage, settle_in, tenant
from tests.integration.stage import book as house_book
from tests.web.cast import PEOPLE

RECONCILE = Reason(code=ReasonCode("BILLING_RECONCILIATION"), reference="INV-2026-004711")
REFUND, CREDIT, APPLY, CANCEL, LINK, UNLINK, DISPUTE = (
    ActionKey(f"billing.{verb}")
    for verb in (
        "refund", "issue_credit", "apply_payment", "cancel_duplicate", "link_customer", "unlink_customer",
        "note_dispute",
    )
)  # fmt: skip
MINE = "cus_acme1"
PAYMENT = replace(A_PAYMENT, allocations=(Allocation(invoice="in_1", amount_minor=9_900),))
FREE = replace(A_PAYMENT, id="pi_2", amount_minor=5_000, captured_minor=5_000)
OPEN = replace(AN_INVOICE, id="in_2", number="INV-acme-2", subscription="sub_2")
SECOND = replace(A_SUBSCRIPTION, id="sub_2", started_at=NOON - 5 * DAY)
OBJECTS: tuple[BillingObject, ...] = (A_CUSTOMER, A_SUBSCRIPTION, SECOND, PAID, OPEN, PAYMENT, FREE)
DISPUTED = A_DISPUTE


def refund(amount: str = "40.00", payment: str = "pi_1", currency: str = "EUR") -> dict[str, str]:
    """Return what somebody types to refund."""
    return {"payment": payment, "amount": amount, "currency": currency, "why": "requested_by_customer"}


@dataclass
class Till:
    """The stage, its provider, and the clock."""

    stage: Stage
    model: ModelProvider
    clock: HandClock
    plane: PlaneId = SHARED_PLANE

    def pass_by(self, **duration: float) -> None:
        """Let time pass for the house and for the provider."""
        self.model.now = self.clock.pass_by(**duration)

    @contextmanager
    def opened(self, slug: str = "acme") -> Iterator[TenantPlane]:
        """Open the tenant's data for writing, as no person could."""
        scope = TenantScope(
            tenant=tenant(slug), plane=self.plane, staff=PEOPLE["finance"].id, basis=ScopeBasis.JOB,
            reason=RECONCILE.code, not_after=self.clock.now() + 5 * DAY,
        )  # fmt: skip
        with written_tenant(self.stage.house, scope) as written:
            yield written.plane

    def knows(self, *things: BillingObject, slug: str = "acme") -> None:
        """Let provider and mirror know objects."""
        self.model.knows(*things)
        with self.opened(slug) as plane:
            for thing in things:
                plane.mirror.put(told(thing, at=self.clock.now()))

    def open(self, who: str = "finance") -> None:
        """Open the tenant for somebody; a lease that the clock has ended makes room first."""
        self.stage.ask(who, "acme", REFUND, refund(), reason=RECONCILE)
        self.stage.open(who, "acme", RECONCILE)

    def ask(
        self, key: ActionKey, raw: Mapping[str, str], *, who: str = "finance", reason: Reason = RECONCILE
    ) -> Request:
        """Return a filed request that waits for others."""
        answer = self.stage.ask(who, "acme", key, raw, reason=reason)
        assert isinstance(answer, Waiting), answer
        return answer.request

    def agreed(self, key: ActionKey, raw: Mapping[str, str], *by: str, reason: Reason = RECONCILE) -> Request:
        """Return a request that everybody named has approved, so that it ran."""
        request = self.ask(key, raw, reason=reason)
        for who in by or ("finance_lead",):
            self.stage.approve(who, request)
        done = self.stage.now(request.id)
        assert done.state in {State.EXECUTED, State.APPROVED}, (done.state, done.ended_because)
        return done

    def run(self, *, worker: str = "w1") -> int:
        """Run what is due."""
        return run_due_jobs(self.stage.house, worker=worker)

    def write(self, request: Request) -> ProviderWrite:
        """Return the command of a request."""
        with self.opened() as plane:
            found = plane.provider_writes.get(ExecutionId(str(request.execution)))
        assert found is not None
        return found

    def mirrored(self, kind: ObjectKind, thing: str) -> BillingObject | None:
        """Return what the mirror says."""
        with self.opened() as plane:
            found = plane.mirror.get(kind, thing)
        return None if found is None else found.thing

    def job(self) -> Job:
        """Return the newest job that asks the provider."""
        with self.stage.storage.store.read() as unit:
            found = unit.jobs.page(
                state=None, kind="billing.write", fingerprint=None, tenant=None, before=None, limit=1
            )
        return found[0]

    def job_now(self, job: JobId) -> Job:
        """Return a job as it stands."""
        with self.stage.storage.store.read() as unit:
            found = unit.jobs.get(job)
        assert found is not None
        return found

    def entries(self) -> dict[str, int]:
        """Return how many entries tell of the provider."""
        names = ("provider.asked", "provider.written", "provider.refused", "provider.unsettled")
        return {name.removeprefix("provider."): many for name in names if (many := self.stage.entries(name))}


@contextmanager
def opened_till(
    engine: str,
    path: Path,
    create: Callable[..., str],
    *,
    far: bool = False,
    slow: bool = False,
    pool_size: int = 12,
) -> Iterator[Till]:
    """Open a house with a tenant that is its customer; `slow` lets approved refunds and links wait to be run."""
    url, planes = new_urls(engine, path, create, far=far)
    clock = HandClock()
    policy: PolicyBook = by_hand(house_book(), REFUND, LINK) if slow else house_book()
    with opened_stage(url, planes, clock=clock, policy=policy, pool_size=pool_size) as stage:
        settle_in(stage, ["zeta"] if far else ["acme", "zeta"], ["acme"] if far else [])
        model = ModelProvider(now=clock.now())
        house = replace(stage.house, provider=model, provider_writer=model)
        till = Till(replace(stage, house=house), model, clock, plane=FAR if far else SHARED_PLANE)
        with till.opened() as plane:
            plane.customers.link(MINE, by="Robin", because="metadata", at=clock.now())
        till.knows(*OBJECTS)
        till.stage.open("finance", "acme", RECONCILE)
        yield till
