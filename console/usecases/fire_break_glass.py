"""When its minute is over, a broken glass fires, through the one executor; a drill ends without effect."""

from datetime import datetime

from console.domain.decisions import Deny
from console.domain.ids import RequestId
from console.domain.jobs import Job
from console.domain.requests import Event, Request, State, after
from console.domain.staff import Actor
from console.ports.store import ControlUnit
from console.usecases.break_glass import FIRE_JOB
from console.usecases.execute_request import execute_request
from console.usecases.house import House
from console.usecases.job_outcomes import Again, Done, JobRefusedError
from console.usecases.notices import tell_requester
from console.usecases.recording import emit, request_target, tenant_ref
from console.usecases.verify_request import verified

__all__ = ["FIRE_JOB", "fire_break_glass"]
_WENT = "it was a drill; it would have run, and nothing was changed"
_WOULD_NOT = "it was a drill; it would not have run"


def fire_break_glass(house: House, job: Job) -> Done | Again:
    """Run what counts down, once, if nobody stopped it; every check of an execution holds except the skipped votes."""
    now = house.clock.now()
    with house.store.read() as unit:
        request = unit.requests.get(RequestId(str(job.payload.get("request"))))
        use = None if request is None else unit.glass.of(request.id)
        member = None if job.actor is None else unit.staff.get(job.actor)
    if request is None or use is None or member is None or request.requester != job.actor:
        raise JobRefusedError("There is no such use of break-glass.")
    if request.state is not State.COUNTING_DOWN:
        return Done()
    if now < request.approve_by:
        return Again(at=request.approve_by)
    asker = Actor(
        staff=member.id,
        person=member.person,
        name=member.name,
        email=member.email,
        roles=member.roles,
        kind=member.kind,
        stepped_up_at=request.filed_at,  # the factor was shown when glass was broken
    )
    if not use.is_drill:
        execute_request(house, asker, request_id=request.id)
        return Done()
    with house.store.write() as unit:
        _end_drill(house, unit, asker, request, now=now)
    return Done()


def _end_drill(house: House, unit: ControlUnit, asker: Actor, request: Request, *, now: datetime) -> None:
    """Check what an execution would check, then end it without effect, and say that it was a drill."""
    stop = verified(house, unit, asker, request, now=now)
    to = after(request.state, Event.CANCEL)
    because = _WENT if stop is None else _WOULD_NOT
    if to is None or not unit.requests.move(request, to, finished_at=now, ended_because=because):
        return  # the check itself has ended it, or somebody stopped it
    emit(
        unit,
        asker,
        "break_glass.rehearsed",
        at=now,
        governed=request.action,
        tenant=tenant_ref(unit, request.tenant, source="request"),
        reason=request.reason,
        targets=request_target(request, moves=True),
        correlation=request.id,
        facts={"is_drill": True, "would_run": stop is None, "code": stop.code.value if isinstance(stop, Deny) else ""},
    )
    tell_requester(house, unit, request, kind="drill", sentence=f"your drill is over; {because}.", at=now)
