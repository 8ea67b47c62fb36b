"""What is frozen: the one place where questions, the executor and the job runner look, in the unit of what they do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import cast

from console.domain.decisions import Deny, DenyCode, Query
from console.domain.errors import ConsoleError
from console.domain.freezes import Door, Freeze, FreezeScope, door_of
from console.domain.ids import StaffId, TenantId
from console.domain.jobs import Job
from console.domain.requests import Request
from console.domain.tenancy import ScopeBasis, TenantScope
from console.ports.store import ControlUnit, Store
from console.usecases.house import House

_REMEDY = "Reading stays possible; the page Freezes says who can lift it."
_OVER_PEOPLE = frozenset({FreezeScope.PERSON, FreezeScope.VENDOR})


class FrozenError(ConsoleError):
    """A freeze lies over what a job was about to change; it goes on when the freeze is lifted."""

    code = "frozen"

    def __init__(self, freeze: Freeze) -> None:
        """Say what is frozen."""
        super().__init__(f"{freeze.sentence} ({freeze.reason.reference}).", freeze=freeze.id)
        self.freeze = freeze


def frozen_over(
    unit: ControlUnit,
    *,
    door: Door,
    staff: StaffId | None,
    tenant: TenantId | None,
    now: datetime,
    is_containing: bool = False,
) -> Freeze | None:
    """Return the freeze over a person or a tenant; a drill is noted as seen at this door, and refuses nobody.

    Shape: no new freeze comes until the unit ends, except for what contains, which must never wait for itself.
    """
    if not is_containing:
        unit.freezes.hold()
    for drill in unit.freezes.drills(staff=staff, tenant=tenant, now=now):
        unit.freezes.sighted(drill.id, door, at=now)
    return unit.freezes.over(staff=staff, tenant=tenant, now=now)


def in_view_of_freezes(house: House, question: Query, unit: ControlUnit | None) -> Query:
    """Return a question that says what is frozen. Raises: TypeError when nobody can look and it matters."""
    if not house.book.is_paused_by_a_freeze(question.action):
        return question
    if unit is None:
        message = f"A freeze can pause {question.action}: ask in the unit that would do it."
        raise TypeError(message)
    freeze = frozen_over(
        unit,
        door=door_of(question.action),
        staff=question.actor,
        tenant=question.tenant,
        now=house.clock.now(),
        is_containing=question.action in house.book.containing,
    )
    return question if freeze is None else replace(question, frozen=freeze.scope.value)


def why_not_run(
    house: House, unit: ControlUnit, request: Request, *, executor: StaffId, now: datetime
) -> FrozenError | None:
    """Return why a request must not be executed in this unit: a freeze over its tenant, who asked, or who runs it."""
    if not house.book.is_paused_by_a_freeze(request.action):
        return None
    contains = request.action in house.book.containing
    for person in (executor, request.requester):
        freeze = frozen_over(
            unit, door=Door.RUNNING, staff=person, tenant=request.tenant, now=now, is_containing=contains
        )
        if freeze is not None and not (contains and freeze.scope not in _OVER_PEOPLE):
            return FrozenError(freeze)
    return None


def refusal_by(frozen: FrozenError) -> Deny:
    """Return a freeze as a refusal."""
    return Deny(code=DenyCode.FROZEN, sentence=str(frozen), remedy=_REMEDY)


def pausable(house: House, job: Job, request: Request | None) -> House:
    """Return a house in which a job can write nothing while a freeze lies over its tenant or over who asked for it."""
    return replace(house, store=_PausableStore(house.store, lambda unit: refuse_frozen(house, unit, job, request)))


def refuse_frozen(house: House, unit: ControlUnit, job: Job, request: Request | None) -> None:
    """Raise FrozenError when a freeze lies over a job's tenant or over who asked for it."""
    is_containing = request is not None and request.action in house.book.containing
    freeze = frozen_over(unit, door=Door.JOBS, staff=job.actor, tenant=job.tenant, now=house.clock.now())
    if freeze is not None and not (is_containing and freeze.scope not in _OVER_PEOPLE):
        raise FrozenError(freeze)


def refuse_frozen_job(house: House, unit: ControlUnit, scope: TenantScope) -> None:
    """Raise FrozenError when a job is about to change a tenant that is frozen; requests were looked at before."""
    if scope.basis is not ScopeBasis.JOB:
        return
    freeze = frozen_over(unit, door=Door.JOBS, staff=None, tenant=scope.tenant, now=house.clock.now())
    if freeze is not None:
        raise FrozenError(freeze)


class _PausableStore:
    """A store whose writing units begin by looking for freezes."""

    def __init__(self, store: Store, check: Callable[[ControlUnit], None]) -> None:
        self._store = store
        self._check = check

    def write(self) -> AbstractContextManager[ControlUnit, None]:
        return cast("AbstractContextManager[ControlUnit, None]", self._checked())

    def read(self) -> AbstractContextManager[ControlUnit, None]:
        return self._store.read()

    def ping(self) -> None:
        self._store.ping()

    @contextmanager
    def _checked(self) -> Iterator[ControlUnit]:
        with self._store.write() as unit:
            self._check(unit)
            yield unit
