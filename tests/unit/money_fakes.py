"""A tenant's billing side in lists, and a till that runs actions on it as the executor and the job would."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from console.domain.billing.commands import Command
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.billing.writes import ProviderWrite, WriteEvent, after, touched_by, wanted
from console.domain.errors import OutsideError
from console.domain.ids import SHARED_PLANE, ExecutionId, ReasonCode, StaffId, TenantId
from console.domain.reconciling.books import Hold, Link
from console.domain.tenancy import ScopeBasis, TenantScope
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault
from console.usecases.parameters import built
from tests.billing import CUSTOMER, NOON, PaperMirror, mirror_of
from tests.billing_writer import ModelProvider
from tests.unit.fakes import TENANT, FakePlane, tools


@dataclass
class FakeWrites:
    """Commands in a dictionary, by the rules of the port."""

    kept: dict[ExecutionId, ProviderWrite] = field(default_factory=dict)

    def lock(self) -> None:
        """Lock nothing: nobody else is here."""

    def want(self, command: Command, *, execution: ExecutionId, at: datetime) -> ProviderWrite:
        self.kept[execution] = wanted(command, execution, at=at)
        return self.kept[execution]

    def pending(self, subject: str | None = None) -> Sequence[ProviderWrite]:
        return [each for each in self.kept.values() if each.is_pending and subject in {None, each.subject}]

    def become(self, write: ProviderWrite, event: WriteEvent) -> ProviderWrite:
        """Move a command."""
        to = after(write.state, event)
        assert to is not None
        self.kept[write.id] = replace(write, state=to)
        return self.kept[write.id]


@dataclass
class FakeCustomers:
    """Links in a list."""

    held: list[Link] = field(default_factory=lambda: [Link(customer=CUSTOMER, linked_at=NOON)])

    def links(self) -> tuple[Link, ...]:
        return tuple(self.held)


@dataclass
class FakeBilledPlane(FakePlane):
    """A FakePlane with a billing side."""

    mirror: PaperMirror = field(default_factory=PaperMirror)
    provider_writes: FakeWrites = field(default_factory=FakeWrites)
    customers: FakeCustomers = field(default_factory=FakeCustomers)
    noted: dict[str, Hold] = field(default_factory=dict)

    @property
    def scope(self) -> TenantScope:
        return TenantScope(
            tenant=TenantId(TENANT), plane=SHARED_PLANE, staff=StaffId("stf_robin"), basis=ScopeBasis.REQUEST,
            reason=ReasonCode("BILLING_RECONCILIATION"), not_after=NOON,
        )  # fmt: skip

    def holds(self) -> tuple[Hold, ...]:
        return tuple(self.noted.values())

    def put_hold(self, hold: Hold, *, before: Hold | None, at: datetime) -> bool:
        self.noted[hold.dispute] = hold
        return True


class Till:
    """One tenant, one provider: approve at once, carry out when told."""

    def __init__(self, things: Sequence[BillingObject]) -> None:
        """Let both sides know the same."""
        self.model = ModelProvider()
        self.model.knows(*things)
        self.plane = FakeBilledPlane(mirror=mirror_of(things))
        self._runs = 0

    def tools(self) -> Tools:
        """Return the tools of one execution."""
        self._runs += 1
        made = tools(cast("Any", self.plane))
        return replace(made, provider=self.model, execution=ExecutionId(f"exe_{self._runs}"))

    def run(self, action: Action[Any], raw: dict[str, str]) -> bool:
        """Preview and apply; False where the action finds a fault, and then nothing may have changed."""
        before = dict(self.plane.provider_writes.kept)
        params, _plain, faults = built(action, raw)
        if faults:
            return False
        try:
            action.preview(params, self.tools())
            action.apply(params, self.tools())
        except Fault:
            assert self.plane.provider_writes.kept == before
            return False
        return True

    def carry_out(self, *, fails_after: bool = False) -> None:
        """Carry the oldest command out as the job would, perhaps with a provider that fails once it has acted."""
        waiting = self.plane.provider_writes.pending()
        if not waiting:
            return
        write = self.plane.provider_writes.become(waiting[0], WriteEvent.SEND)
        self.model.fails_after = int(fails_after)
        done = self.model.carried_out(write.command, key=write.idempotency_key)
        try:
            made = done or self.model.carry_out(write.command, key=write.idempotency_key)
        except OutsideError as away:
            if away.permanent:
                self.plane.provider_writes.become(write, WriteEvent.REFUSE)
            return
        finally:
            self.model.fails_after = 0
        payments = [(ObjectKind.PAYMENT, each.id) for each in self.model.things(ObjectKind.PAYMENT)]
        self.plane.mirror.put(made)
        for kind, thing in (*touched_by(write.command), *payments):
            told = self.model.fetch(kind, thing)
            assert told is not None
            self.plane.mirror.put(told)
        self.plane.provider_writes.become(write, WriteEvent.SUCCEED)
