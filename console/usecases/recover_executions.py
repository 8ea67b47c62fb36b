"""After a crash: ask the other plane what happened to an execution, and write its outcome; never repeat blindly."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from console.domain.changes import Applied
from console.domain.errors import ConflictError, ConsoleError, OutsideError
from console.domain.ids import PersonKey, StaffId
from console.domain.requests import Request
from console.domain.staff import Actor, Origin, SignInMethod, StaffKind
from console.domain.tenancy import TenantStatus
from console.ports.actions import Fault
from console.ports.trail import EntryFilter
from console.usecases.end_execution import fail, finished
from console.usecases.house import House
from console.usecases.recording import emit, request_target, tenant_ref
from console.usecases.scopes import directory_row, scope_of_request

_BATCH = 50
_SENTENCE = "The other plane confirms that it was applied."


def recover_executions(house: House, *, older_than_s: int = 120) -> Sequence[tuple[Request, str]]:
    """Settle executions that never reported back; return each with `executed`, `failed` or `unknown`."""
    now = house.clock.now()
    with house.store.read() as unit:
        stuck = unit.requests.executing(started_before=now - timedelta(seconds=older_than_s), limit=_BATCH)
    return [(request, _settled(house, request, now=now)) for request in stuck]


def _settled(house: House, request: Request, *, now: datetime) -> str:
    """Settle one execution; whatever is wrong with it must not keep the others waiting."""
    if request.action not in house.registry:
        _unknown(house, _recoverer(request), request, now=now)
        return "unknown"
    try:
        return _settle(house, request, now=now)
    except (ConsoleError, Fault):
        _unknown(house, _recoverer(request), request, now=now)
        return "unknown"


def _settle(house: House, request: Request, *, now: datetime) -> str:
    actor = _recoverer(request)
    try:
        outcome, status = _asked(house, actor, request, now=now)
    except OutsideError:
        _unknown(house, actor, request, now=now)
        return "unknown"
    try:
        with house.store.write() as unit:
            if outcome == "applied":
                if (
                    house.registry[request.action].touches_directory
                    and request.tenant is not None
                    and status is not None
                ):
                    unit.directory.set_status(request.tenant, status)
                finished(
                    house,
                    unit,
                    actor,
                    request,
                    Applied(sentence=_SENTENCE, changes=request.preview.every_change),
                    at=now,
                )
                return "executed"
            fail(house, unit, actor, request, "The process stopped before the plane was changed.", at=now)
            return "failed"
    except ConflictError:
        return "settled"  # the process that ran it was only slow, and has written the outcome itself


def _asked(house: House, actor: Actor, request: Request, *, now: datetime) -> tuple[str, TenantStatus | None]:
    """Return what the plane recorded; where it recorded nothing, fence the execution off so that it never can be."""
    if request.execution is None or request.tenant is None:
        return "abandoned", None
    with house.store.read() as unit:
        row = directory_row(unit, request.tenant)
    scope = scope_of_request(request, row, actor, now=now)
    try:
        with house.planes.write(scope) as plane:
            outcome = plane.applied(request.execution)
            if outcome is None:
                plane.mark_applied(request.execution, outcome="abandoned", at=now)
                return "abandoned", None
            return outcome, plane.account().status
    except OutsideError:
        raise
    except ConsoleError:
        with house.planes.read(scope) as plane:  # the slow process was faster than the fence
            return plane.applied(request.execution) or "abandoned", plane.account().status


def _unknown(house: House, actor: Actor, request: Request, *, now: datetime) -> None:
    """Record once that nobody knows the outcome yet."""
    with house.store.write() as unit:
        if unit.reader.page(EntryFilter(action="action.unknown", correlation=request.id), before=None, limit=1):
            return
        emit(
            unit,
            actor,
            "action.unknown",
            at=now,
            governed=request.action,
            reason=request.reason,
            tenant=tenant_ref(unit, request.tenant, source="request"),
            targets=request_target(request),
            error="the plane does not answer",
            correlation=request.id,
            execution=request.execution,
        )


def _recoverer(request: Request) -> Actor:
    """Return the house itself, which acts for the person who executed."""
    return Actor(
        staff=StaffId(request.executor or request.requester),
        person=PersonKey("system|recovery"),
        name="Sallyport (recovery)",
        email="",
        roles=frozenset(),
        kind=StaffKind.OPERATOR,
        signed_in_by=SignInMethod.SHELL,
        origin=Origin(route="recovery"),
    )
